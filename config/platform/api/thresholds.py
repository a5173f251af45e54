"""How usage thresholds look in the API, in and out: the same of plans and of subscriptions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import Flag, Instant, MinorUnits, RequestSerializer, Text, TextOrNull


class ThresholdRequest(RequestSerializer):
    """A usage threshold as it comes in."""

    id = serializers.UUIDField(required=False, allow_null=True)
    amount_cents = MinorUnits(required=False, allow_null=True)
    threshold_display_name = Text()
    recurring = Flag(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null of a yes or no a no, and a null amount or id none."""
        if "recurring" in attrs:
            attrs["recurring"] = bool(attrs["recurring"])
        return {name: value for name, value in attrs.items() if value is not None}


class ThresholdAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A usage threshold; its id stays the same over the versions of its plan."""

    lago_id = serializers.UUIDField(source="key")
    threshold_display_name = TextOrNull(source="name")
    amount_cents = MinorUnits()
    recurring = serializers.BooleanField()
    created_at = Instant()
    updated_at = Instant(source="created_at")


class ApplicableThresholdAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A usage threshold as it goes for whoever has it."""

    threshold_display_name = TextOrNull(source="name")
    amount_cents = MinorUnits()
    recurring = serializers.BooleanField()

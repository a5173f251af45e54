"""How minimum commitments look in the API, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from catalog.api.tax_forms import TaxAnswer
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text, TextOrNull


class MinimumCommitmentRequest(RequestSerializer):
    """A minimum commitment as it comes in: what a whole interval costs at least. An empty one takes it away."""

    id = serializers.UUIDField(required=False, allow_null=True)
    amount_cents = MinorUnits(required=False)
    invoice_display_name = Text()
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null list an empty one."""
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        return attrs


class MinimumCommitmentAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A minimum commitment; its id stays the same over the versions of its plan."""

    lago_id = serializers.UUIDField(source="key")
    plan_code = serializers.CharField(source="plan_version.plan.code")
    invoice_display_name = TextOrNull()
    amount_cents = MinorUnits()
    interval = serializers.CharField(source="plan_version.interval")
    created_at = Instant()
    updated_at = Instant(source="plan_version.created_at")
    taxes = TaxAnswer(many=True)

"""How what a subscription waits for looks in the API, in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from billing.domain.activation import MAX_TIMEOUT_HOURS, Rule, RuleType
from billing.models import Subscription
from config.platform.api.serializers import Instant, RequestSerializer, Whole, instant_text


class ActivationRuleRequest(RequestSerializer):
    """A payment to wait for; without hours, or with none, it may come at any time."""

    type = serializers.ChoiceField(choices=[str(kind) for kind in RuleType])
    timeout_hours = Whole(allow_null=True, max_value=MAX_TIMEOUT_HOURS)


class ActivationRuleAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A payment that a subscription waits or waited for."""

    lago_id = serializers.UUIDField(source="uuid")
    type = serializers.CharField()
    timeout_hours = serializers.IntegerField(allow_null=True)
    status = serializers.CharField()
    expires_at = Instant(allow_null=True)
    created_at = Instant()
    updated_at = Instant()


def rules(rows: Sequence[Mapping[str, Any]] | None) -> list[Rule]:
    """Return the rules that were sent."""
    return [Rule(RuleType(row["type"]), row.get("timeout_hours") or None) for row in rows or ()]


def shown(subscription: Subscription) -> list[dict[str, Any]]:
    """Return the rules of a subscription; without a query where they were read with it."""
    return [dict(row) for row in ActivationRuleAnswer(subscription.activation_rules.all(), many=True).data]


def activated_at(subscription: Subscription) -> str | None:
    """Return when a subscription could be used: when it was paid, else when it started."""
    at = subscription.activated_at or subscription.started_at
    return None if at is None else instant_text(at)

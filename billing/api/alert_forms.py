"""How alerts and spend caps look in the API, in and out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from billing.models import UsageAlert
from billing.queries.alerts import Spend
from config.platform.api import representations
from config.platform.api.serializers import (
    DecimalString,
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
    instant_text,
)
from config.platform.queries import installation

METRIC = "catalog.billable_metric"


class AlertThresholdRequest(RequestSerializer):
    """A value that is watched for."""

    code = Text()
    value = DecimalString(help_text="Minor units of the currency for amounts, else units.")
    recurring = Flag(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a null of a yes or no a no."""
        if "recurring" in attrs:
            attrs["recurring"] = bool(attrs["recurring"])
        return attrs


class AlertRequest(RequestSerializer):
    """An alert as it comes in. Which types there are, and what a good list of thresholds is, the service says."""

    alert_type = Text(required=True)
    code = Text(required=True)
    name = Text()
    billable_metric_code = Text()
    thresholds = Rows(AlertThresholdRequest)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make null thresholds none."""
        if "thresholds" in attrs:
            attrs["thresholds"] = attrs["thresholds"] or []
        return attrs


class AlertThresholdAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A value that is watched for."""

    code = TextOrNull()
    value = DecimalString()
    recurring = serializers.BooleanField()


class AlertAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """An alert on the usage of a subscription. What only wallets have is null."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_organization_id = serializers.SerializerMethodField()
    external_subscription_id = serializers.CharField()
    subscription_external_id = serializers.CharField(source="external_subscription_id")
    lago_wallet_id = serializers.SerializerMethodField()
    wallet_code = serializers.SerializerMethodField()
    alert_type = serializers.CharField()
    code = serializers.CharField()
    name = TextOrNull()
    direction = serializers.SerializerMethodField()
    previous_value = DecimalString()
    last_processed_at = Instant(allow_null=True)
    thresholds = AlertThresholdAnswer(many=True, source="thresholds.all")
    billable_metric = representations.serializer(METRIC)(source="metric", allow_null=True)
    created_at = Instant()

    def get_lago_organization_id(self, alert: UsageAlert) -> str:
        """Return the id of the installation."""
        return str(self.context["organization_id"])

    def get_lago_wallet_id(self, alert: UsageAlert) -> str | None:
        """Return nothing: it is of a subscription."""
        return None

    def get_wallet_code(self, alert: UsageAlert) -> str | None:
        """Return nothing: it is of a subscription."""
        return None

    def get_direction(self, alert: UsageAlert) -> str:
        """Return that it is told when the value grows."""
        return "increasing"


class SpendCapRequest(RequestSerializer):
    """How much a subscription is meant to use in a billing period."""

    amount_cents = MinorUnits()


class SpendAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How a subscription stands to its spend cap: usage of the running period, net."""

    external_subscription_id = serializers.CharField()
    currency = serializers.CharField()
    cap_amount_cents = serializers.IntegerField()
    spent_amount_cents = serializers.IntegerField()
    remaining_amount_cents = serializers.IntegerField()
    reached = serializers.BooleanField()
    reached_at = Instant(allow_null=True)
    period_from = Instant(allow_null=True)
    period_to = Instant(allow_null=True)
    as_of = Instant(allow_null=True, help_text="When the usage was looked at.")


def shown(found: Sequence[UsageAlert]) -> list[dict[str, Any]]:
    """Return alerts with their metrics and thresholds at hand, as answers show them."""
    context = {"organization_id": installation.current().uuid}
    return list(AlertAnswer(found, many=True, context=context).data)


def spend(found: Spend) -> dict[str, Any]:
    """Return what a caller is told of a cap. Written without a serializer: products ask often."""
    return {
        "external_subscription_id": found.external_id,
        "currency": found.currency,
        "cap_amount_cents": found.cap_cents,
        "spent_amount_cents": found.spent_cents,
        "remaining_amount_cents": found.remaining_cents,
        "reached": found.reached_at is not None,
        "reached_at": None if found.reached_at is None else instant_text(found.reached_at),
        "period_from": None if found.from_at is None else instant_text(found.from_at),
        "period_to": None if found.to_at is None else instant_text(found.to_at),
        "as_of": None if found.as_of is None else instant_text(found.as_of),
    }

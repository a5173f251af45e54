"""``/subscriptions/:external_id/lifetime_usage``: what a subscription used since its first day."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Subscription
from billing.queries import lifetime_usage, usage_thresholds
from billing.queries.lifetime_usage import Lifetime
from billing.services import lifetime_usage as told
from config.kernel import errors
from config.platform.api import schema, views
from config.platform.api import serializers as fields

ROOT = "lifetime_usage"
AMOUNT = "external_historical_usage_amount_cents"


class LifetimeUsageRequest(fields.RequestSerializer):
    """What of it can be told."""

    external_historical_usage_amount_cents = fields.MinorUnits(
        help_text="What was used before it was billed here, net, in minor units of the subscription's currency."
    )


class CompletionAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How much of a threshold is used: 1 where it was passed, with when that was seen."""

    amount_cents = fields.MinorUnits()
    completion_ratio = fields.Number(source="ratio")
    reached_at = fields.Instant(allow_null=True)


class LifetimeUsageAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """Lifetime usage as answers show it. Amounts are net."""

    lago_id = serializers.UUIDField(source="public_id")
    lago_subscription_id = serializers.UUIDField(source="subscription.uuid")
    external_subscription_id = serializers.CharField(source="subscription.external_id")
    external_historical_usage_amount_cents = fields.MinorUnits(source="historical")
    invoiced_usage_amount_cents = fields.MinorUnits(source="invoiced")
    current_usage_amount_cents = fields.MinorUnits(source="current")
    from_datetime = fields.Instant(source="from_at")
    to_datetime = fields.Instant(source="to_at")
    usage_thresholds = serializers.SerializerMethodField()

    @extend_schema_field(CompletionAnswer(many=True))
    def get_usage_thresholds(self, lifetime: Lifetime) -> list[dict[str, Any]]:
        """Return how far it is towards each threshold."""
        return list(CompletionAnswer(usage_thresholds.progress(lifetime), many=True).data)


class LifetimeUsage(views.ApiView):
    """The lifetime usage of a subscription."""

    resource = "lifetime_usage"

    @extend_schema(responses=schema.answer(ROOT, LifetimeUsageAnswer))
    def get(self, request: Request, external_id: str) -> Response:
        """Show what was used before, what was billed, and what the running period comes to so far."""
        return self._shown(lifetime_usage.subscription(external_id=external_id))

    @extend_schema(request=schema.body(ROOT, LifetimeUsageRequest), responses=schema.answer(ROOT, LifetimeUsageAnswer))
    def put(self, request: Request, external_id: str) -> Response:
        """Set what was used before it was billed here. Nothing else changes."""
        subscription = lifetime_usage.subscription(external_id=external_id)
        given = self.body(request, ROOT, LifetimeUsageRequest)
        if AMOUNT not in given:
            raise errors.Invalid("validation_errors", "The amount is missing.", {AMOUNT: ["value_is_mandatory"]})
        subscription = told.set_historical(
            external_id=subscription.external_id, amount_cents=given[AMOUNT], actor=self.actor(request), at=self.at()
        )
        return self._shown(subscription)

    def _shown(self, subscription: Subscription) -> Response:
        found: Lifetime = lifetime_usage.read(subscription=subscription, at=self.at())
        return Response({ROOT: LifetimeUsageAnswer(found).data})

"""The shapes of what this app adds to invoices: billing periods and the thresholds that were passed. The values are put
together in `parts`; here they are described.
"""

from __future__ import annotations

from rest_framework import serializers

from billing.api import subscription_forms
from config.platform.api import representations, schema
from config.platform.api.serializers import Instant
from config.platform.api.thresholds import ThresholdAnswer


class BillingPeriodAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """What an invoice bills of a subscription: the fee and the usage have periods of their own."""

    lago_subscription_id = serializers.UUIDField(allow_null=True)
    external_subscription_id = serializers.CharField(allow_null=True)
    lago_plan_id = serializers.UUIDField()
    subscription_from_datetime = Instant()
    subscription_to_datetime = Instant()
    charges_from_datetime = Instant(allow_null=True)
    charges_to_datetime = Instant(allow_null=True)
    fixed_charges_from_datetime = Instant(allow_null=True)
    fixed_charges_to_datetime = Instant(allow_null=True)
    invoicing_reason = serializers.CharField()


class AppliedUsageThresholdAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A usage threshold that was passed, as it was then."""

    lifetime_usage_amount_cents = serializers.IntegerField()
    created_at = Instant()
    usage_threshold = ThresholdAnswer()


representations.register("billing.invoiced_subscription", subscription_forms.BareSubscription)
representations.register(
    "billing.previewed_subscription",
    schema.without(
        subscription_forms.BareSubscription,
        "SubscriptionAsPreviewed",
        "lago_id",
        "external_id",
        "lago_customer_id",
        "external_customer_id",
    ),
)
representations.register("billing.billing_period", BillingPeriodAnswer)
representations.register("billing.applied_usage_threshold", AppliedUsageThresholdAnswer)

"""How subscriptions look in the API, in and out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from billing.api.fixed_units_forms import PlanOverrides
from billing.models import Subscription
from billing.queries import contracts
from config.kernel import dates
from config.platform.api import representations
from config.platform.api.serializers import (
    Constant,
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Text,
    TextOrNull,
    Unsupported,
    instant_text,
)

_LAST_SECOND = timedelta(seconds=1)
_METHODS = tuple({"payment_method_type": kind} for kind in ("manual", "provider"))


class _Common(RequestSerializer):
    """What may come with a subscription at any time. What this version cannot bill is refused, never dropped."""

    name = Text()
    subscription_at = Instant(required=False, allow_null=True)
    ending_at = Instant(required=False, allow_null=True)
    on_termination_invoice = serializers.ChoiceField(choices=Subscription.OnTermination.values, required=False)
    on_termination_credit_note = serializers.ChoiceField(
        choices=Subscription.UnusedTime.values, required=False, allow_null=True, allow_blank=True
    )
    progressive_billing_disabled = Flag(allow_null=True)
    plan_overrides = Unsupported(neutral=({},))
    usage_thresholds = Unsupported(neutral=([],))
    activation_rules = Unsupported(neutral=([],))
    consolidate_invoice = Unsupported(neutral=(True, "true"))
    purchase_order_number = Unsupported(neutral=("",))
    invoice_custom_section = Unsupported(
        neutral=({}, {"skip_invoice_custom_sections": True}, {"skip_invoice_custom_sections": False})
    )
    payment_method = Unsupported(neutral=({}, *_METHODS))


class SubscriptionRequest(_Common):
    """A new subscription. ``backdated_billing`` is an addition: "bill" bills elapsed periods too, "skip" does not."""

    external_customer_id = Text(required=True)
    plan_code = Text(required=True)
    external_id = Text(required=True)
    billing_time = serializers.ChoiceField(choices=Subscription.BillingTime.values, required=False)
    backdated_billing = serializers.ChoiceField(choices=Subscription.BackdatedBilling.values, required=False)
    billing_entity_code = Text()
    plan_overrides = PlanOverrides(required=False, allow_null=True)
    billing_entity_id = Unsupported(neutral=("",))
    authorization = Unsupported(neutral=({},))


class SubscriptionChange(_Common):
    """What a subscription may be changed to. Plan, id and billing time stay."""


class BareSubscription(serializers.Serializer):  # type: ignore[type-arg]
    """A subscription by itself. Needs the clock as ``at`` in the context."""

    lago_id = serializers.UUIDField(source="uuid")
    external_id = serializers.CharField()
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    name = TextOrNull()
    plan_code = serializers.CharField(source="plan_version.plan.code")
    plan_amount_cents = MinorUnits(source="plan_version.amount")
    plan_amount_currency = serializers.CharField(source="plan_version.currency")
    status = serializers.CharField()
    billing_time = serializers.CharField()
    backdated_billing = serializers.CharField()
    subscription_at = Instant()
    started_at = Instant(milliseconds=True, allow_null=True)
    activated_at = Instant(source="started_at", allow_null=True)
    trial_ended_at = Instant(allow_null=True)
    ending_at = Instant(allow_null=True)
    terminated_at = Instant(allow_null=True)
    canceled_at = Instant(allow_null=True)
    created_at = Instant()
    previous_plan_code = serializers.SerializerMethodField()
    next_plan_code = serializers.SerializerMethodField()
    downgrade_plan_date = serializers.SerializerMethodField()
    current_billing_period_started_at = serializers.SerializerMethodField()
    current_billing_period_ending_at = serializers.SerializerMethodField()
    on_termination_credit_note = TextOrNull()
    on_termination_invoice = serializers.CharField()
    progressive_billing_disabled = Constant(value=False)
    consolidate_invoice = Constant(value=True)
    purchase_order_number = Constant(None)
    cancellation_reason = Constant(None)
    payment_method = serializers.SerializerMethodField()
    activation_rules = Constant([])

    def get_previous_plan_code(self, subscription: Subscription) -> str | None:
        """Return the plan that this one followed; null for the first."""
        return None if subscription.previous is None else subscription.previous.plan_version.plan.code

    def get_next_plan_code(self, subscription: Subscription) -> str | None:
        """Return the plan that follows, or has followed; null where there is none."""
        follower = subscription.follower
        return None if follower is None else follower.plan_version.plan.code

    def get_downgrade_plan_date(self, subscription: Subscription) -> str | None:
        """Return the local date on which a cheaper plan takes over; null unless one waits."""
        day = subscription.change_day
        return None if day is None else day.isoformat()

    def get_current_billing_period_started_at(self, subscription: Subscription) -> str | None:
        """Return when the running period started, not before the subscription did; null unless it is active."""
        period = self._period(subscription)
        return None if period is None else instant_text(period.start)

    def get_current_billing_period_ending_at(self, subscription: Subscription) -> str | None:
        """Return the last second of the running period; null unless the subscription is active."""
        period = self._period(subscription)
        return None if period is None else instant_text(period.end - _LAST_SECOND)

    def get_payment_method(self, subscription: Subscription) -> dict[str, str | None]:
        """Return how it is paid: by hand, as there is no provider."""
        return {"payment_method_id": None, "payment_method_type": "manual"}

    def _period(self, subscription: Subscription) -> dates.Period | None:
        at: datetime = self.context["at"]
        return contracts.running_period(subscription, at=at)


class SubscriptionAnswer(BareSubscription):
    """A subscription with its plan."""

    plan = representations.serializer("catalog.plan")(source="plan_version")
    entitlements = Constant([])
    usage_thresholds = Constant([])
    applicable_usage_thresholds = Constant([])
    applied_invoice_custom_sections = Constant([])


def bare(found: list[Subscription], *, at: datetime) -> list[dict[str, Any]]:
    """Return subscriptions by themselves, as invoices show them."""
    return [dict(row) for row in BareSubscription(found, many=True, context={"at": at}).data]


def full(found: list[Subscription], *, at: datetime) -> list[dict[str, Any]]:
    """Return subscriptions with their plans."""
    return [dict(row) for row in SubscriptionAnswer(found, many=True, context={"at": at}).data]

"""How subscriptions look in the API, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.api import activation_forms, entitlement_forms, section_forms
from billing.api.activation_forms import ActivationRuleRequest
from billing.api.chosen_time_forms import ChosenTimeField
from billing.api.own_terms_forms import PlanOverrides
from billing.models import Subscription
from billing.queries import contracts, entitlements, usage_thresholds
from config.kernel import dates
from config.platform.api import rendering, representations
from config.platform.api.sections import SectionsRequest
from config.platform.api.serializers import (
    Flag,
    Instant,
    MinorUnits,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
    Unsupported,
    instant_text,
)
from config.platform.api.thresholds import ApplicableThresholdAnswer, ThresholdAnswer, ThresholdRequest

_LAST_SECOND = timedelta(seconds=1)
_NO_ID: Mapping[str, None] = {"payment_method_id": None}
_METHODS = tuple({"payment_method_type": kind} | more for kind in ("manual", "provider") for more in ({}, _NO_ID))


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
    plan_overrides = PlanOverrides(required=False, allow_null=True)
    usage_thresholds = Rows(ThresholdRequest)
    activation_rules = Unsupported(neutral=([],))
    consolidate_invoice = Flag(allow_null=True)
    purchase_order_number = Text()
    invoice_custom_section = SectionsRequest(required=False, allow_null=True)
    billing_entity_code = Text()
    billing_entity_id = Text(help_text="Instead of the code.")
    payment_method = Unsupported(neutral=({}, *_METHODS))


class SubscriptionRequest(_Common):
    """A new subscription. ``backdated_billing`` is an addition: "bill" bills elapsed periods too, "skip" does not.

    So is ``change_at``: when a running subscription changes to another plan. Without it the prices decide.
    """

    external_customer_id = Text(required=True)
    plan_code = Text(required=True)
    external_id = Text(required=True)
    billing_time = serializers.ChoiceField(choices=Subscription.BillingTime.values, required=False)
    backdated_billing = serializers.ChoiceField(choices=Subscription.BackdatedBilling.values, required=False)
    change_at = ChosenTimeField(field="change_at")
    activation_rules = Rows(ActivationRuleRequest, max_length=10)
    authorization = Unsupported(neutral=({},))


class SubscriptionChange(_Common):
    """What a subscription may be changed to. Plan, id and billing time stay."""


class ChosenPaymentMethodAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """How something is paid."""

    payment_method_id = serializers.UUIDField(allow_null=True)
    payment_method_type = serializers.CharField()


class BareSubscription(serializers.Serializer):  # type: ignore[type-arg]
    """A subscription by itself. Needs the clock as ``at`` in the context."""

    lago_id = serializers.UUIDField(source="uuid")
    external_id = serializers.CharField()
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    billing_entity_code = serializers.CharField(source="seller.code")
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
    activated_at = serializers.SerializerMethodField()
    trial_ended_at = Instant(allow_null=True)
    ending_at = Instant(allow_null=True)
    terminated_at = Instant(allow_null=True)
    canceled_at = Instant(allow_null=True)
    paused_at = serializers.SerializerMethodField()
    pause_fee = serializers.SerializerMethodField()
    resume_on = serializers.SerializerMethodField()
    created_at = Instant()
    previous_plan_code = serializers.SerializerMethodField()
    next_plan_code = serializers.SerializerMethodField()
    downgrade_plan_date = serializers.SerializerMethodField()
    current_billing_period_started_at = serializers.SerializerMethodField()
    current_billing_period_ending_at = serializers.SerializerMethodField()
    on_termination_credit_note = TextOrNull()
    on_termination_invoice = serializers.CharField()
    progressive_billing_disabled = serializers.BooleanField()
    consolidate_invoice = serializers.BooleanField()
    purchase_order_number = TextOrNull()
    cancellation_reason = TextOrNull()
    payment_method = serializers.SerializerMethodField()
    activation_rules = serializers.SerializerMethodField()

    def get_paused_at(self, subscription: Subscription) -> str | None:
        """Return since when it is paused; null unless it is."""
        is_paused = subscription.status == Subscription.Status.PAUSED and subscription.paused_at is not None
        return instant_text(subscription.paused_at) if is_paused else None

    def get_pause_fee(self, subscription: Subscription) -> str | None:
        """Return what its pause does to the fee: prorated or whole; null unless it is paused."""
        return subscription.pause_fee if subscription.status == Subscription.Status.PAUSED else None

    def get_resume_on(self, subscription: Subscription) -> str | None:
        """Return the local date on which it resumes by itself; null unless that is agreed."""
        is_agreed = subscription.status == Subscription.Status.PAUSED and subscription.change_date is not None
        return subscription.change_date.isoformat() if is_agreed else None

    def get_activated_at(self, subscription: Subscription) -> str | None:
        """Return when it could be used: when its first payment came, or when it started; null until then."""
        return activation_forms.activated_at(subscription)

    @extend_schema_field(activation_forms.ActivationRuleAnswer(many=True))
    def get_activation_rules(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return the payment that it waits, or waited, for."""
        return activation_forms.shown(subscription)

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

    @extend_schema_field(ChosenPaymentMethodAnswer)
    def get_payment_method(self, subscription: Subscription) -> dict[str, str | None]:
        """Return how it is paid: by hand, as there is no provider."""
        return {"payment_method_id": None, "payment_method_type": "manual"}

    def _period(self, subscription: Subscription) -> dates.Period | None:
        at: datetime = self.context["at"]
        return contracts.running_period(subscription, at=at)


class SubscriptionAnswer(BareSubscription):
    """A subscription with its plan."""

    plan = representations.serializer("catalog.plan")(source="plan_version")
    entitlements = serializers.SerializerMethodField()
    usage_thresholds = serializers.SerializerMethodField()
    applicable_usage_thresholds = serializers.SerializerMethodField()
    applied_invoice_custom_sections = serializers.SerializerMethodField()

    @extend_schema_field(section_forms.ChosenSection(many=True))
    def get_applied_invoice_custom_sections(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return the custom sections that it has of its own."""
        return section_forms.shown(subscription, self.context["sections"])

    @extend_schema_field(ThresholdAnswer(many=True))
    def get_usage_thresholds(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return the thresholds that were agreed on for it itself."""
        return list(ThresholdAnswer(self.context["thresholds"].get(subscription.pk, ()), many=True).data)

    @extend_schema_field(ApplicableThresholdAnswer(many=True))
    def get_applicable_usage_thresholds(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return the thresholds that go for it: its own, else those of its plan."""
        own = self.context["thresholds"].get(subscription.pk)
        rows = own or subscription.plan_version.usage_thresholds.all()
        return list(ApplicableThresholdAnswer(rows, many=True).data)

    @extend_schema_field(entitlement_forms.SubscriptionEntitlementAnswer(many=True))
    def get_entitlements(self, subscription: Subscription) -> list[dict[str, Any]]:
        """Return what its customer may use."""
        return entitlement_forms.shown(self.context["entitlements"][subscription.pk])


def bare(found: list[Subscription], *, at: datetime) -> list[dict[str, Any]]:
    """Return subscriptions by themselves, as invoices show them."""
    return rendering.render(BareSubscription, found, context={"at": at})


def full(found: list[Subscription], *, at: datetime) -> list[dict[str, Any]]:
    """Return subscriptions with their plans and what they may use."""
    context = {"at": at, "entitlements": entitlements.of_subscriptions([one.pk for one in found])}
    context["sections"] = section_forms.of_subscriptions(found)
    context["thresholds"] = usage_thresholds.of_subscriptions(found)
    return rendering.render(SubscriptionAnswer, found, context=context)

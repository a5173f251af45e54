"""How plans look in the API, in and out. A plan is shown by one of its versions, mostly the current one.

A private version, with the own terms of one subscription, is shown as a plan with a parent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.api import feature_forms
from catalog.api.charge_forms import ChargeAnswer, ChargeRequest
from catalog.api.commitment_forms import MinimumCommitmentAnswer, MinimumCommitmentRequest
from catalog.api.fixed_charge_forms import FixedChargeAnswer, FixedChargeRequest
from catalog.api.tax_forms import TaxAnswer
from catalog.domain import intervals
from catalog.domain.intervals import Interval
from catalog.models import PlanVersion
from catalog.queries import features
from config.platform.api.serializers import (
    Constant,
    DecimalString,
    Flag,
    Instant,
    MinorUnits,
    Number,
    RequestSerializer,
    Rows,
    Text,
    TextOrNull,
)
from config.platform.api.thresholds import ApplicableThresholdAnswer, ThresholdAnswer, ThresholdRequest


class PlanRequest(RequestSerializer):
    """A plan as it comes in. What this version cannot bill is refused, never dropped."""

    name = Text(required=True)
    code = Text(required=True)
    invoice_display_name = Text()
    description = Text(max_length=10_000)
    interval = serializers.ChoiceField(choices=[str(interval) for interval in Interval])
    amount_cents = MinorUnits()
    amount_currency = Text(required=True, max_length=3)
    tax_codes = serializers.ListField(child=Text(required=True), required=False, allow_null=True, max_length=100)
    charges = Rows(ChargeRequest)
    pay_in_advance = Flag(allow_null=True)
    trial_period = DecimalString(required=False, allow_null=True)
    bill_charges_monthly = Flag(allow_null=True)
    bill_fixed_charges_monthly = Flag(allow_null=True)
    tax_inclusive = Flag(allow_null=True, help_text="An addition: prices are gross, with their taxes in them.")
    minimum_commitment = MinimumCommitmentRequest(required=False, allow_null=True)
    fixed_charges = Rows(FixedChargeRequest)
    usage_thresholds = Rows(ThresholdRequest)
    metadata = serializers.DictField(required=False, allow_null=True, help_text="Notes by key: 50 at most.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make null lists of charges, a null commitment and null notes absent, other nulls none."""
        for rows in ("charges", "fixed_charges", "minimum_commitment", "usage_thresholds", "metadata"):
            if rows in attrs and attrs[rows] is None:
                del attrs[rows]
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        for flag in ("pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly", "tax_inclusive"):
            if flag in attrs:
                attrs[flag] = bool(attrs[flag])
        if "trial_period" in attrs:
            attrs["trial_period"] = attrs["trial_period"] or Decimal(0)
        return attrs


class PlanSummaryAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A plan without what lists leave out. The counters are always 0, as clients know them."""

    lago_id = serializers.UUIDField(source="public_uuid")
    name = serializers.CharField()
    invoice_display_name = TextOrNull()
    created_at = Instant(source="plan.created_at")
    code = serializers.CharField(source="plan.code")
    interval = serializers.CharField()
    description = TextOrNull()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    trial_period = Number()
    pay_in_advance = serializers.BooleanField()
    bill_charges_monthly = serializers.SerializerMethodField()
    bill_fixed_charges_monthly = serializers.SerializerMethodField()
    tax_inclusive = serializers.BooleanField()
    customers_count = Constant(0)
    active_subscriptions_count = Constant(0)
    draft_invoices_count = Constant(0)
    parent_id = serializers.SerializerMethodField()
    pending_deletion = serializers.SerializerMethodField()
    charges = ChargeAnswer(many=True)
    entitlements = serializers.SerializerMethodField()
    usage_thresholds = ThresholdAnswer(many=True)
    applicable_usage_thresholds = ApplicableThresholdAnswer(source="usage_thresholds", many=True)
    taxes = TaxAnswer(many=True)
    minimum_commitment = MinimumCommitmentAnswer(source="commitment", required=False, help_text="Only if there is one.")
    metadata = serializers.DictField(
        source="plan.metadata",
        child=serializers.CharField(allow_null=True),
        required=False,
        help_text="Notes by key. Only if there are any.",
    )

    def to_representation(self, instance: PlanVersion) -> dict[str, Any]:
        """Leave the minimum commitment and the notes out where there are none."""
        shown: dict[str, Any] = super().to_representation(instance)
        return {
            name: value
            for name, value in shown.items()
            if not (name == "minimum_commitment" and value is None) and not (name == "metadata" and not value)
        }

    @extend_schema_field(feature_forms.PlanEntitlementAnswer(many=True))
    def get_entitlements(self, version: PlanVersion) -> list[dict[str, Any]]:
        """Return the features that the plan gives, whatever its version."""
        return feature_forms.of_plan(features.of_plan(version.plan))

    def get_pending_deletion(self, version: PlanVersion) -> bool:
        """Say whether the plan is to be retired, as soon as those who have it have ended."""
        return version.plan.deletion_asked_at is not None

    def get_parent_id(self, version: PlanVersion) -> str | None:
        """Return the plan that the prices of one subscription alone were made of; null for the plan itself."""
        return None if version.base_id is None else str(version.plan.uuid)

    def get_bill_charges_monthly(self, version: PlanVersion) -> bool | None:
        """Return whether usage is billed monthly; null for intervals without months inside."""
        return version.bill_charges_monthly if intervals.can_split_monthly(Interval(version.interval)) else None

    def get_bill_fixed_charges_monthly(self, version: PlanVersion) -> bool | None:
        """Return whether fixed charges are billed monthly; null for intervals without months inside."""
        return version.bill_fixed_charges_monthly if intervals.can_split_monthly(Interval(version.interval)) else None


class PlanAnswer(PlanSummaryAnswer):
    """A plan."""

    fixed_charges = FixedChargeAnswer(many=True)

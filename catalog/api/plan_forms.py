"""How plans look in the API, in and out. A plan is shown by one of its versions, mostly the current one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from catalog.api.charge_forms import ChargeAnswer, ChargeRequest
from catalog.api.fixed_charge_forms import FixedChargeAnswer, FixedChargeRequest
from catalog.api.tax_forms import TaxAnswer
from catalog.domain import intervals
from catalog.domain.intervals import Interval
from catalog.models import PlanVersion
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
    Unsupported,
)


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
    minimum_commitment = Unsupported(neutral=({},))
    fixed_charges = Rows(FixedChargeRequest)
    usage_thresholds = Unsupported(neutral=([],))
    metadata = Unsupported(neutral=({},))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make null lists of charges absent, as clients mean them, and other nulls none."""
        for rows in ("charges", "fixed_charges"):
            if rows in attrs and attrs[rows] is None:
                del attrs[rows]
        if "tax_codes" in attrs:
            attrs["tax_codes"] = attrs["tax_codes"] or []
        for flag in ("pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly"):
            if flag in attrs:
                attrs[flag] = bool(attrs[flag])
        if "trial_period" in attrs:
            attrs["trial_period"] = attrs["trial_period"] or Decimal(0)
        return attrs


class PlanSummaryAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A plan without what lists leave out. The counters are always 0, as clients know them."""

    lago_id = serializers.UUIDField(source="plan.uuid")
    name = serializers.CharField(source="plan.name")
    invoice_display_name = TextOrNull(source="plan.invoice_display_name")
    created_at = Instant(source="plan.created_at")
    code = serializers.CharField(source="plan.code")
    interval = serializers.CharField()
    description = TextOrNull(source="plan.description")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    trial_period = Number()
    pay_in_advance = serializers.BooleanField()
    bill_charges_monthly = serializers.SerializerMethodField()
    bill_fixed_charges_monthly = serializers.SerializerMethodField()
    customers_count = Constant(0)
    active_subscriptions_count = Constant(0)
    draft_invoices_count = Constant(0)
    parent_id = Constant(None)
    pending_deletion = Constant(value=False)
    charges = ChargeAnswer(many=True)
    entitlements = Constant([])
    usage_thresholds = Constant([])
    applicable_usage_thresholds = Constant([])
    taxes = TaxAnswer(many=True)

    def get_bill_charges_monthly(self, version: PlanVersion) -> bool | None:
        """Return whether usage is billed monthly; null for intervals without months inside."""
        return version.bill_charges_monthly if intervals.can_split_monthly(Interval(version.interval)) else None

    def get_bill_fixed_charges_monthly(self, version: PlanVersion) -> bool | None:
        """Return whether fixed charges are billed monthly; null for intervals without months inside."""
        return version.bill_fixed_charges_monthly if intervals.can_split_monthly(Interval(version.interval)) else None


class PlanAnswer(PlanSummaryAnswer):
    """A plan."""

    fixed_charges = FixedChargeAnswer(many=True)

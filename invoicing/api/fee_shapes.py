"""The shape of a fee, which is an invoice line to the API. What the line was rated from is added by the app above.

An app above registers the part "invoicing.line"; its keys complete or replace the fee's, and its ``item`` completes the
fee's item.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.kernel import money, registry
from config.platform.api import line_figures, rendering
from config.platform.api.serializers import (
    Constant,
    DecimalString,
    Instant,
    MinorUnits,
    Number,
    Rate,
    TextOrNull,
    decimal_text,
    instant_text,
)
from invoicing.models import Invoice, InvoiceLine, LineTax

_ITEM_TYPES = {
    InvoiceLine.Kind.CHARGE: "BillableMetric",
    InvoiceLine.Kind.FIXED_CHARGE: "AddOn",
    InvoiceLine.Kind.SUBSCRIPTION: "Subscription",
    InvoiceLine.Kind.COMMITMENT: "Subscription",
    InvoiceLine.Kind.CREDIT: "WalletTransaction",
    InvoiceLine.Kind.ADD_ON: "AddOn",
}
_LAST_SECOND = timedelta(seconds=1)


class FeeTax(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One tax on one fee."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_fee_id = serializers.UUIDField(source="line.uuid")
    lago_tax_id = serializers.UUIDField(source="tax.uuid")
    tax_rate = Rate(source="rate")
    tax_description = TextOrNull()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    created_at = Instant()

    class Meta:
        model = LineTax
        fields = (
            "lago_id",
            "lago_fee_id",
            "lago_tax_id",
            "tax_name",
            "tax_code",
            "tax_rate",
            "tax_description",
            "amount_cents",
            "amount_currency",
            "created_at",
        )


class FeeItem(serializers.Serializer):  # type: ignore[type-arg]
    """What was sold."""

    type = serializers.CharField(source="kind")
    code = serializers.CharField(source="item_code")
    name = serializers.CharField(source="item_name")
    description = TextOrNull()
    invoice_display_name = serializers.CharField(source="label")
    filters = Constant(None, filled=serializers.DictField(child=serializers.ListField(child=serializers.CharField())))
    filter_invoice_display_name = Constant(None, filled=serializers.CharField())
    lago_item_id = serializers.UUIDField(source="item_uuid", allow_null=True)
    item_type = serializers.SerializerMethodField()
    grouped_by = Constant({}, filled=serializers.DictField(child=serializers.CharField(allow_blank=True)))

    def get_item_type(self, line: InvoiceLine) -> str:
        """Name the kind of thing."""
        return _ITEM_TYPES[InvoiceLine.Kind(line.kind)]


class Fee(serializers.Serializer):  # type: ignore[type-arg]
    """A fee with its taxes."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_charge_id = Constant(None, filled=serializers.UUIDField())
    lago_charge_filter_id = Constant(None, filled=serializers.UUIDField())
    lago_fixed_charge_id = Constant(None, filled=serializers.UUIDField())
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid", allow_null=True, default=None)
    lago_true_up_fee_id = Constant(None, filled=serializers.UUIDField())
    lago_true_up_parent_fee_id = Constant(None, filled=serializers.UUIDField())
    lago_original_fee_id = Constant(None, filled=serializers.UUIDField())
    lago_subscription_id = Constant(None, filled=serializers.UUIDField())
    external_subscription_id = TextOrNull(source="group_key")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    item = FeeItem(source="*")
    pay_in_advance = Constant(value=False, filled=serializers.BooleanField())
    invoiceable = Constant(value=True, filled=serializers.BooleanField())
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    precise_amount = Number()
    precise_total_amount = serializers.SerializerMethodField()
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    taxes_precise_amount = Number(source="precise_taxes_amount")
    taxes_rate = Rate()
    total_aggregated_units = serializers.SerializerMethodField()
    total_amount_cents = serializers.SerializerMethodField()
    total_amount_currency = serializers.CharField(source="currency")
    units = DecimalString()
    description = TextOrNull()
    precise_unit_amount = DecimalString(source="unit_amount")
    precise_coupons_amount_cents = serializers.SerializerMethodField()
    sub_total_excluding_taxes_amount_cents = serializers.SerializerMethodField()
    sub_total_excluding_taxes_precise_amount_cents = serializers.SerializerMethodField()
    events_count = serializers.IntegerField(allow_null=True)
    payment_status = serializers.SerializerMethodField()
    created_at = Instant()
    succeeded_at = serializers.SerializerMethodField()
    failed_at = Instant(allow_null=True)
    refunded_at = Instant(allow_null=True)
    amount_details = serializers.DictField()
    self_billed = Constant(value=False)
    pricing_unit_details = serializers.SerializerMethodField()
    presentation_breakdowns = serializers.SerializerMethodField()
    from_date = Instant(source="from_at")
    to_date = serializers.SerializerMethodField()
    event_transaction_id = serializers.CharField(allow_null=True)
    applied_taxes = FeeTax(many=True)

    def get_total_aggregated_units(self, line: InvoiceLine) -> str:
        """Return the level that was counted: the units, unless those are an average over time."""
        return decimal_text(Decimal(line.units if line.total_units is None else line.total_units))

    @extend_schema_field(line_figures.PricingUnitDetails(allow_null=True))
    def get_pricing_unit_details(self, line: InvoiceLine) -> dict[str, Any] | None:
        """Return the price in the seller's own unit."""
        return line_figures.pricing_unit(line.pricing_unit)

    @extend_schema_field(line_figures.PresentationBreakdown(many=True))
    def get_presentation_breakdowns(self, line: InvoiceLine) -> list[dict[str, Any]]:
        """Return the units by properties that only inform."""
        return line_figures.breakdowns(line.breakdowns)

    def get_precise_coupons_amount_cents(self, line: InvoiceLine) -> str:
        """Return what is taken off before taxes: what was billed progressively before, and the share of coupons."""
        return decimal_text(_minor(line.amount.amount - line.lowered_amount.amount, line))

    def get_sub_total_excluding_taxes_amount_cents(self, line: InvoiceLine) -> int:
        """Return what is taxed, rounded."""
        return money.to_minor(money.rounded(line.lowered_amount))

    def get_precise_total_amount(self, line: InvoiceLine) -> float:
        """Return the gross amount in major units before rounding."""
        return Number().to_representation(line.precise_amount + line.precise_taxes_amount)

    def get_total_amount_cents(self, line: InvoiceLine) -> int:
        """Return the gross amount."""
        return money.to_minor(line.amount + line.taxes_amount)

    def get_sub_total_excluding_taxes_precise_amount_cents(self, line: InvoiceLine) -> str:
        """Return what is taxed of the amount before rounding, in minor units."""
        taken_off = line.amount.amount - line.lowered_amount.amount
        return decimal_text(_minor(Decimal(line.precise_amount) - taken_off, line))

    def get_payment_status(self, line: InvoiceLine) -> str:
        """Return how the fee was paid: the invoice says so, unless the fee has a status of its own."""
        if line.payment_status or line.invoice is None:
            return line.payment_status or Invoice.PaymentStatus.PENDING.value
        return line.invoice.payment_status

    def get_succeeded_at(self, line: InvoiceLine) -> str | None:
        """Return when the fee was paid, or its invoice."""
        paid_at = line.succeeded_at
        if not line.payment_status and line.invoice is not None:
            paid_at = line.invoice.paid_at
        return instant_text(paid_at) if paid_at else None

    def get_to_date(self, line: InvoiceLine) -> str:
        """Return the last second of the service period."""
        return instant_text(max(line.from_at, line.to_at - _LAST_SECOND))


def fees(lines: Sequence[InvoiceLine]) -> list[dict[str, Any]]:
    """Return the shapes of fees, completed by the apps above, with a fixed number of queries."""
    extra = registry.parts("invoicing.line", lines)
    return [
        _completed(content, extra[line.pk]) for line, content in zip(lines, rendering.render(Fee, lines), strict=True)
    ]


def _minor(amount: Decimal, line: InvoiceLine) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount.scaleb(money.exponent(line.currency))


def _completed(content: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {**content, **extra, "item": {**content["item"], **extra.get("item", {})}}

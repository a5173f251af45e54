"""The shapes of credit notes, and of the estimate of one.

The customer inside has the shape that the customers' own app registered.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import money
from config.platform.api import rendering, representations
from config.platform.api.public import PublicSite
from config.platform.api.serializers import Constant, Instant, MinorUnits, Rate, TextOrNull, decimal_text
from invoicing.api import fee_shapes, files
from invoicing.models import CreditNote, CreditNoteItem, CreditNoteTax, Document
from invoicing.services.credit_notes import Estimate


class CreditNoteTaxShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One tax of a credit note."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_credit_note_id = serializers.UUIDField(source="credit_note.uuid")
    lago_tax_id = serializers.UUIDField(source="tax.uuid")
    tax_rate = Rate(source="rate")
    tax_description = TextOrNull()
    base_amount_cents = MinorUnits(source="base_amount")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    created_at = Instant()

    class Meta:
        model = CreditNoteTax
        fields = (
            "lago_id",
            "lago_credit_note_id",
            "lago_tax_id",
            "tax_name",
            "tax_code",
            "tax_rate",
            "tax_description",
            "base_amount_cents",
            "amount_cents",
            "amount_currency",
            "created_at",
        )


class CreditNoteItemShape(serializers.Serializer):  # type: ignore[type-arg]
    """What is given back of one fee."""

    lago_id = serializers.UUIDField(source="uuid")
    amount_cents = MinorUnits(source="amount")
    precise_amount_cents = serializers.SerializerMethodField()
    amount_currency = serializers.CharField(source="currency")
    fee = fee_shapes.Fee(source="line")

    def get_precise_amount_cents(self, item: CreditNoteItem) -> str:
        """Return the amount in minor units before rounding."""
        return _precise(item.precise_amount, item.currency)


class BareCreditNote(serializers.Serializer):  # type: ignore[type-arg]
    """A credit note by itself. Amounts are integers in minor units of ``currency``."""

    lago_id = serializers.UUIDField(source="uuid")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    sequential_id = serializers.IntegerField()
    number = serializers.CharField()
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    invoice_number = serializers.CharField(source="invoice.number")
    purchase_order_number = TextOrNull(source="invoice.purchase_order_number")
    issuing_date = serializers.DateField()
    credit_status = TextOrNull()
    refund_status = TextOrNull()
    reason = serializers.CharField()
    description = TextOrNull()
    currency = serializers.CharField()
    total_amount_cents = MinorUnits(source="total_amount")
    precise_total_amount_cents = serializers.SerializerMethodField()
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    precise_taxes_amount_cents = serializers.SerializerMethodField()
    sub_total_excluding_taxes_amount_cents = MinorUnits(source="sub_total_amount")
    balance_amount_cents = MinorUnits(source="balance_amount")
    credit_amount_cents = MinorUnits(source="credit_amount")
    refund_amount_cents = MinorUnits(source="refund_amount")
    offset_amount_cents = MinorUnits(source="offset_amount")
    coupons_adjustment_amount_cents = MinorUnits(source="coupons_adjustment_amount")
    taxes_rate = Rate()
    created_at = Instant()
    updated_at = Instant()
    file_url = serializers.SerializerMethodField()
    xml_url = Constant(None)
    self_billed = Constant(value=False)
    applied_taxes = CreditNoteTaxShape(many=True)
    error_details = Constant([])
    metadata = serializers.DictField()

    def get_precise_total_amount_cents(self, note: CreditNote) -> str:
        """Return the gross amount in minor units before rounding."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            items = sum((item.precise_amount for item in note.items.all()), Decimal(0))
            net = items - note.precise_coupons_adjustment_amount
            return _precise(net + note.precise_taxes_amount, note.currency)

    def get_file_url(self, note: CreditNote) -> str | None:
        """Return a link to the document that works for a day, or None until it is made."""
        found: list[Document] = getattr(note, "pdfs", [])
        return files.link(self.context["request"], found[0]) if found else None

    def get_precise_taxes_amount_cents(self, note: CreditNote) -> str:
        """Return the tax in minor units before rounding."""
        return _precise(note.precise_taxes_amount, note.currency)


class CreditNoteShape(BareCreditNote):
    """A credit note with its customer and items."""

    customer = representations.serializer("customers.customer")()
    items = CreditNoteItemShape(many=True)


class CreditNoteMetadataAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """The notes of a credit note by key."""

    metadata = serializers.DictField(child=serializers.CharField(), allow_null=True)


class EstimatedItem(serializers.Serializer):  # type: ignore[type-arg]
    """One item of an estimate."""

    lago_fee_id = serializers.UUIDField()
    amount_cents = serializers.IntegerField()


class EstimatedTax(serializers.Serializer):  # type: ignore[type-arg]
    """One tax of an estimate."""

    lago_tax_id = serializers.UUIDField(allow_null=True)
    tax_name = serializers.CharField()
    tax_code = serializers.CharField()
    tax_rate = serializers.FloatField()
    tax_description = serializers.CharField(allow_null=True)
    base_amount_cents = serializers.IntegerField()
    amount_cents = serializers.IntegerField()
    amount_currency = serializers.CharField()


class EstimatedCreditNote(serializers.Serializer):  # type: ignore[type-arg]
    """What a credit note would come to, and the most that it may give back each way."""

    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    invoice_number = serializers.CharField(source="invoice.number")
    currency = serializers.CharField(source="invoice.currency")
    taxes_amount_cents = MinorUnits(source="credited.amount.tax")
    precise_taxes_amount_cents = serializers.SerializerMethodField()
    sub_total_excluding_taxes_amount_cents = MinorUnits(source="credited.amount.net")
    max_creditable_amount_cents = MinorUnits(source="limits.creditable")
    max_refundable_amount_cents = MinorUnits(source="limits.refundable")
    max_offsettable_amount_cents = MinorUnits(source="limits.offsettable")
    coupons_adjustment_amount_cents = MinorUnits(source="credited.coupons")
    precise_coupons_adjustment_amount_cents = serializers.SerializerMethodField()
    taxes_rate = Rate(source="credited.taxes_rate")
    items = serializers.SerializerMethodField()
    applied_taxes = serializers.SerializerMethodField()

    def get_precise_taxes_amount_cents(self, found: Estimate) -> str:
        """Return the tax in minor units before rounding."""
        return _precise(found.credited.precise_taxes, found.invoice.currency)

    def get_precise_coupons_adjustment_amount_cents(self, found: Estimate) -> str:
        """Return the share of the coupons in minor units before rounding."""
        return _precise(found.credited.precise_coupons, found.invoice.currency)

    def get_items(self, found: Estimate) -> list[dict[str, Any]]:
        """Return the items."""
        fees = dict(found.invoice.lines.values_list("pk", "uuid"))
        return [
            {"lago_fee_id": str(fees[item.line_id]), "amount_cents": money.to_minor(item.amount)}
            for item in found.credited.items
        ]

    def get_applied_taxes(self, found: Estimate) -> list[dict[str, Any]]:
        """Return the taxes."""
        taxes = dict(found.invoice.applied_taxes.values_list("tax_id", "tax__uuid"))
        return [
            {
                "lago_tax_id": str(taxes[group.tax.id]) if group.tax.id in taxes else None,
                "tax_name": group.tax.name,
                "tax_code": group.tax.code,
                "tax_rate": Rate().to_representation(group.tax.rate),
                "tax_description": group.tax.description or None,
                "base_amount_cents": money.to_minor(group.base),
                "amount_cents": money.to_minor(group.amount),
                "amount_currency": found.invoice.currency,
            }
            for group in found.credited.groups
        ]


def listed(notes: Sequence[CreditNote], request: Request | PublicSite) -> list[dict[str, Any]]:
    """Return credit notes with everything, with a fixed number of queries."""
    content = rendering.render(BareCreditNote, notes, context={"request": request})
    customers = {note.customer_id: note.customer for note in notes}
    shown = dict(zip(customers, representations.represent("customers.customer", list(customers.values())), strict=True))
    lines = [item.line for note in notes for item in note.items.all()]
    fees = {line.pk: fee for line, fee in zip(lines, fee_shapes.fees(lines), strict=True)}
    return [
        {**row, "customer": shown[note.customer_id], "items": [_item(item, fees) for item in note.items.all()]}
        for note, row in zip(notes, content, strict=True)
    ]


def _item(item: CreditNoteItem, fees: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "lago_id": str(item.uuid),
        "amount_cents": money.to_minor(item.amount),
        "precise_amount_cents": _precise(item.precise_amount, item.currency),
        "amount_currency": item.currency,
        "fee": fees[item.line_id],
    }


def _precise(amount: Decimal, currency: str) -> str:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return decimal_text(Decimal(amount).scaleb(money.exponent(currency)))

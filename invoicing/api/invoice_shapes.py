"""The shapes of invoices: bare, in lists, and with everything. What lies above is added by the apps above.

An app above registers the part "invoicing.invoice" for subscriptions and billing periods. The customer inside an
invoice has the shape that the customers' own app registered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import money, registry
from config.platform.api import rendering, representations
from config.platform.api.public import PublicSite
from config.platform.api.serializers import Constant, Instant, MinorUnits, Rate, TextOrNull
from customers.models import Customer
from invoicing.api import fee_shapes, files, section_shapes
from invoicing.api.coupon_shapes import CouponCredit, CreditedInvoice
from invoicing.domain import numbering
from invoicing.models import Invoice, InvoiceMetadata, InvoiceTax
from invoicing.queries import receivables

VERSION = 4
"""The version of the calculation that clients know."""

Addresses = Request | PublicSite
"""What makes absolute addresses: the request, or the installation where nobody asked."""


class InvoiceTaxShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """One tax of an invoice."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    lago_tax_id = serializers.UUIDField(source="tax.uuid")
    tax_rate = Rate(source="rate")
    tax_description = TextOrNull()
    fees_amount_cents = MinorUnits(source="base_amount")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    created_at = Instant()

    class Meta:
        model = InvoiceTax
        fields = (
            "lago_id",
            "lago_invoice_id",
            "lago_tax_id",
            "tax_name",
            "tax_code",
            "tax_rate",
            "tax_description",
            "fees_amount_cents",
            "amount_cents",
            "amount_currency",
            "created_at",
        )


class MetadataShape(serializers.ModelSerializer):  # type: ignore[type-arg]
    """A note on an invoice."""

    lago_id = serializers.UUIDField(source="uuid")
    created_at = Instant()

    class Meta:
        model = InvoiceMetadata
        fields = ("lago_id", "key", "value", "created_at")


class ProgressiveCreditItem(serializers.Serializer):  # type: ignore[type-arg]
    """The invoice that billed a part of another one before."""

    lago_item_id = serializers.UUIDField(source="uuid")
    type = Constant("invoice")
    code = serializers.CharField(source="number", allow_null=True)
    name = serializers.CharField(source="number", allow_null=True)
    description = Constant(None)


class CreditItem(serializers.Serializer):  # type: ignore[type-arg]
    """The credit note that a credit comes from."""

    lago_item_id = serializers.UUIDField(source="uuid")
    type = Constant("credit_note")
    code = serializers.CharField(source="number")
    name = serializers.CharField(source="invoice.number")
    description = TextOrNull()


class CreditShape(serializers.Serializer):  # type: ignore[type-arg]
    """A credit that lowered the total of an invoice, after taxes."""

    lago_id = serializers.UUIDField(source="uuid")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    before_taxes = Constant(value=False)
    item = CreditItem(source="credit_note")
    invoice = CreditedInvoice()


class ProgressiveCreditShape(serializers.Serializer):  # type: ignore[type-arg]
    """What lowered an invoice before taxes, because it was billed progressively before."""

    lago_id = serializers.UUIDField(source="uuid")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    before_taxes = Constant(value=True)
    item = ProgressiveCreditItem(source="source")
    invoice = CreditedInvoice()


@extend_schema_field(
    PolymorphicProxySerializer(
        component_name="InvoiceCredit",
        serializers=[ProgressiveCreditShape, CouponCredit, CreditShape],
        resource_type_field_name=None,
    )
)
class AnyCredit(serializers.Field):  # type: ignore[type-arg]
    """One of what lowers an invoice."""


class BareInvoice(serializers.Serializer):  # type: ignore[type-arg]
    """An invoice by itself. Amounts are integers in minor units of ``currency``."""

    lago_id = serializers.UUIDField(source="uuid")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    sequential_id = serializers.IntegerField(allow_null=True)
    number = serializers.SerializerMethodField()
    purchase_order_number = TextOrNull()
    issuing_date = serializers.DateField()
    payment_due_date = serializers.DateField()
    net_payment_term = serializers.IntegerField()
    invoice_type = serializers.CharField(source="kind")
    status = serializers.CharField()
    payment_status = serializers.CharField()
    payment_dispute_lost_at = Instant(allow_null=True)
    disputed_amount_cents = MinorUnits(source="disputed_amount")
    written_off_amount_cents = MinorUnits(source="written_off_amount")
    voided_invoice_id = serializers.UUIDField(source="regenerated_from.uuid", allow_null=True, default=None)
    payment_overdue = serializers.BooleanField()
    currency = serializers.CharField()
    fees_amount_cents = MinorUnits(source="fees_amount")
    taxes_amount_cents = MinorUnits(source="taxes_amount")
    progressive_billing_credit_amount_cents = MinorUnits(source="progressive_billing_credit_amount")
    coupons_amount_cents = MinorUnits(source="coupons_amount")
    credit_notes_amount_cents = MinorUnits(source="credit_notes_amount")
    sub_total_excluding_taxes_amount_cents = MinorUnits(source="net_amount")
    sub_total_including_taxes_amount_cents = serializers.SerializerMethodField()
    total_amount_cents = MinorUnits(source="total_amount")
    total_due_amount_cents = serializers.SerializerMethodField()
    total_paid_amount_cents = MinorUnits(source="paid_amount")
    total_offsetted_credit_note_amount_cents = MinorUnits(source="offset_amount")
    prepaid_credit_amount_cents = MinorUnits(source="prepaid_credit_amount")
    prepaid_granted_credit_amount_cents = serializers.SerializerMethodField()
    prepaid_purchased_credit_amount_cents = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()
    xml_url = Constant(None)
    web_url = serializers.SerializerMethodField()
    version_number = Constant(VERSION)
    self_billed = Constant(value=False)
    created_at = Instant()
    updated_at = Instant()
    voided_at = Instant(allow_null=True)

    def get_sub_total_including_taxes_amount_cents(self, invoice: Invoice) -> int:
        """Return net and tax, before credits."""
        return money.to_minor(invoice.gross_amount)

    def get_number(self, invoice: Invoice) -> str:
        """Return the number, or what stands for it on a draft."""
        return invoice.number or numbering.draft(invoice.billing_entity.document_number_prefix)

    def get_total_due_amount_cents(self, invoice: Invoice) -> int:
        """Return what is still to be paid: nothing of what was voided."""
        return money.to_minor(receivables.remaining(invoice))

    def get_prepaid_granted_credit_amount_cents(self, invoice: Invoice) -> int | None:
        """Return what of the prepaid credit was given; null where none was used."""
        return _prepaid(invoice)[0]

    def get_prepaid_purchased_credit_amount_cents(self, invoice: Invoice) -> int | None:
        """Return what of the prepaid credit was paid for; null where none was used."""
        return _prepaid(invoice)[1]

    def get_file_url(self, invoice: Invoice) -> str | None:
        """Return a link to the PDF that works for a day, or null while there is none."""
        return next((files.link(self.context["request"], document) for document in invoice.pdfs), None)

    def get_web_url(self, invoice: Invoice) -> str:
        """Return the page on which staff see the invoice."""
        page = f"{reverse('admin:index')}invoicing/invoice/{invoice.pk}/change/"
        return str(self.context["request"].build_absolute_uri(page))


class InvoiceSummary(BareInvoice):
    """An invoice with its notes and taxes."""

    metadata = MetadataShape(many=True)
    applied_taxes = InvoiceTaxShape(many=True)


class InvoiceDetails(InvoiceSummary):
    """An invoice with all that this app knows by itself; the lists are for apps above to fill."""

    subscriptions = Constant([], filled="billing.invoiced_subscription")
    billing_periods = Constant([], filled="billing.billing_period")
    credits = serializers.SerializerMethodField()
    error_details = serializers.ListField(child=serializers.DictField())
    applied_usage_thresholds = Constant([], filled="billing.applied_usage_threshold")
    applied_invoice_custom_sections = serializers.SerializerMethodField()

    @extend_schema_field(section_shapes.AppliedSection(many=True))
    def get_applied_invoice_custom_sections(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Return the custom sections as the document says them."""
        known: dict[int, list[dict[str, Any]]] | None = self.context.get("sections")
        return section_shapes.applied(invoice) if known is None else known[invoice.pk]

    @extend_schema_field(serializers.ListField(child=AnyCredit()))
    def get_credits(self, invoice: Invoice) -> list[dict[str, Any]]:
        """Return what lowered the invoice: what was billed progressively, coupons, then credit notes."""
        progressive = [row for row in invoice.progressive_credits.all() if row.amount]
        return [
            *rendering.render(ProgressiveCreditShape, progressive),
            *rendering.render(CouponCredit, invoice.coupons.all()),
            *rendering.render(CreditShape, invoice.credits.all()),
        ]


class ListedInvoice(InvoiceSummary):
    """An invoice in a list."""

    customer = representations.serializer("customers.customer")()


class FullInvoice(InvoiceDetails):
    """An invoice with everything."""

    customer = representations.serializer("customers.customer")()
    fees = fee_shapes.Fee(many=True)


def bare(invoice: Invoice, request: Addresses) -> dict[str, Any]:
    """Return an invoice by itself."""
    return dict(BareInvoice(invoice, context={"request": request}).data)


def listed(invoices: Sequence[Invoice], request: Addresses) -> list[dict[str, Any]]:
    """Return invoices as in a list, with a fixed number of queries."""
    content = rendering.render(InvoiceSummary, invoices, context={"request": request})
    customers = _customers(invoices)
    return [{**row, "customer": customers[invoice.customer_id]} for invoice, row in zip(invoices, content, strict=True)]


def full(invoice: Invoice, request: Addresses) -> dict[str, Any]:
    """Return an invoice with everything, completed by the apps above."""
    return everything([invoice], request)[0]


def everything(invoices: Sequence[Invoice], request: Addresses) -> list[dict[str, Any]]:
    """Return invoices with everything, completed by the apps above, with a fixed number of queries."""
    customers, lines = _customers(invoices), fees(invoices)
    extra = registry.parts("invoicing.invoice", invoices)
    context = {"request": request, "sections": section_shapes.applied_many(invoices)}
    content = rendering.render(InvoiceDetails, invoices, context=context)
    return [
        {**row, "customer": customers[invoice.customer_id], "fees": lines[invoice.pk], **extra[invoice.pk]}
        for invoice, row in zip(invoices, content, strict=True)
    ]


def fees(invoices: Sequence[Invoice]) -> dict[int, list[dict[str, Any]]]:
    """Return the fees of invoices by invoice, with a fixed number of queries."""
    lines = []
    for invoice in invoices:
        for line in invoice.lines.all():
            line.invoice, line.customer = invoice, invoice.customer
            lines.append(line)
    found: dict[int, list[dict[str, Any]]] = {invoice.pk: [] for invoice in invoices}
    for line, fee in zip(lines, fee_shapes.fees(lines), strict=True):
        found[line.invoice_id].append(fee)
    return found


def _customers(invoices: Sequence[Invoice]) -> dict[int, dict[str, Any]]:
    rows: dict[int, Customer] = {invoice.customer_id: invoice.customer for invoice in invoices}
    shown = representations.represent("customers.customer", list(rows.values()))
    return dict(zip(rows, shown, strict=True))


def _prepaid(invoice: Invoice) -> tuple[int | None, int | None]:
    """Return what given and what bought credit paid. The query brings along the transactions that drew."""
    if not invoice.prepaid_credit_amount:
        return None, None
    granted = sum((row.amount - row.purchased_amount for row in invoice.wallet_draws), money.zero(invoice.currency))
    return money.to_minor(granted), money.to_minor(invoice.prepaid_credit_amount - granted)

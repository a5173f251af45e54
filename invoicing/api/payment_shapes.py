"""The shapes of payments and of their receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from moneyed import Money
from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import money
from config.platform.api import rendering
from config.platform.api.public import SITE, PublicSite
from config.platform.api.serializers import Constant, Instant, MinorUnits
from invoicing.api import files
from invoicing.models import Invoice, Payment, PaymentReceipt

_IDS = serializers.ListField(child=serializers.UUIDField())
_NUMBERS = serializers.ListField(child=serializers.CharField())


class BareReceipt(serializers.Serializer):  # type: ignore[type-arg]
    """A receipt by itself. ``file_url`` works for a day, and is null until the document was made."""

    lago_id = serializers.UUIDField(source="uuid")
    number = serializers.CharField()
    file_url = serializers.SerializerMethodField()
    xml_url = Constant(None)
    created_at = Instant()

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_file_url(self, receipt: PaymentReceipt) -> str | None:
        """Return a link to the document that works for a day, or null until it is made."""
        site: Request | PublicSite = self.context.get("request", SITE)
        return next((files.link(site, document) for document in receipt.pdfs), None)  # type: ignore[attr-defined]


class BarePayment(serializers.Serializer):  # type: ignore[type-arg]
    """Money received. ``reference`` is a text in every case: clients rely on it."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    invoice_ids = serializers.SerializerMethodField()
    invoice_numbers = serializers.SerializerMethodField()
    lago_payable_id = serializers.SerializerMethodField()
    payable_type = serializers.SerializerMethodField()
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    held_amount_cents = serializers.SerializerMethodField()
    status = serializers.CharField()
    payment_status = serializers.CharField(source="status")
    type = serializers.CharField(source="kind")
    reference = serializers.CharField()
    payment_provider_code = Constant(None)
    payment_provider_type = Constant(None)
    external_payment_id = Constant(None)
    provider_payment_id = Constant(None)
    provider_customer_id = Constant(None)
    next_action = Constant({})
    paid_at = Instant()
    created_at = Instant()

    @extend_schema_field(_IDS)
    def get_invoice_ids(self, payment: Payment) -> list[str]:
        """Return the ids of the invoices that it pays."""
        return [str(invoice.uuid) for invoice in _invoices(payment)]

    @extend_schema_field(_NUMBERS)
    def get_invoice_numbers(self, payment: Payment) -> list[str]:
        """Return the numbers of the invoices that it pays."""
        return [invoice.number or "" for invoice in _invoices(payment)]

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_lago_payable_id(self, payment: Payment) -> str | None:
        """Return the id of the payment request that it answers, else of the first invoice that it pays."""
        if payment.payment_request is not None:
            return str(payment.payment_request.uuid)
        return next((str(invoice.uuid) for invoice in _invoices(payment)), None)

    @extend_schema_field(serializers.ChoiceField(choices=["Invoice", "PaymentRequest"]))
    def get_payable_type(self, payment: Payment) -> str:
        """Say what was paid: an invoice, or several that were asked for together."""
        return "Invoice" if payment.payment_request is None else "PaymentRequest"

    @extend_schema_field(serializers.IntegerField(min_value=0))
    def get_held_amount_cents(self, payment: Payment) -> int:
        """Return what of it is held for the customer, since an invoice that it paid was voided. An addition."""
        return money.to_minor(Money(payment.held_amount, payment.currency))  # type: ignore[attr-defined]


class PaymentShape(BarePayment):
    """Money received, with its receipt."""

    payment_receipt = serializers.SerializerMethodField()

    @extend_schema_field(BareReceipt(allow_null=True))
    def get_payment_receipt(self, payment: Payment) -> dict[str, Any] | None:
        """Return its receipt; null for one that was recorded before there were receipts."""
        receipt: PaymentReceipt | None = getattr(payment, "receipt", None)
        return None if receipt is None else dict(BareReceipt(receipt, context=self.context).data)


class ReceiptShape(BareReceipt):
    """A receipt with the payment that it is for."""

    payment = BarePayment()


def payments(rows: Sequence[Payment], site: Request | PublicSite = SITE) -> list[dict[str, Any]]:
    """Return the shapes of payments; the rows bring along what `queries.payments.search` does."""
    return rendering.render(PaymentShape, rows, context={"request": site})


def receipts(rows: Sequence[PaymentReceipt], site: Request | PublicSite = SITE) -> list[dict[str, Any]]:
    """Return the shapes of receipts; the rows bring along what `queries.payment_receipts.search` does."""
    return rendering.render(ReceiptShape, rows, context={"request": site})


def _invoices(payment: Payment) -> list[Invoice]:
    return [allocation.invoice for allocation in payment.allocations.all()]

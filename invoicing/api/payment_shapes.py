"""The shape of a payment."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from config.platform.api.serializers import Constant, Instant, MinorUnits
from invoicing.models import Invoice, Payment


class PaymentShape(serializers.Serializer):  # type: ignore[type-arg]
    """Money received. ``reference`` is a text in every case: clients rely on it."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_customer_id = serializers.UUIDField(source="customer.uuid")
    external_customer_id = serializers.CharField(source="customer.external_id")
    invoice_ids = serializers.SerializerMethodField()
    invoice_numbers = serializers.SerializerMethodField()
    lago_payable_id = serializers.SerializerMethodField()
    payable_type = Constant("Invoice")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
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

    def get_invoice_ids(self, payment: Payment) -> list[str]:
        """Return the ids of the invoices that it pays."""
        return [str(invoice.uuid) for invoice in _invoices(payment)]

    def get_invoice_numbers(self, payment: Payment) -> list[str]:
        """Return the numbers of the invoices that it pays."""
        return [invoice.number or "" for invoice in _invoices(payment)]

    def get_lago_payable_id(self, payment: Payment) -> str | None:
        """Return the id of the first invoice that it pays."""
        return next((str(invoice.uuid) for invoice in _invoices(payment)), None)


def payments(rows: list[Payment]) -> list[dict[str, Any]]:
    """Return the shapes of payments; the rows bring customer and allocations along."""
    return [dict(content) for content in PaymentShape(rows, many=True).data]


def _invoices(payment: Payment) -> list[Invoice]:
    return [allocation.invoice for allocation in payment.allocations.all()]

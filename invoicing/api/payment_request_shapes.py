"""The shape of a payment request, and what one may hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from config.kernel import money
from config.platform.api import rendering, representations
from config.platform.api.public import SITE, PublicSite
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text
from invoicing.api import invoice_shapes
from invoicing.models import PaymentRequest
from invoicing.queries import receivables


class PaymentRequestInput(RequestSerializer):
    """Overdue invoices of a customer that are asked for together, and where the e-mail goes."""

    external_customer_id = Text(required=True)
    email = Text(max_length=1000)
    lago_invoice_ids = serializers.ListField(child=Text(required=True), allow_empty=False, max_length=1000)


class BarePaymentRequest(serializers.Serializer):  # type: ignore[type-arg]
    """A payment request by itself. ``amount_cents`` is what was asked for, in minor units, and stays."""

    lago_id = serializers.UUIDField(source="uuid")
    billing_entity_code = serializers.CharField(source="billing_entity.code")
    amount_cents = MinorUnits(source="amount")
    amount_currency = serializers.CharField(source="currency")
    total_due_amount_cents = serializers.SerializerMethodField()
    email = serializers.CharField()
    payment_status = serializers.CharField()
    created_at = Instant()

    def get_total_due_amount_cents(self, asked: PaymentRequest) -> int:
        """Return what of its invoices is still due, in minor units. An addition."""
        due = (receivables.owed(part.invoice) for part in asked.parts.all())
        return money.to_minor(sum(due, money.zero(asked.currency)))


class PaymentRequestShape(BarePaymentRequest):
    """A payment request with its customer and invoices, the longest due first."""

    customer = representations.serializer("customers.customer")()
    invoices = invoice_shapes.BareInvoice(many=True)


def listed(rows: Sequence[PaymentRequest], site: Request | PublicSite = SITE) -> list[dict[str, Any]]:
    """Return payment requests with a fixed number of queries; the rows bring along what the query does."""
    context = {"request": site}
    customers = {row.customer_id: row.customer for row in rows}
    shown = dict(zip(customers, representations.represent("customers.customer", list(customers.values())), strict=True))
    invoices = [part.invoice for row in rows for part in row.parts.all()]
    told = iter(rendering.render(invoice_shapes.BareInvoice, invoices, context=context))
    return [
        {**content, "customer": shown[row.customer_id], "invoices": [next(told) for _ in row.parts.all()]}
        for row, content in zip(rows, rendering.render(BarePaymentRequest, rows, context=context), strict=True)
    ]

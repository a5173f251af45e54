"""Held money below ``/api/v1/payments``: what voided invoices left of payments, used for other invoices or paid back.
An addition to the reference.
"""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import money
from config.platform.api import params, schema
from config.platform.api.serializers import MinorUnits, RequestSerializer, Text
from config.platform.api.views import ApiView
from invoicing.api import payment_shapes
from invoicing.models import Payment
from invoicing.queries import held_payments as known
from invoicing.queries import invoices as known_invoices
from invoicing.queries import payments as known_payments
from invoicing.services import held_payments


class AllocationRequest(RequestSerializer):
    """The invoice that held money is to pay, and how much of it."""

    invoice_id = serializers.CharField(max_length=255)
    amount_cents = MinorUnits()


class HeldRefundRequest(RequestSerializer):
    """Held money that was paid back."""

    amount_cents = MinorUnits()
    reference = Text(max_length=255)


class AllocateHeld(ApiView):
    """The verb allocate."""

    resource = "payment"

    @extend_schema(
        operation_id="allocateHeldPayment",
        request=schema.body("allocation", AllocationRequest),
        responses=schema.answer("payment", payment_shapes.PaymentShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Let held money of a payment pay another invoice of the customer."""
        content = self.body(request, "allocation", AllocationRequest)
        payment = known.find(params.uuid(lago_id))
        invoice = known_invoices.find(params.uuid(content["invoice_id"]))
        held_payments.allocate(
            payment_id=payment.pk,
            invoice_id=invoice.pk,
            amount=money.from_minor(content["amount_cents"], payment.currency),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown(payment)


class RefundHeld(ApiView):
    """The verb refund."""

    resource = "payment"

    @extend_schema(
        operation_id="refundHeldPayment",
        request=schema.body("refund", HeldRefundRequest),
        responses=schema.answer("payment", payment_shapes.PaymentShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Record that held money of a payment was paid back."""
        content = self.body(request, "refund", HeldRefundRequest)
        payment = known.find(params.uuid(lago_id))
        held_payments.refund(
            payment_id=payment.pk,
            amount=money.from_minor(content["amount_cents"], payment.currency),
            reference=content.get("reference", ""),
            actor=self.actor(request),
            at=self.at(),
        )
        return _shown(payment)


def _shown(payment: Payment) -> Response:
    return Response({"payment": payment_shapes.payments([known_payments.find(payment.uuid)])[0]})

"""Payments below ``/api/v1/payments``: record, list, one."""

from __future__ import annotations

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors, money
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.api import payment_shapes
from invoicing.models import Payment
from invoicing.queries import invoices as known_invoices
from invoicing.queries import payment_requests as known_requests
from invoicing.queries import payments as known_payments
from invoicing.services import payment_requests, payments

_REQUEST = "payment_request_id"
_LIST_PARAMETERS = schema.filters("invoice_id", "external_customer_id")


class ReceivedRequest(RequestSerializer):
    """Money received; ``paid_at`` is now unless given."""

    amount_cents = MinorUnits()
    reference = Text()
    paid_at = Instant(required=False, allow_null=True)


class PaymentRequest(ReceivedRequest):
    """Money received for an invoice."""

    invoice_id = serializers.CharField(max_length=255)


class RequestedPayment(ReceivedRequest):
    """Money received for all invoices of a payment request, the longest due first. An addition."""

    payment_request_id = serializers.CharField(max_length=255)


def page(request: Request, *, customer_id: int | None = None) -> Response:
    """Answer a page of payments, narrowed by the request's filters."""
    rows = known_payments.search(
        customer_id=customer_id,
        external_customer_id=None if customer_id else params.text(request, "external_customer_id"),
        invoice_uuid=params.uuid(params.text(request, "invoice_id") or ""),
    )
    if params.text(request, "invoice_id") and params.uuid(params.text(request, "invoice_id") or "") is None:
        rows = rows.none()
    return paginated(request, rows, "payments", lambda found: payment_shapes.payments(found, request))


class Payments(ApiView):
    """All payments."""

    resource = "payment"

    @extend_schema(
        operation_id="findAllPayments",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("payments", payment_shapes.PaymentShape),
    )
    def get(self, request: Request) -> Response:
        """List payments, newest first."""
        return page(request)

    @extend_schema(
        operation_id="createPayment",
        request=schema.body("payment", PaymentRequest),
        responses=schema.answer("payment", payment_shapes.PaymentShape),
    )
    def post(self, request: Request) -> Response:
        """Record a payment, in full or in part, of an issued invoice, or of a payment request."""
        at = self.at()
        if self.root(request, "payment").get(_REQUEST):
            return self._requested(request, at)
        content = self.body(request, "payment", PaymentRequest)
        invoice = known_invoices.find(params.uuid(content["invoice_id"]))
        payment = payments.record(
            invoice_id=invoice.pk,
            amount=money.from_minor(content["amount_cents"], invoice.currency),
            reference=content.get("reference", ""),
            paid_at=content.get("paid_at") or at,
            actor=self.actor(request),
            at=at,
        )
        return _shown(request, payment)

    def _requested(self, request: Request, at: datetime) -> Response:
        """Record a payment of all invoices of a payment request; an invoice beside it is refused."""
        if self.root(request, "payment").get("invoice_id"):
            raise errors.Invalid(
                "validation_errors",
                "A payment is of an invoice or of a payment request.",
                {"invoice_id": ["value_must_be_blank"]},
            )
        content = self.body(request, "payment", RequestedPayment)
        asked = known_requests.find(params.uuid(content[_REQUEST]))
        payment = payment_requests.receive(
            payment_request_id=asked.pk,
            amount=money.from_minor(content["amount_cents"], asked.currency),
            reference=content.get("reference", ""),
            paid_at=content.get("paid_at") or at,
            actor=self.actor(request),
            at=at,
        )
        return _shown(request, payment)


class CustomerPayments(ApiView):
    """The payments of one customer."""

    resource = "payment"

    @extend_schema(
        operation_id="findAllCustomerPayments",
        parameters=schema.filters("invoice_id"),
        responses=schema.page("payments", payment_shapes.PaymentShape),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's payments, newest first."""
        return page(request, customer_id=customers.by_external_id(external_id=external_id).pk)


class OnePayment(ApiView):
    """One payment."""

    resource = "payment"

    @extend_schema(operation_id="findPayment", responses=schema.answer("payment", payment_shapes.PaymentShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a payment."""
        return _shown(request, known_payments.find(params.uuid(lago_id)))


def _shown(request: Request, payment: Payment) -> Response:
    return Response({"payment": payment_shapes.payments([known_payments.find(payment.uuid)], request)[0]})

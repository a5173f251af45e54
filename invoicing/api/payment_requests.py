"""Payment requests below ``/api/v1/payment_requests``: ask, list, one."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.api import payment_request_shapes as shapes
from invoicing.models import PaymentRequest
from invoicing.queries import invoices as known_invoices
from invoicing.queries import payment_requests as known
from invoicing.services import payment_requests

_PAGE = schema.page("payment_requests", shapes.PaymentRequestShape)
_ONE = schema.answer("payment_request", shapes.PaymentRequestShape)


def page(request: Request, *, customer_id: int | None = None) -> Response:
    """Answer a page of payment requests, narrowed by the request's filters."""
    rows = known.search(
        customer_id=customer_id,
        external_customer_id=None if customer_id else params.text(request, "external_customer_id"),
        payment_statuses=params.texts(request, "payment_status", allowed=PaymentRequest.PaymentStatus.values),
        currency=params.text(request, "currency"),
    )
    return paginated(request, rows, "payment_requests", lambda found: shapes.listed(found, request))


class PaymentRequests(ApiView):
    """All payment requests."""

    resource = "payment_request"

    @extend_schema(
        operation_id="findAllPaymentRequests",
        parameters=schema.filters("external_customer_id", "payment_status", "currency"),
        responses=_PAGE,
    )
    def get(self, request: Request) -> Response:
        """List payment requests, newest first."""
        return page(request)

    @extend_schema(
        operation_id="createPaymentRequest",
        request=schema.body("payment_request", shapes.PaymentRequestInput),
        responses=_ONE,
    )
    def post(self, request: Request) -> Response:
        """Ask a customer for overdue invoices of one seller and currency together, by e-mail."""
        content = self.body(request, "payment_request", shapes.PaymentRequestInput)
        ids = [params.uuid(text) for text in content["lago_invoice_ids"]]
        known_ids = [public_id for public_id in ids if public_id is not None]
        customers.by_external_id(external_id=content["external_customer_id"])
        if len(known_ids) < len(ids):
            raise known_invoices.InvoiceNotFound("invoice_not_found", "The customer has no such invoice.")
        asked = payment_requests.create(
            external_customer_id=content["external_customer_id"],
            invoice_uuids=known_ids,
            email=content.get("email", ""),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({"payment_request": shapes.listed([known.find(asked.uuid)], request)[0]})


class OnePaymentRequest(ApiView):
    """One payment request."""

    resource = "payment_request"

    @extend_schema(operation_id="findPaymentRequest", responses=_ONE)
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a payment request with its invoices."""
        return Response({"payment_request": shapes.listed([known.find(params.uuid(lago_id))], request)[0]})


class CustomerPaymentRequests(ApiView):
    """The payment requests of one customer."""

    resource = "payment_request"

    @extend_schema(
        operation_id="findAllCustomerPaymentRequests",
        parameters=schema.filters("payment_status", "currency"),
        responses=_PAGE,
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's payment requests, newest first."""
        return page(request, customer_id=customers.by_external_id(external_id=external_id).pk)

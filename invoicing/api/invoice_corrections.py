"""Correcting issued invoices below ``/api/v1/invoices/:lago_id``: void, regenerate, disputes, and what is refused
because nobody collects payments here.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors, money
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.serializers import Instant, MinorUnits, RequestSerializer, Text, TextOrNull
from config.platform.api.views import ApiView
from invoicing.api import invoice_shapes, void_requests
from invoicing.api.invoices import InvoiceView
from invoicing.domain import disputes as dispute_rules
from invoicing.models import InvoiceDispute
from invoicing.queries import disputes as known_disputes
from invoicing.services import disputes, regenerating, voiding


class DisputeRequest(RequestSerializer):
    """A dispute: of all that is due, unless of an amount, gross, or of a fee."""

    reason = Text(required=True, max_length=1000)
    amount_cents = MinorUnits(required=False, allow_null=True)
    lago_fee_id = Text()


class OutcomeRequest(RequestSerializer):
    """How a dispute ended."""

    outcome = serializers.ChoiceField(choices=dispute_rules.OUTCOMES)
    resolution = Text(max_length=1000)


class DisputeShape(serializers.Serializer):  # type: ignore[type-arg]
    """A dispute. ``open_amount_cents`` is what of it is disputed still."""

    lago_id = serializers.UUIDField(source="uuid")
    lago_invoice_id = serializers.UUIDField(source="invoice.uuid")
    lago_fee_id = serializers.UUIDField(source="line.uuid", allow_null=True, default=None)
    status = serializers.CharField()
    amount_cents = MinorUnits(source="amount")
    open_amount_cents = MinorUnits(source="open_amount")
    amount_currency = serializers.CharField(source="currency")
    reason = serializers.CharField()
    resolution = TextOrNull()
    opened_at = Instant()
    resolved_at = Instant(allow_null=True)


class VoidInvoice(InvoiceView):
    """The verb void."""

    @extend_schema(
        operation_id="voidInvoice",
        request=void_requests.VoidRequest,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Void an issued invoice: what it took is given back, what was paid is held for the customer."""
        invoice = self.invoice(lago_id)
        content = self.checked(_bare(request), void_requests.VoidRequest)
        voiding.void(
            invoice_id=invoice.pk,
            reason=content.get("reason", ""),
            credit_note=void_requests.parts(content, invoice),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(request, invoice.pk)


class RegenerateInvoice(InvoiceView):
    """The verb regenerate."""

    @extend_schema(
        operation_id="regenerateInvoice",
        request=void_requests.RegenerateRequest,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Issue an invoice in the place of a voided one, with its fees, or some of them changed. An addition."""
        voided = self.invoice(lago_id)
        content = self.checked(_bare(request), void_requests.RegenerateRequest)
        issued = regenerating.regenerate(
            invoice_id=voided.pk,
            edits=void_requests.edits(content, voided),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(request, issued.pk)


@extend_schema_view(put=extend_schema(operation_id="loseDisputeByPut"))
class LoseDispute(InvoiceView):
    """The verb lose dispute."""

    @extend_schema(
        operation_id="loseDisputeInvoice",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Mark the payment dispute of an issued invoice as lost: it is not overdue any more."""
        invoice = self.invoice(lago_id)
        disputes.lose(invoice_id=invoice.pk, actor=self.actor(request), at=self.at())
        return self.shown(request, invoice.pk)

    @extend_schema(request=None, responses=schema.answer("invoice", invoice_shapes.FullInvoice))
    def put(self, request: Request, lago_id: str) -> Response:
        """Do the same: some clients put it."""
        return self.post(request, lago_id)


class Disputes(InvoiceView):
    """The disputes of an invoice."""

    @extend_schema(operation_id="findDisputes", responses=schema.page("disputes", DisputeShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """List the disputes of an invoice, newest first. An addition."""
        rows = known_disputes.of_invoice(self.invoice(lago_id)).select_related("invoice")
        return paginated(request, rows, "disputes", lambda found: [_dispute(row) for row in found])

    @extend_schema(
        operation_id="createDispute",
        request=schema.body("dispute", DisputeRequest),
        responses=schema.answer("dispute", DisputeShape),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Open a dispute of an issued invoice, of a fee or of an amount: that much is not overdue or dunned."""
        content = self.body(request, "dispute", DisputeRequest)
        invoice = self.invoice(lago_id)
        cents = content.get("amount_cents")
        found = disputes.open_dispute(
            invoice_id=invoice.pk,
            reason=content["reason"],
            amount=None if cents is None else money.from_minor(cents, invoice.currency),
            line_id=void_requests.line_of(content.get("lago_fee_id"), invoice),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({"dispute": _dispute(known_disputes.find(found.uuid))})


class OneDispute(ApiView):
    """One dispute."""

    resource = "invoice"

    @extend_schema(operation_id="findDispute", responses=schema.answer("dispute", DisputeShape))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a dispute. An addition."""
        return Response({"dispute": _dispute(known_disputes.find(params.uuid(lago_id)))})

    @extend_schema(
        operation_id="resolveDispute",
        request=schema.body("dispute", OutcomeRequest),
        responses=schema.answer("dispute", DisputeShape),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """End a dispute: won and withdrawn ones are owed again, lost ones stay disputed."""
        content = self.body(request, "dispute", OutcomeRequest)
        found = known_disputes.find(params.uuid(lago_id))
        disputes.resolve(
            dispute_id=found.pk,
            outcome=content["outcome"],
            resolution=content.get("resolution", ""),
            actor=self.actor(request),
            at=self.at(),
        )
        return Response({"dispute": _dispute(known_disputes.find(found.uuid))})


class RetryPayment(InvoiceView):
    """The verb retry payment."""

    @extend_schema(operation_id="retryPayment", request=None, responses=schema.answer("error", OutcomeRequest))
    def post(self, request: Request, lago_id: str) -> Response:
        """Refuse: payments are recorded here, not collected."""
        self.invoice(lago_id)
        raise errors.NotAllowed(
            "invoices_not_ready_for_payment_processing", "Payments are recorded here, not collected: record one."
        )


class PaymentUrl(InvoiceView):
    """The verb payment url."""

    @extend_schema(operation_id="invoicePaymentUrl", request=None, responses=schema.answer("error", OutcomeRequest))
    def post(self, request: Request, lago_id: str) -> Response:
        """Refuse: no payment provider is linked."""
        self.invoice(lago_id)
        code = "no_linked_payment_provider"
        raise errors.Invalid("validation_errors", "No payment provider is linked.", {"base": [code]})


def _bare(request: Request) -> dict[str, Any]:
    """Read a body without a root key, or with that of an invoice. An empty form, which some clients send for nothing,
    is nothing.

    Raises BadRequest for anything else: money does not follow from what was not understood.
    """
    if (request.content_type or "").startswith("multipart/"):
        if b"name=" in request.body:
            raise errors.BadRequest("bad_request", "Send a JSON object.")
        return {}
    data = request.data
    content = data.get("invoice", data) if isinstance(data, dict) else {} if data is None else data
    if not isinstance(content, dict):
        raise errors.BadRequest("bad_request", "The body is no object.")
    return dict(content)


def _dispute(row: InvoiceDispute) -> dict[str, Any]:
    return dict(DisputeShape(row).data)

"""Credit notes below ``/api/v1/credit_notes``: list, one, create, estimate, refund status and metadata."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.api import credit_note_requests, credit_note_shapes
from invoicing.models import CreditNote
from invoicing.queries import credit_notes as known
from invoicing.queries import invoices as known_invoices
from invoicing.services import credit_notes

_LIST_PARAMETERS = schema.filters(*credit_note_requests.FILTERS, many=credit_note_requests.LIST_FILTERS)
_ANSWER = schema.answer("credit_note", credit_note_shapes.CreditNoteShape)


class CreditNoteView(ApiView):
    """Shared by the views of one credit note."""

    resource = "credit_note"

    def shown(self, request: Request, pk: int) -> Response:
        """Answer with a credit note and everything on it."""
        note = known.with_everything(CreditNote.objects.filter(pk=pk)).get()
        return Response({"credit_note": credit_note_shapes.listed([note], request)[0]})


def page(request: Request, *, customer_id: int | None = None) -> Response:
    """Answer a page of credit notes, narrowed by the request's filters."""
    wanted = credit_note_requests.credit_note_filter(request, customer_id=customer_id)
    rows = known.with_everything(known.search(wanted))
    if params.flag(request, "self_billed"):
        rows = rows.none()
    return paginated(request, rows, "credit_notes", lambda found: credit_note_shapes.listed(found, request))


class CreditNotes(CreditNoteView):
    """All credit notes."""

    @extend_schema(
        operation_id="findAllCreditNotes",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("credit_notes", credit_note_shapes.CreditNoteShape),
    )
    def get(self, request: Request) -> Response:
        """List credit notes, newest first."""
        return page(request)

    @extend_schema(
        operation_id="createCreditNote",
        request=schema.body("credit_note", credit_note_requests.CreditNoteRequest),
        responses=_ANSWER,
    )
    def post(self, request: Request) -> Response:
        """Give back part of an issued invoice: as credit, as a refund, or off what is due."""
        content = self.body(request, "credit_note", credit_note_requests.CreditNoteRequest)
        invoice = known_invoices.find(params.uuid(content["invoice_id"]))
        note = credit_notes.create(
            invoice_id=invoice.pk,
            amounts=credit_note_requests.amounts(content["items"], invoice),
            credit=credit_note_requests.part(content, "credit", invoice.currency),
            refund=credit_note_requests.part(content, "refund", invoice.currency),
            offset=credit_note_requests.part(content, "offset", invoice.currency),
            reason=content.get("reason") or CreditNote.Reason.OTHER,
            description=content.get("description", ""),
            metadata=content.get("metadata"),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(request, note.pk)


class CustomerCreditNotes(ApiView):
    """The credit notes of one customer."""

    resource = "credit_note"

    @extend_schema(
        operation_id="findAllCustomerCreditNotes",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("credit_notes", credit_note_shapes.CreditNoteShape),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's credit notes, newest first."""
        return page(request, customer_id=customers.by_external_id(external_id=external_id).pk)


class EstimateCreditNote(ApiView):
    """The estimate of a credit note."""

    resource = "credit_note"
    reads = ("post",)

    @extend_schema(
        operation_id="estimateCreditNote",
        request=schema.body("credit_note", credit_note_requests.CreditNoteEstimate),
        responses=schema.answer("estimated_credit_note", credit_note_shapes.EstimatedCreditNote),
    )
    def post(self, request: Request) -> Response:
        """Say what a credit note would come to, and the most that it may give back each way. Writes nothing."""
        content = self.body(request, "credit_note", credit_note_requests.CreditNoteEstimate)
        invoice = known_invoices.find(params.uuid(content["invoice_id"]))
        found = credit_notes.estimate(
            invoice_id=invoice.pk, amounts=credit_note_requests.amounts(content["items"], invoice)
        )
        return Response({"estimated_credit_note": credit_note_shapes.EstimatedCreditNote(found).data})


class OneCreditNote(CreditNoteView):
    """One credit note."""

    @extend_schema(operation_id="findCreditNote", responses=_ANSWER)
    def get(self, request: Request, lago_id: str) -> Response:
        """Return a credit note."""
        return self.shown(request, known.find(params.uuid(lago_id)).pk)

    @extend_schema(
        operation_id="updateCreditNote",
        request=schema.body("credit_note", credit_note_requests.CreditNoteUpdate),
        responses=_ANSWER,
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Tell what became of the refund, and merge notes into the metadata."""
        self.root(request, "credit_note")
        note = known.find(params.uuid(lago_id))
        content = self.body(request, "credit_note", credit_note_requests.CreditNoteUpdate)
        credit_notes.update(
            credit_note_id=note.pk,
            refund_status=content.get("refund_status"),
            metadata=content.get("metadata"),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(request, note.pk)

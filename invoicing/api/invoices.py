"""Invoices below ``/api/v1/invoices``: list, one, notes and payment status, finalize, void, delete, download."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.kernel import errors
from config.platform.api import params, schema
from config.platform.api.pagination import paginated
from config.platform.api.views import ApiView
from customers.queries import customers
from invoicing.api import invoice_requests, invoice_shapes, one_off_requests
from invoicing.domain import states
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import dispatch, invoices, one_off_invoices
from invoicing.services.metadata import Note

_LIST_PARAMETERS = schema.filters(*invoice_requests.FILTERS, many=invoice_requests.LIST_FILTERS)


class InvoiceView(ApiView):
    """Shared by the views of one invoice: finding it by its public id, and showing all of it."""

    resource = "invoice"

    def invoice(self, lago_id: str) -> Invoice:
        """Return the invoice of a path. Raises NotFound."""
        return known_invoices.find(params.uuid(lago_id))

    def shown(self, request: Request, pk: int) -> Response:
        """Answer with an invoice and everything on it."""
        rows = known_invoices.with_everything(Invoice.objects.filter(pk=pk))
        return Response({"invoice": invoice_shapes.full(rows.get(), request)})


def page(request: Request, *, customer_id: int | None = None) -> Response:
    """Answer a page of invoices, narrowed by the request's filters."""
    wanted = invoice_requests.invoice_filter(request, customer_id=customer_id)
    rows = known_invoices.with_summary(known_invoices.search(wanted))
    if invoice_requests.names_nothing(request):
        rows = rows.none()
    return paginated(request, rows, "invoices", lambda found: invoice_shapes.listed(found, request))


class Invoices(InvoiceView):
    """All invoices."""

    @extend_schema(
        operation_id="findAllInvoices",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("invoices", invoice_shapes.ListedInvoice),
    )
    def get(self, request: Request) -> Response:
        """List invoices, newest issuing date first."""
        return page(request)

    @extend_schema(
        operation_id="createInvoice",
        request=schema.body("invoice", one_off_requests.OneOffRequest),
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def post(self, request: Request) -> Response:
        """Make a one-off invoice of add-ons, issued at once."""
        wanted = one_off_requests.wanted(self.body(request, "invoice", one_off_requests.OneOffRequest))
        invoice = one_off_invoices.create(wanted=wanted, actor=self.actor(request), at=self.at())
        return self.shown(request, invoice.pk)


class CustomerInvoices(ApiView):
    """The invoices of one customer."""

    resource = "invoice"

    @extend_schema(
        operation_id="findAllCustomerInvoices",
        parameters=_LIST_PARAMETERS,
        responses=schema.page("invoices", invoice_shapes.ListedInvoice),
    )
    def get(self, request: Request, external_id: str) -> Response:
        """List a customer's invoices, newest issuing date first."""
        return page(request, customer_id=customers.by_external_id(external_id=external_id).pk)


class OneInvoice(InvoiceView):
    """One invoice."""

    @extend_schema(operation_id="findInvoice", responses=schema.answer("invoice", invoice_shapes.FullInvoice))
    def get(self, request: Request, lago_id: str) -> Response:
        """Return an invoice with everything on it."""
        return self.shown(request, self.invoice(lago_id).pk)

    @extend_schema(
        operation_id="updateInvoice",
        request=schema.body("invoice", invoice_requests.InvoiceUpdate),
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Set notes and payment status of an issued invoice."""
        self.root(request, "invoice")
        invoice = self.invoice(lago_id)
        content = self.body(request, "invoice", invoice_requests.InvoiceUpdate)
        invoices.update(
            invoice_id=invoice.pk,
            payment_status=content.get("payment_status"),
            notes=_notes(content.get("metadata")),
            actor=self.actor(request),
            at=self.at(),
        )
        return self.shown(request, invoice.pk)

    @extend_schema(operation_id="deleteInvoice", responses=schema.answer("invoice", invoice_shapes.FullInvoice))
    def delete(self, request: Request, lago_id: str) -> Response:
        """Delete a draft: it is voided, and what it billed may be billed anew."""
        invoice = self.invoice(lago_id)
        try:
            invoices.void_draft(
                invoice_id=invoice.pk, reason="deleted by an API client", actor=self.actor(request), at=self.at()
            )
        except states.InvalidTransition as error:
            raise errors.NotAllowed("not_deletable", error.message) from error
        return self.shown(request, invoice.pk)


class FinalizeInvoice(InvoiceView):
    """The verb finalize."""

    @extend_schema(
        operation_id="finalizeInvoice",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Issue a draft now."""
        invoice = self.invoice(lago_id)
        invoices.finalize(invoice_id=invoice.pk, actor=self.actor(request), at=self.at())
        return self.shown(request, invoice.pk)


class RefreshInvoice(InvoiceView):
    """The verb refresh."""

    @extend_schema(
        operation_id="refreshInvoice",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.FullInvoice),
    )
    def put(self, request: Request, lago_id: str) -> Response:
        """Compute a draft anew from the events, prices and taxes of now. What is issued stays as it is."""
        invoice = self.invoice(lago_id)
        invoices.refresh(invoice_id=invoice.pk, actor=self.actor(request), at=self.at())
        return self.shown(request, invoice.pk)


class DownloadInvoice(InvoiceView):
    """The verb download."""

    reads = ("post",)

    @extend_schema(
        operation_id="downloadInvoice",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.BareInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Return the invoice with its ``file_url``, or nothing while the file is being made: ask again then."""
        invoice = self.invoice(lago_id)
        if not dispatch.is_rendered(invoice_id=invoice.pk):
            return Response(status=200)
        rows = known_invoices.with_summary(Invoice.objects.filter(pk=invoice.pk))
        return Response({"invoice": invoice_shapes.bare(rows.get(), request)})


@extend_schema_view(post=extend_schema(operation_id="downloadInvoicePdf"))
class DownloadInvoicePdf(DownloadInvoice):
    """The verb download by its longer name."""


class DownloadInvoiceXml(InvoiceView):
    """The verb download of the electronic invoice."""

    @extend_schema(
        operation_id="downloadInvoiceXml",
        request=None,
        responses=schema.answer("invoice", invoice_shapes.BareInvoice),
    )
    def post(self, request: Request, lago_id: str) -> Response:
        """Refuse: no electronic invoices are made."""
        self.invoice(lago_id)
        raise errors.Forbidden("feature_unavailable", "No electronic invoices are made.")


def _notes(content: list[dict[str, Any]] | None) -> list[Note] | None:
    if content is None:
        return None
    return [Note(key=note["key"], value=note["value"], uuid=note.get("id")) for note in content]

"""Invoices in the admin: a list for finance, the page of an invoice, its document, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from config.platform.admin import cells, pages, theme, verbs
from config.platform.admin.blocks import Page
from config.platform.admin.bulk import BulkVerb
from customers.queries import searching
from invoicing.admin import invoice_page, shown
from invoicing.admin.credit_note_verbs import Credit
from invoicing.admin.dispute_verbs import EndDispute, LoseDispute, OpenDispute
from invoicing.admin.filters import AmountFilter, CurrencyFilter, DueDayFilter, DueFilter
from invoicing.admin.invoice_verbs import Finalize, RecordPayment, Refresh, Send, SendMany, VoidDraft
from invoicing.admin.one_off_verbs import NewInvoice
from invoicing.admin.payment_request_verbs import AskForPayment, Remind
from invoicing.admin.tax_engines import RetryTaxes
from invoicing.admin.void_verbs import Regenerate, VoidIssued, VoidMany
from invoicing.admin.write_off_verbs import UndoWriteOff, WriteOffDue, WriteOffMany
from invoicing.models import Document, Invoice
from invoicing.queries import receivables
from invoicing.services import document_annexes, documents


@pages.register(Invoice)
class InvoiceAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Invoices."""

    list_display = (
        "document", "customer_named", "status_shown", "payment_shown", "issued", "due_on", "gross_amount",
        "open_amount",
    )  # fmt: skip
    list_filter = (
        ("status", theme.ChoicesDropdownFilter),
        ("payment_status", theme.ChoicesDropdownFilter),
        DueFilter,
        ("customer", theme.AutocompleteSelectFilter),
        ("billing_entity", theme.RelatedDropdownFilter),
        CurrencyFilter,
        ("issuing_date", theme.RangeDateFilter),
        ("payment_due_date", DueDayFilter),
        ("total_amount", AmountFilter),
    )
    list_select_related = ("customer", "billing_entity")
    search_fields = ("number",)
    search_starts = ("number", "purchase_order_number")
    search_ends = ("number",)
    search_help_text = "Number, purchase order or customer"
    ordering = ("-issuing_date", "-created_at", "-id")
    list_verbs = (NewInvoice(),)
    verbs = (
        Finalize(), RecordPayment(), Send(), AskForPayment(), Credit(), Refresh(), VoidDraft(),
        OpenDispute(), EndDispute(), LoseDispute(), WriteOffDue(), UndoWriteOff(),
        VoidIssued(), Regenerate(), RetryTaxes(),
    )  # fmt: skip
    prominent = ("finalize", "pay", "send", "credit", "refresh", "regenerate")
    bulk_verbs = (
        BulkVerb(Finalize(), "Finalize drafts"),
        BulkVerb(SendMany(), "Send by e-mail"),
        BulkVerb(Remind(), "Ask for payment"),
        BulkVerb(WriteOffMany(), "Write off"),
        BulkVerb(VoidMany(), "Void"),
    )
    panels = "invoicing.invoice"
    empty_text = "Billing runs make invoices when a subscription's period is over."

    @theme.display(description="Invoice", ordering="number")
    def document(self, invoice: Invoice) -> str:
        """The number, or that it is a draft."""
        return cells.nowrap(invoice)

    @theme.display(description="Customer")
    def customer_named(self, invoice: Invoice) -> str:
        """Who is billed, and by whom."""
        return cells.stack(invoice.customer.display_name, invoice.billing_entity.name)

    @theme.display(description="Status", ordering="status")
    def status_shown(self, invoice: Invoice) -> str:
        """The state of the document."""
        return shown.status(invoice)

    @theme.display(description="Payment", ordering="payment_status")
    def payment_shown(self, invoice: Invoice) -> str:
        """The state of its payment."""
        return shown.payment(invoice)

    @theme.display(description="Issued", ordering="issuing_date")
    def issued(self, invoice: Invoice) -> str:
        """The date of the document."""
        return shown.issued(invoice)

    @theme.display(description="Due", ordering="payment_due_date")
    def due_on(self, invoice: Invoice) -> str:
        """When it has to be paid."""
        return shown.due(invoice)

    @theme.display(description="Total", ordering="total_amount")
    def gross_amount(self, invoice: Invoice) -> str:
        """The gross total."""
        return cells.money(invoice.total_amount)

    @theme.display(description="Open")
    def open_amount(self, invoice: Invoice) -> str:
        """What is still to be paid."""
        return cells.money(receivables.owed(invoice))

    def page(self, request: HttpRequest, instance: Invoice) -> Page:
        """The invoice with everything that belongs to it."""
        return invoice_page.page(
            instance, pdf_url=self.url("pdf", instance.pk), history_url=self.url("history", instance.pk)
        )

    def links(self, request: HttpRequest, instance: Invoice) -> Sequence[dict[str, Any]]:
        """The document as a file."""
        found = [verbs.link("Download PDF", f"{self.url('pdf', instance.pk)}?download=1", "download")]
        if documents.annex(invoice_id=instance.pk) is not None:
            found.append(verbs.link("Download annex", self.url("annex", instance.pk), "table_view"))
        return tuple(found)

    def further_views(self) -> Sequence[tuple[str, Any, str]]:
        """The document, and its annex."""
        return (("<int:object_id>/pdf/", self.pdf, "pdf"), ("<int:object_id>/annex/", self.annex, "annex"))

    def pdf(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The stored document of an issued invoice; else the page as it would be now, which nothing keeps."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        invoice = Invoice.objects.filter(pk=object_id).first()
        if invoice is None:
            raise Http404
        stored = Document.objects.filter(invoice=invoice, kind=Document.Kind.PDF).first()
        content = documents.content(document=stored) if stored else documents.preview_pdf(invoice_id=invoice.pk)
        disposition = "attachment" if "download" in request.GET else "inline"
        name = documents.file_name(invoice=invoice)
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'{disposition}; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )

    def annex(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The stored annex of a long invoice: its lines as a table."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        stored = documents.annex(invoice_id=object_id)
        if stored is None or stored.invoice is None:
            raise Http404
        name = document_annexes.file_name(invoice=stored.invoice)
        return HttpResponse(
            documents.content(document=stored),
            content_type=documents.CONTENT_TYPES[Document.Kind.ANNEX_CSV],
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )

"""Credit notes in the admin: a list, a page, and what can be done with one. They are made on the page of an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse

from config.platform.admin import cells, history, pages, theme, verbs
from config.platform.admin.blocks import Block, Figure, Figures, Frame, Note, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from customers.queries import searching
from invoicing.admin import shown
from invoicing.admin.credit_note_verbs import Send, TellRefund, VoidCredit
from invoicing.admin.filters import AmountFilter, CurrencyFilter
from invoicing.models import CreditNote, Document, LedgerEntry
from invoicing.services import credit_note_documents, documents

_CREDIT = {"": Tone.NEUTRAL, "available": Tone.GOOD, "consumed": Tone.NEUTRAL, "voided": Tone.BAD}
_REFUND = {"": Tone.NEUTRAL, "pending": Tone.WARN, "succeeded": Tone.GOOD, "failed": Tone.BAD}


@pages.register(CreditNote)
class CreditNoteAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Credit notes."""

    list_display = (
        "document", "customer_named", "reason_shown", "credit_shown", "refund_shown", "issued", "left_amount",
        "gross_amount",
    )  # fmt: skip
    list_filter = (
        ("credit_status", theme.ChoicesDropdownFilter),
        ("refund_status", theme.ChoicesDropdownFilter),
        ("reason", theme.ChoicesDropdownFilter),
        ("customer", theme.AutocompleteSelectFilter),
        ("billing_entity", theme.RelatedDropdownFilter),
        CurrencyFilter,
        ("issuing_date", theme.RangeDateFilter),
        ("total_amount", AmountFilter),
    )
    list_select_related = ("customer", "billing_entity")
    search_fields = ("number",)
    search_starts = search_ends = ("number",)
    search_help_text = "Number, which begins with that of the invoice, or customer"
    ordering = ("-created_at", "-id")
    verbs = (TellRefund(), Send(), VoidCredit())
    empty_text = "Credit an invoice on its page, or end a plan that was paid in advance."

    @theme.display(description="Credit note", ordering="number")
    def document(self, note: CreditNote) -> str:
        """The number, or that it is a draft."""
        return cells.nowrap(note)

    @theme.display(description="Customer")
    def customer_named(self, note: CreditNote) -> str:
        """Who gets it, and from whom."""
        return cells.stack(note.customer.display_name, note.billing_entity.name)

    @theme.display(description="Reason", ordering="reason")
    def reason_shown(self, note: CreditNote) -> str:
        """Why."""
        return note.get_reason_display()

    @theme.display(description="Credit", ordering="credit_status")
    def credit_shown(self, note: CreditNote) -> str:
        """The state of the credit."""
        return _credit(note)

    @theme.display(description="Refund", ordering="refund_status")
    def refund_shown(self, note: CreditNote) -> str:
        """The state of the refund."""
        return _refund(note)

    @theme.display(description="Issued", ordering="issuing_date")
    def issued(self, note: CreditNote) -> str:
        """The date of the document."""
        return cells.day(note.issuing_date) if note.number else cells.muted("with its invoice")

    @theme.display(description="Credit left", ordering="balance_amount")
    def left_amount(self, note: CreditNote) -> str:
        """What is left of the credit."""
        return cells.money(note.balance_amount)

    @theme.display(description="Total", ordering="total_amount")
    def gross_amount(self, note: CreditNote) -> str:
        """The gross total."""
        return cells.money(note.total_amount)

    def page(self, request: HttpRequest, instance: CreditNote) -> Page:
        """The credit note: what is given back, where it went, how it is booked."""
        uses = list(instance.uses.select_related("invoice").order_by("pk"))
        sent = list(instance.deliveries.order_by("-number"))
        notes: tuple[Block, ...] = ()
        if instance.number is None:
            notes = (Note("A draft: it is issued with its invoice.", Tone.INFO),)
        return Page(
            top=(*notes, _figures(instance)),
            tabs=(
                Tab("Given back", (_items(instance), _totals(instance))),
                Tab("Document", (_document(instance, self.url("pdf", instance.pk)),)),
                Tab("Used", (_uses(instance),), len(uses)),
                Tab("Ledger", (_ledger(instance, [use.pk for use in uses]),)),
                Tab("E-mails", (shown.deliveries(sent),), len(sent)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )

    def links(self, request: HttpRequest, instance: CreditNote) -> Sequence[dict[str, Any]]:
        """The document as a file."""
        return (verbs.link("Download PDF", f"{self.url('pdf', instance.pk)}?download=1", "download"),)

    def further_views(self) -> Sequence[tuple[str, Any, str]]:
        """The document."""
        return (("<int:object_id>/pdf/", self.pdf, "pdf"),)

    def pdf(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The stored document of an issued credit note; else the page as it would be now, which nothing keeps."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        note = CreditNote.objects.filter(pk=object_id).first()
        if note is None:
            raise Http404
        stored = Document.objects.filter(credit_note=note, kind=Document.Kind.PDF).first()
        preview = credit_note_documents.preview_pdf
        content = documents.content(document=stored) if stored else preview(credit_note_id=note.pk)
        disposition = "attachment" if "download" in request.GET else "inline"
        name = credit_note_documents.file_name(note=note)
        return HttpResponse(
            content,
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'{disposition}; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )


def _credit(note: CreditNote) -> str:
    status = note.credit_status
    return cells.badge(note.get_credit_status_display(), _CREDIT[status]) if status else cells.EMPTY


def _refund(note: CreditNote) -> str:
    status = note.refund_status
    return cells.badge(note.get_refund_status_display(), _REFUND[status]) if status else cells.EMPTY


def _figures(note: CreditNote) -> Figures:
    return Figures(
        (
            Figure(
                "Total",
                cells.money_text(note.total_amount),
                f"{cells.money_text(note.sub_total_amount)} + {cells.money_text(note.taxes_amount)} tax",
            ),
            Figure("Invoice", cells.to(note.invoice), note.get_reason_display()),
            Figure("Customer", cells.to(note.customer, note.customer.display_name), note.billing_entity.name),
            Figure("Credit left", cells.money_text(note.balance_amount), _credit(note)),
            Figure("Refund", cells.money_text(note.refund_amount), _refund(note)),
            Figure("Taken off the invoice", cells.money_text(note.offset_amount)),
        )
    )


def _items(note: CreditNote) -> Table:
    return Table(
        "Items",
        columns("Line", "Period", "Billed#", "Given back, unrounded#", "Given back#"),
        tuple(
            Row(
                (
                    cells.stack(item.line.label, item.line.item_code),
                    cells.period_text(item.line.from_at, item.line.to_at, note.timezone),
                    cells.money(item.line.amount),
                    cells.unit_price(item.precise_amount, note.currency),
                    cells.money(item.amount),
                )
            )
            for item in note.items.select_related("line").order_by("line__position")
        ),
        note=note.description,
    )


def _totals(note: CreditNote) -> Table:
    rows = []
    if note.coupons_adjustment_amount:
        items = note.sub_total_amount + note.coupons_adjustment_amount
        rows.append(Row(("Items", "", "", cells.money(items))))
        rows.append(Row(("Taken off for coupons", "", "", cells.money(-note.coupons_adjustment_amount))))
    rows.append(Row(("Net", "", "", cells.money(note.sub_total_amount))))
    rows += [
        Row((tax.tax_name, cells.percent(tax.rate), cells.money(tax.base_amount), cells.money(tax.amount)))
        for tax in note.applied_taxes.all()
    ]
    rows.append(Row(("Total", "", "", cells.money(note.total_amount)), is_total=True))
    return Table("Taxes and total", columns("", "Rate#", "Base#", "Amount#"), tuple(rows))


def _document(note: CreditNote, pdf_url: str) -> Frame:
    stored = note.documents.first()
    about: object = cells.muted("A preview: nothing of it is stored.")
    if stored is not None:
        about = cells.muted(f"SHA-256 {stored.sha256[:12]}…, {cells.number_text(stored.size)} bytes")
    return Frame("Document", pdf_url, action=about)


def _uses(note: CreditNote) -> Table:
    return Table(
        "Invoices that it paid",
        columns("Invoice", "Issued", "Used#"),
        tuple(
            Row((cells.to(use.invoice), cells.day(use.invoice.issuing_date), cells.money(use.amount)))
            for use in note.uses.select_related("invoice").order_by("pk")
        ),
        empty="No invoice used this credit yet.",
    )


def _ledger(note: CreditNote, use_ids: list[int]) -> Table:
    sources = Q(source_type="invoicing.creditnote", source_id=note.pk)
    if use_ids:
        sources |= Q(source_type="invoicing.creditnoteuse", source_id__in=use_ids)
    entries = LedgerEntry.objects.filter(sources).prefetch_related("postings__account").order_by("booked_at", "pk")
    return shown.bookings(entries, title="Ledger")

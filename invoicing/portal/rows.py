"""Documents as rows of the portal's lists: frozen values in the customer's language, with no model in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils.translation import pgettext

from config.kernel import dates
from config.platform.portal.pages import PortalPage
from invoicing.domain.document_formats import Formats
from invoicing.models import CreditNote, Invoice
from invoicing.queries import receivables


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """An invoice in a list. ``tone`` is the colour of its state; ``pdf_url`` is empty while there is no file."""

    number: str
    issued_on: str
    due_on: str
    total: str
    due: str
    state: str
    tone: str
    pdf_url: str


@dataclass(frozen=True, slots=True)
class CreditNoteRow:
    """A credit note in a list."""

    number: str
    issued_on: str
    invoice_number: str
    total: str
    left: str
    state: str
    tone: str
    pdf_url: str


def invoice(row: Invoice, page: PortalPage, formats: Formats, *, today: date) -> InvoiceRow:
    """Return an invoice as its customer sees it."""
    due = receivables.owed(row)
    state, tone = _invoice_state(row, has_due=bool(due), today=today)
    pdfs = getattr(row, "pdfs", ())
    return InvoiceRow(
        number=row.number or "",
        issued_on=formats.day(row.issuing_date),
        due_on=formats.day(row.payment_due_date),
        total=formats.money(row.total_amount),
        due=formats.money(due) if due else "",
        state=state,
        tone=tone,
        pdf_url=page.url("invoice-pdf", public_id=row.uuid) if pdfs else "",
    )


def credit_note(row: CreditNote, page: PortalPage, formats: Formats) -> CreditNoteRow:
    """Return a credit note as its customer sees it."""
    state, tone = _note_state(row)
    pdfs = getattr(row, "pdfs", ())
    return CreditNoteRow(
        number=row.number or "",
        issued_on=formats.day(row.issuing_date),
        invoice_number=row.invoice.number or "",
        total=formats.money(row.total_amount),
        left=formats.money(row.balance_amount) if row.balance_amount else "",
        state=state,
        tone=tone,
        pdf_url=page.url("credit-note-pdf", public_id=row.uuid) if pdfs else "",
    )


def _invoice_state(row: Invoice, *, has_due: bool, today: date) -> tuple[str, str]:
    if row.status == Invoice.Status.VOIDED:
        return pgettext("portal", "Voided"), "neutral"
    if receivables.given_up(row):
        return pgettext("portal", "Nothing due any more"), "neutral"
    if row.payment_status == Invoice.PaymentStatus.SUCCEEDED or not has_due:
        return pgettext("portal", "Paid"), "good"
    if row.payment_overdue:
        days = dates.days_between(row.payment_due_date, today)
        if days <= 1:
            return pgettext("portal", "Overdue since yesterday"), "bad"
        return pgettext("portal", "Overdue for {days} days").format(days=days), "bad"
    return pgettext("portal", "Open"), "info"


def _note_state(row: CreditNote) -> tuple[str, str]:
    if row.refund_status in (CreditNote.RefundStatus.PENDING, CreditNote.RefundStatus.FAILED):
        return pgettext("portal", "Refund on its way"), "info"
    if row.credit_status == CreditNote.CreditStatus.AVAILABLE:
        return pgettext("portal", "Credit available"), "good"
    if row.credit_status == CreditNote.CreditStatus.CONSUMED:
        return pgettext("portal", "Used"), "neutral"
    if row.credit_status == CreditNote.CreditStatus.VOIDED:
        return pgettext("portal", "Voided"), "neutral"
    if row.refund_status == CreditNote.RefundStatus.SUCCEEDED:
        return pgettext("portal", "Paid back"), "good"
    return pgettext("portal", "Taken off the invoice"), "neutral"

"""How invoices, payments and bookings are told on pages: badges of their states, rows of their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from django.utils.safestring import SafeString

from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.cells import Tone
from invoicing.models import Delivery, Invoice, LedgerEntry, LedgerPosting
from invoicing.queries import receivables

STATUS = {
    Invoice.Status.DRAFT: Tone.WARN,
    Invoice.Status.FINALIZED: Tone.INFO,
    Invoice.Status.VOIDED: Tone.NEUTRAL,
    Invoice.Status.CLOSED: Tone.NEUTRAL,
    Invoice.Status.OPEN: Tone.WARN,
    Invoice.Status.PENDING: Tone.WARN,
    Invoice.Status.FAILED: Tone.BAD,
}
PAYMENT = {
    Invoice.PaymentStatus.PENDING: Tone.NEUTRAL,
    Invoice.PaymentStatus.SUCCEEDED: Tone.GOOD,
    Invoice.PaymentStatus.FAILED: Tone.BAD,
}
DELIVERY = {
    Delivery.State.PENDING: Tone.WARN,
    Delivery.State.SENT: Tone.GOOD,
    Delivery.State.FAILED: Tone.BAD,
}


def status(invoice: Invoice) -> SafeString:
    """The state of the document."""
    waits = invoice.status == Invoice.Status.OPEN
    words = "waits for payment" if waits else invoice.get_status_display()
    return cells.badge(words, STATUS[Invoice.Status(invoice.status)])


def payment(invoice: Invoice) -> SafeString:
    """The state of its payment; a document that nobody has to pay has none."""
    if invoice.number is None or invoice.status == Invoice.Status.VOIDED:
        return cells.EMPTY
    if receivables.given_up(invoice):
        return cells.badge("written off", Tone.NEUTRAL)
    if invoice.payment_overdue:
        return cells.badge("overdue", Tone.BAD)
    if invoice.payment_status == Invoice.PaymentStatus.PENDING and invoice.paid_amount.amount:
        return cells.badge("partly paid", Tone.WARN)
    words = invoice.get_payment_status_display()
    return cells.badge("open" if words == "pending" else words, PAYMENT[Invoice.PaymentStatus(invoice.payment_status)])


def is_planned(invoice: Invoice) -> bool:
    """Say whether the dates of the document are still to come: it is a draft."""
    return invoice.number is None and invoice.finalized_at is None and invoice.voided_at is None


def issued(invoice: Invoice) -> SafeString:
    """The date of the document; that of a draft is marked as planned, a voided draft has none."""
    return _dated(invoice, invoice.issuing_date)


def due(invoice: Invoice) -> SafeString:
    """When the document has to be paid; planned and missing as its date."""
    return _dated(invoice, invoice.payment_due_date)


def _dated(invoice: Invoice, day: date) -> SafeString:
    if invoice.voided_at is not None:
        return cells.EMPTY
    if is_planned(invoice):
        return cells.hinted(cells.muted(cells.day_text(day)), "When the draft is finalized as planned")
    return cells.day(day)


def delivery(row: Delivery) -> SafeString:
    """The state of an e-mail."""
    return cells.badge(row.get_state_display(), DELIVERY[Delivery.State(row.state)])


def bookings(entries: Iterable[LedgerEntry], *, title: str) -> Table:
    """Entries of the ledger with their postings: debits on the left, credits on the right."""
    rows: list[Row] = []
    for entry in entries:
        label = cells.stack(cells.to(entry, entry.description), cells.day_text(entry.accounting_date))
        rows.append(Row((label, "", ""), is_group=True))
        rows += [
            Row((f"{posting.account.code} {posting.account.name}", debit(posting), credit(posting)))
            for posting in entry.postings.all()
        ]
    return Table(
        title,
        columns("Account", "Debit#", "Credit#"),
        tuple(rows),
        empty="Nothing is booked: that happens when an invoice is issued and when it is paid.",
    )


def debit(posting: LedgerPosting) -> SafeString:
    """The amount where it is a debit."""
    return cells.money(posting.amount) if posting.amount.amount > 0 else cells.muted("")


def credit(posting: LedgerPosting) -> SafeString:
    """The amount where it is a credit, without its sign."""
    return cells.money(-posting.amount) if posting.amount.amount < 0 else cells.muted("")


def deliveries(sent: Sequence[Delivery]) -> Table:
    """The e-mails of a document."""
    return Table(
        "E-mails",
        columns("No.#", "To", "Subject", "State", "Sent", "Attempts#", "Remark"),
        tuple(
            Row(
                (
                    cells.number(row.number),
                    ", ".join(row.recipients),
                    row.subject or cells.EMPTY,
                    delivery(row),
                    cells.instant(row.sent_at),
                    cells.number(row.attempts),
                    row.error,
                )
            )
            for row in sent
        ),
        empty="No e-mail yet. Issued documents are sent where the billing entity wants it.",
    )

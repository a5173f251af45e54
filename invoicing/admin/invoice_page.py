"""The page of an invoice: figures, lines with their worked sums, document, payments, bookings, e-mails, history.

How a line came about is told by whoever billed it, registered as a part of "invoicing.line_explained".
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from config.kernel import registry
from config.platform.admin import cells, history
from config.platform.admin.blocks import (
    Beside,
    Block,
    Fact,
    Facts,
    Figure,
    Figures,
    Frame,
    Note,
    Page,
    Row,
    Tab,
    Table,
    columns,
)
from config.platform.admin.cells import Tone
from invoicing.admin import coupon_blocks, credit_note_verbs, dispute_verbs, shown, tax_engines, write_off_verbs
from invoicing.domain import document_breakdown
from invoicing.models import (
    CreditNoteUse,
    Delivery,
    Document,
    Invoice,
    InvoiceLine,
    PaymentAllocation,
    PrepaidCreditUse,
    WalletTransaction,
)
from invoicing.queries import held_payments, ledger, receivables, write_offs
from invoicing.services import prepaid_draws, wallet_draws

EXPLAINED = "invoicing.line_explained"
"""Parts by line: ``{"blocks": (…)}``, shown when the line is opened."""


def page(invoice: Invoice, *, pdf_url: str, history_url: str) -> Page:
    """The whole page, in a fixed number of queries."""
    lines = list(invoice.lines.order_by("position").prefetch_related("applied_taxes"))
    paid = list(invoice.allocations.select_related("payment").order_by("payment__paid_at", "pk"))
    sent = list(invoice.deliveries.order_by("-number"))
    notes = list(invoice.credit_notes.order_by("pk"))
    uses = list(invoice.credits.select_related("credit_note")) if invoice.credit_notes_amount else []
    drawn = list(invoice.prepaid_uses.select_related("credit")) if invoice.prepaid_credit_amount else []
    tapped = _tapped(invoice)
    totals = _totals(invoice, uses, drawn, tapped)
    return Page(
        top=(*_notes(invoice, sent), _figures(invoice)),
        tabs=(
            Tab("Lines", (_lines(invoice, lines), totals, *coupon_blocks.verdict(invoice)), len(lines)),
            Tab("Document", (_document(invoice, pdf_url),)),
            Tab(
                "Payments and ledger",
                (_payments(invoice, paid), shown.bookings(ledger.entries_of_invoice(invoice), title="Ledger")),
                len(paid),
            ),
            Tab("Credit notes", (credit_note_verbs.table(notes),), len(notes)),
            *_disputes(invoice),
            *_write_offs(invoice),
            Tab("E-mails", (shown.deliveries(sent),), len(sent)),
            Tab("Details", (_parties(invoice), _metadata(invoice))),
            Tab("History", (history.recent(invoice, history_url),)),
        ),
    )


def _notes(invoice: Invoice, sent: Sequence[Delivery]) -> tuple[Block, ...]:
    notes: list[Block] = []
    if invoice.voided_at is not None:
        notes.append(_voided(invoice))
    elif invoice.status == Invoice.Status.OPEN:
        text = "It waits for its payment: it is issued, numbered and booked once all of it is paid."
        notes.append(Note(text, Tone.WARN))
    elif invoice.status == Invoice.Status.CLOSED:
        notes += _closed(invoice)
    elif invoice.status in {Invoice.Status.PENDING, Invoice.Status.FAILED}:
        notes += tax_engines.notes(invoice)
    elif invoice.finalized_at is None and invoice.paid_at is None and invoice.number is None:
        when = f"{cells.day_of(invoice.finalize_after, invoice.timezone)} ({invoice.timezone})"
        notes.append(
            Note(f"A draft. The scheduler finalizes it from {when} on; usage until then is counted.", Tone.INFO)
        )
        notes += coupon_blocks.of_draft(invoice)
        would = [amount for _, amount in prepaid_draws.would_draw(invoice=invoice)]
        left = invoice.total_amount - sum(would, invoice.total_amount * 0)
        would += [amount for _, amount in wallet_draws.would_draw(invoice=invoice, due=left, at=timezone.now())]
        if would:
            text = cells.money_text(sum(would[1:], would[0]))
            notes.append(Note(f"Issued now it would use {text} of prepaid credit.", Tone.INFO))
    notes += _corrected(invoice)
    if invoice.payment_overdue:
        notes.append(Note(f"Overdue since {cells.day_text(invoice.payment_due_date)}.", Tone.BAD))
    if sent and sent[0].state == Delivery.State.FAILED:
        notes.append(Note(f"The last e-mail could not be sent: {sent[0].error}", Tone.BAD))
    return tuple(notes)


def _voided(invoice: Invoice) -> Note:
    """What became of a voided document, or draft."""
    if invoice.number is None:
        return Note("This draft was voided: it is no document, and its time is billed anew.", Tone.NEUTRAL)
    following = invoice.regenerations.exclude(status=Invoice.Status.VOIDED).first()
    day = cells.day_of(invoice.voided_at, invoice.timezone)
    if following is None:
        text = f"It was voided on {day}. Nothing of it is owed, and what it billed is not billed again by itself."
    else:
        text = f"It was voided on {day}. Invoice {following} stands in its place."
    return Note(text, Tone.NEUTRAL)


def _closed(invoice: Invoice) -> list[Note]:
    """What had come in for an invoice that was closed unpaid."""
    amount = held_payments.released(invoice)
    if not amount:
        return []
    came = f"{cells.money_text(amount)} that had come in for it was held for the customer"
    text = f"It was closed unpaid. {came}: use it for another invoice, or pay it back."
    return [Note(text, Tone.WARN)]


def _corrected(invoice: Invoice) -> list[Block]:
    """In whose place it stands, and what of it is disputed."""
    notes: list[Block] = []
    if invoice.regenerated_from_id is not None:
        text = f"It stands in the place of invoice {invoice.regenerated_from}, which was voided."
        notes.append(Note(text, Tone.INFO))
    if invoice.disputed_amount:
        text = f"{cells.money_text(invoice.disputed_amount)} of it is disputed: that much is not overdue."
        notes.append(Note(text, Tone.WARN))
    if invoice.payment_dispute_lost_at is not None:
        notes.append(Note("Its payment dispute was lost: credit or void it.", Tone.BAD))
    if invoice.written_off_amount:
        text = f"{cells.money_text(invoice.written_off_amount)} of it is written off: that much is not owed."
        notes.append(Note(text, Tone.WARN))
    return notes


def _disputes(invoice: Invoice) -> tuple[Tab, ...]:
    """The disputes, where there are any."""
    found = dispute_verbs.table(invoice)
    return (Tab("Disputes", (found,), len(found.rows)),) if found.rows else ()


def _write_offs(invoice: Invoice) -> tuple[Tab, ...]:
    """What was written off, where anything was."""
    found = write_off_verbs.table(list(write_offs.of_invoice(invoice)))
    return (Tab("Write-offs", (found,), len(found.rows)),) if found.rows else ()


def _figures(invoice: Invoice) -> Figures:
    owed = receivables.owed(invoice)
    return Figures(
        (
            Figure("Status", shown.status(invoice), shown.payment(invoice) if invoice.number else ""),
            Figure("Customer", cells.to(invoice.customer, invoice.customer.display_name), _named(invoice)),
            _issued(invoice),
            Figure(
                "Total",
                cells.money_text(invoice.total_amount),
                _made_of(invoice),
            ),
            Figure(
                "Open",
                cells.money_text(owed),
                _settled_by(invoice),
                Tone.BAD if invoice.payment_overdue else Tone.NEUTRAL,
            ),
        )
    )


def _named(invoice: Invoice) -> str:
    number = invoice.purchase_order_number
    return f"{invoice.billing_entity.name}, purchase order {number}" if number else invoice.billing_entity.name


def _made_of(invoice: Invoice) -> str:
    made_of = f"{cells.money_text(invoice.net_amount)} + {cells.money_text(invoice.taxes_amount)} tax"
    credit = f" − {cells.money_text(invoice.credit_notes_amount)} credit" if invoice.credit_notes_amount else ""
    prepaid = f" − {cells.money_text(invoice.prepaid_credit_amount)} prepaid" if invoice.prepaid_credit_amount else ""
    return made_of + credit + prepaid


def _settled_by(invoice: Invoice) -> str:
    paid = f"{cells.money_text(invoice.paid_amount)} paid"
    parts = [paid]
    if invoice.offset_amount:
        parts.append(f"{cells.money_text(invoice.offset_amount)} taken off")
    if invoice.written_off_amount:
        parts.append(f"{cells.money_text(invoice.written_off_amount)} written off")
    return ", ".join(parts)


def _issued(invoice: Invoice) -> Figure:
    """When the document is, or will be, of; a voided draft never is."""
    issued, due = cells.day_text(invoice.issuing_date), cells.day_text(invoice.payment_due_date)
    if invoice.voided_at is not None and invoice.number is None:
        return Figure("Issued", cells.EMPTY, "never was issued")
    if shown.is_planned(invoice):
        return Figure("Will be issued", issued, f"then due {due}")
    return Figure("Issued", issued, f"due {due}")


def _lines(invoice: Invoice, lines: Sequence[InvoiceLine]) -> Table:
    explained = registry.parts(EXPLAINED, lines)
    rows: list[Row] = []
    for label, group in itertools.groupby(lines, key=lambda line: line.group_label):
        members = list(group)
        net = sum((line.amount.amount for line in members), Decimal(0))
        total = cells.money(type(members[0].amount)(net, invoice.currency))
        rows.append(Row((label or "Lines", "", "", "", total), is_group=True))
        rows += [_line(line, invoice, explained[line.pk]) for line in members]
    return Table(
        "Lines",
        columns("Item", "Period", "Units#", "Unit price#", "Net#"),
        tuple(rows),
        empty="This invoice has no lines.",
        note="Open a line to see how its amount came about.",
    )


def _line(line: InvoiceLine, invoice: Invoice, explained: Mapping[str, Any]) -> Row:
    events = "" if line.events_count is None else f" · {cells.number_text(line.events_count)} events"
    return Row(
        (
            cells.stack(line.label, f"{line.item_code}{events}"),
            cells.period_text(line.from_at, line.to_at, invoice.timezone),
            cells.number(line.units),
            _unit_price(line),
            cells.money(line.amount),
        ),
        details=(*explained.get("blocks", ()), *coupon_blocks.share(line), _line_taxes(line)),
    )


def _unit_price(line: InvoiceLine) -> object:
    """The price of a unit, unless several prices make the amount: their average would mean nothing."""
    parts = document_breakdown.parts(
        charge_model=line.charge_model, units=line.units, details=line.amount_details or {}
    )
    return "" if parts else cells.unit_price(line.unit_amount, line.currency)


def _line_taxes(line: InvoiceLine) -> Table:
    return Table(
        "",
        columns("Tax on this line", "Rate#", "Amount, unrounded#"),
        tuple(
            Row((tax.tax_name, cells.percent(tax.rate), cells.unit_price(tax.precise_amount, tax.currency)))
            for tax in line.applied_taxes.all()
        ),
        empty="No tax on this line.",
    )


def _tapped(invoice: Invoice) -> list[WalletTransaction]:
    """What went out of wallets for the invoice when it was issued."""
    if not invoice.prepaid_credit_amount:
        return []
    rows = invoice.wallet_transactions.filter(transaction_status=WalletTransaction.Kind.INVOICED)
    return list(rows.select_related("wallet").order_by("pk"))


def _totals(
    invoice: Invoice,
    uses: Sequence[CreditNoteUse],
    drawn: Sequence[PrepaidCreditUse],
    tapped: Sequence[WalletTransaction],
) -> Table:
    rows = [Row(("Net", "", "", cells.money(invoice.fees_amount)))]
    if invoice.progressive_billing_credit_amount:
        before = invoice.progressive_credits.select_related("source").order_by("pk")
        rows += [
            Row((f"Billed before on {row.source}", "", "", cells.money(-row.amount))) for row in before if row.amount
        ]
    rows += coupon_blocks.rows(invoice)
    rows += [
        Row((tax.tax_name, cells.percent(tax.rate), cells.money(tax.base_amount), cells.money(tax.amount)))
        for tax in invoice.applied_taxes.all()
    ]
    rows += [Row((f"Credit of {use.credit_note}", "", "", cells.money(-use.amount))) for use in uses]
    rows += [Row((f"Prepaid credit of {use.credit}", "", "", cells.money(-use.amount))) for use in drawn]
    rows += [Row((cells.to(row.wallet, f"Wallet {row.wallet}"), "", "", cells.money(-row.amount))) for row in tapped]
    rows.append(Row(("Total", "", "", cells.money(invoice.total_amount)), is_total=True))
    return Table("Taxes and total", columns("", "Rate#", "Base#", "Amount#"), tuple(rows))


def _document(invoice: Invoice, pdf_url: str) -> Frame:
    stored = invoice.documents.filter(kind=Document.Kind.PDF).first()
    about: object = cells.muted("A preview: nothing of it is stored.")
    if stored is not None:
        about = cells.muted(f"SHA-256 {stored.sha256[:12]}…, {cells.number_text(stored.size)} bytes")
    return Frame("Document", pdf_url, action=about)


def _payments(invoice: Invoice, paid: Sequence[PaymentAllocation]) -> Table:
    return Table(
        "Payments",
        columns("Payment", "Paid on", "Kind", "Amount#"),
        tuple(
            Row(
                (
                    cells.to(part.payment, part.payment.reference or "Payment"),
                    cells.local_day(part.payment.paid_at, invoice.timezone),
                    part.payment.get_kind_display(),
                    cells.money(part.amount),
                )
            )
            for part in paid
        ),
        empty="No payment yet.",
    )


def _parties(invoice: Invoice) -> Block:
    snapshot = invoice.snapshot or {}
    return Beside(
        (
            _party("Seller", snapshot.get("seller", {}), invoice.billing_entity),
            _party("Customer", snapshot.get("buyer", {}), invoice.customer),
            Facts(
                "Document",
                (
                    Fact("Kind", invoice.get_kind_display()),
                    Fact("Language", invoice.locale),
                    Fact("Time zone", invoice.timezone),
                    Fact("Payment term", f"{invoice.net_payment_term} days"),
                    Fact("Billed", cells.instant(invoice.billed_at)),
                    Fact("Finalized", cells.instant(invoice.finalized_at)),
                    Fact("Paid", cells.local_day(invoice.paid_at, invoice.timezone)),
                    Fact("Public id", cells.code(invoice.uuid)),
                ),
            ),
        )
    )


def _party(title: str, frozen: Mapping[str, Any], now: Any) -> Facts:
    """What the document says of a party; before it is issued, what it would say now."""
    fields = (
        ("Name", "legal_name"), ("VAT id", "tax_identification_number"), ("Street", "address_line1"),
        ("Postal code", "zipcode"), ("City", "city"), ("Country", "country"), ("E-mail", "email"),
    )  # fmt: skip
    said = [(label, frozen.get(name) if frozen else getattr(now, name)) for label, name in fields]
    name = (frozen.get("legal_name") or frozen.get("name")) if frozen else (now.legal_name or now.name)
    facts = [Fact("Name", name or str(now))]
    facts += [Fact(label, value or cells.EMPTY) for label, value in said[1:]]
    facts.append(Fact("Now", cells.to(now)))
    return Facts(f"{title}, as on the document" if frozen else title, tuple(facts))


def _metadata(invoice: Invoice) -> Table:
    return Table(
        "Metadata",
        columns("Key", "Value"),
        tuple(Row((cells.code(note.key), note.value)) for note in invoice.metadata.all()),
        empty="No metadata. Engineers set it through the API.",
    )

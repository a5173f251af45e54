"""Draft credit notes while their draft invoice is computed anew, or coupons lower it as it is issued: taken off its
lines before, put on the new ones after.

A line is known again by its kind, contract, item and period. What is given back of it grows or shrinks with the line.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from config.kernel import money
from invoicing.domain import credit_notes
from invoicing.domain.credit_notes import Split
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries import credit_notes as known
from invoicing.services import credit_note_writing


@dataclass(frozen=True)
class Held:
    """A draft credit note without its invoice's lines: what share of which line it gives back."""

    note: CreditNote
    shares: tuple[tuple[tuple[Any, ...], Decimal], ...]


def take_off(*, invoice: Invoice) -> list[Held]:
    """Delete the draft credit notes of a locked draft, and return what is needed to write them again."""
    notes = credit_note_writing.destroy_drafts(invoice=invoice)
    held = []
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for note in notes:
            shares = [(_key(item.line), item.precise_amount / item.line.amount.amount) for item in note.items.all()]
            held.append(Held(note=note, shares=tuple(shares)))
    return held


def put_on(*, invoice: Invoice, held: Sequence[Held], lines: Sequence[InvoiceLine], at: datetime) -> None:
    """Write draft credit notes again over the new lines of a draft. One whose lines are gone or empty is dropped."""
    by_key = {_key(line): line for line in lines}
    for one in held:
        wanted = {}
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            for key, share in one.shares:
                if key in by_key and by_key[key].amount.amount > 0:
                    amount = by_key[key].amount.amount * share
                    wanted[by_key[key].pk] = credit_notes.truncated(amount, currency=invoice.currency)
        wanted = {line_id: amount for line_id, amount in wanted.items() if amount > 0}
        if not wanted:
            continue
        credited = credit_notes.credit(invoice=known.billed(invoice), wanted=wanted)
        total, old = credited.amount.gross, one.note
        if not total:
            continue
        weights = [old.credit_amount.amount, old.refund_amount.amount, old.offset_amount.amount]
        credit, refund, offset = money.allocate(total, weights)
        credit_note_writing.draft(
            invoice=invoice,
            credited=credited,
            split=Split(credit=credit, refund=refund, offset=offset),
            reason=old.reason,
            description=old.description,
            at=at,
        )


def lower(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Write the draft credit notes of invoices anew that are being issued and whose lines coupons lowered just now.

    Their lines and taxes are written, the invoices need not be. One query where no coupon was taken or no draft waits.
    """
    lowered = {invoice.pk: invoice for invoice in invoices if invoice.coupons_amount}
    if not lowered:
        return
    anew(invoices=list(lowered.values()), at=at)


def anew(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Write the draft credit notes of invoices anew whose lines or taxes changed. One query where none waits."""
    if not invoices:
        return
    by_id = {invoice.pk: invoice for invoice in invoices}
    waiting = CreditNote.objects.filter(invoice_id__in=by_id, status=CreditNote.Status.DRAFT).order_by("invoice_id")
    for invoice_id in sorted(set(waiting.values_list("invoice_id", flat=True))):
        invoice = by_id[invoice_id]
        held = take_off(invoice=invoice)
        lines = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
        put_on(invoice=invoice, held=held, lines=lines, at=at)


def _key(line: InvoiceLine) -> tuple[Any, ...]:
    return line.kind, line.group_key, line.item_code, line.from_at, line.to_at

"""What invoices take off because it was billed progressively before. Owns the rows that say so, and giving back what
was billed beyond what the usage comes to in the end.

How much it is, and of which lines, comes with the specification of the invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from moneyed import Money

from config.kernel import money
from config.kernel.actors import Actor
from invoicing.domain import credit_note_shares, credit_notes
from invoicing.domain.credit_notes import Split
from invoicing.domain.specs import LineSpec, ProgressiveCreditSpec
from invoicing.models import CreditNote, Invoice, ProgressiveCredit
from invoicing.queries import credit_notes as known
from invoicing.queries import invoices as known_invoices
from invoicing.services import credit_note_writing

_DESCRIPTION = "Billed at a usage threshold, beyond what the usage came to"


class UnableToGiveBack(credit_notes.NotCreditable):
    """The progressive invoices have less left to give back than they billed too much."""


def of_lines(lines: Sequence[LineSpec], currency: str) -> Money:
    """Return what lines take off in all."""
    return sum((line.progressive_credit for line in lines if line.progressive_credit), money.zero(currency))


def write(*, wanted: Sequence[tuple[Invoice, Sequence[ProgressiveCreditSpec]]], at: datetime) -> None:
    """Write the credits of drafts. Needs a transaction."""
    rows = [
        ProgressiveCredit(
            created_at=at,
            invoice=invoice,
            source_id=one.source_id,
            currency=invoice.currency,
            amount=one.amount,
            excess_amount=one.excess,
        )
        for invoice, found in wanted
        for one in found
    ]
    if rows:
        ProgressiveCredit.objects.bulk_create(rows)


def take_off(*, invoice: Invoice) -> None:
    """Delete the credits of a locked draft, which is to be computed anew."""
    ProgressiveCredit.objects.filter(invoice=invoice).delete()


def give_back(*, invoices: Sequence[Invoice], actor: Actor, at: datetime) -> list[CreditNote]:
    """Give back what was billed progressively beyond the lines of invoices that are being issued, by credit notes.

    Of the newest progressive invoice first, then of those whose amounts it took off itself; of each the largest lines
    first. The notes pay later invoices, and the one that is being issued. Needs a transaction. Raises UnableToGiveBack
    (`creditable_amount_is_less_than_requested`) where less is left of the progressive invoices.
    """
    rows = ProgressiveCredit.objects.filter(invoice__in=[one.pk for one in invoices], excess_amount__gt=0)
    notes: list[CreditNote] = []
    for row in rows.order_by("pk"):
        notes += _along(row.source_id, row.excess_amount, actor, at)
    return notes


def give_back_of(*, invoice_id: int, amount: Money, actor: Actor, at: datetime) -> list[CreditNote]:
    """Give back, net, what an issued invoice took off because it was billed progressively, as `give_back` does.

    Needs a transaction. Raises UnableToGiveBack where that is less.
    """
    rows = ProgressiveCredit.objects.filter(invoice_id=invoice_id).order_by("pk")
    notes: list[CreditNote] = []
    for row in rows:
        part = min(row.amount, amount)
        if part:
            notes += _along(row.source_id, part, actor, at)
            amount -= part
    if amount:
        raise _too_little(amount)
    return notes


def left_of(*, invoice_id: int) -> dict[int, Money]:
    """Return what may still be given back of each line of an invoice itself, net."""
    billed = known.billed(known_invoices.locked(invoice_id))
    return {line.id: line.left for line in billed.lines}


def _along(first_id: int, amount: Money, actor: Actor, at: datetime) -> list[CreditNote]:
    """Credit an amount of a progressive invoice, and what it cannot give back of those before it."""
    notes = []
    source_id: int | None = first_id
    while amount and source_id is not None:
        note = _credit(source_id, amount, actor, at)
        if note is not None:
            notes.append(note)
            amount -= note.sub_total_amount
        before = ProgressiveCredit.objects.filter(invoice_id=source_id).order_by("-pk")
        source_id = before.values_list("source_id", flat=True).first()
    if amount:
        raise _too_little(amount)
    return notes


def _too_little(left: Money) -> UnableToGiveBack:
    message = f"{left} were billed progressively beyond the usage, and cannot be credited any more."
    return UnableToGiveBack("creditable_amount_is_less_than_requested", message)


def _credit(invoice_id: int, most: Money, actor: Actor, at: datetime) -> CreditNote | None:
    invoice = known_invoices.locked(invoice_id)
    if invoice.status != Invoice.Status.FINALIZED:
        return None
    billed = known.billed(invoice)
    wanted, net = credit_note_shares.items_of_net(invoice=billed, net=most)
    if not wanted:
        return None
    credited = credit_notes.credit(invoice=billed, wanted=wanted, net=net)
    nothing = money.zero(invoice.currency)
    return credit_note_writing.write(
        invoice=invoice,
        credited=credited,
        split=Split(credit=credited.amount.gross, refund=nothing, offset=nothing),
        reason=CreditNote.Reason.OTHER,
        description=_DESCRIPTION,
        actor=actor,
        at=at,
    )

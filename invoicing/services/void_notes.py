"""The credit notes of an invoice that is voided with them: one over what is given back, one over the rest that is not.

Together they credit all that was left of the invoice, so that it is settled on paper. Owns spreading a gross amount
over its lines; writing and booking notes is next door.
"""

from __future__ import annotations

import decimal
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import money
from config.kernel.actors import Actor
from invoicing.domain import credit_notes, voids
from invoicing.domain.credit_notes import BilledInvoice, Credited, Split
from invoicing.models import CreditNote, Invoice
from invoicing.queries import credit_notes as known
from invoicing.services import credit_note_writing
from invoicing.services import credit_notes as notes

_GIVEN = "Given back of the voided invoice"
_REST = "The rest of the voided invoice"
_TRIES = 10


def write(
    *, invoice: Invoice, credit: Money, refund: Money, reason: str, actor: Actor, at: datetime
) -> list[CreditNote]:
    """Write the credit notes of a locked invoice that is about to be voided; ``credit`` and ``refund`` are gross.

    Nothing is written where nothing is left of it. Rounded like any credit note; a difference of one minor unit goes to
    the first part that is not zero. Raises VoidTooMuch, and what crediting raises.
    """
    billed = known.billed(invoice)
    whole = _all(billed)
    nothing = money.zero(invoice.currency)
    creditable = nothing if whole is None else whole.amount.gross
    voids.demand_parts(
        credit=credit, refund=refund, creditable=creditable, refundable=min(billed.refundable, creditable)
    )
    written = []
    if (credit + refund) and whole is not None:
        found = whole if credit + refund == creditable else _spread(billed, credit + refund, creditable)
        total = found.amount.gross
        split = credit_notes.split(
            total=total,
            limits=credit_notes.limits(invoice=billed, total=total),
            wanted=Split(credit=credit, refund=refund, offset=nothing),
        )
        written.append(_write(invoice, found, split, reason or _GIVEN, actor, at))
        whole = _all(known.billed(invoice))
    if whole is not None:
        split = Split(credit=whole.amount.gross, refund=nothing, offset=nothing)
        rest = _write(invoice, whole, split, _REST, actor, at)
        written.append(notes.void(credit_note_id=rest.pk, actor=actor, at=at))
    return written


def _all(billed: BilledInvoice) -> Credited | None:
    """Return a note over all that is left, or nothing where nothing is."""
    wanted = {line.id: line.left_precise for line in billed.lines if line.left.amount > 0}
    found = credit_notes.credit(invoice=billed, wanted=wanted) if wanted else None
    return found if found is not None and found.amount.gross else None


def _spread(billed: BilledInvoice, wanted: Money, creditable: Money) -> Credited:
    """Return a note over a gross amount, spread over the lines by what is left of them, to the minor unit if it can.

    Items are whole minor units; where tax makes the sum miss the amount, the largest item takes the difference.
    """
    lines = [line for line in billed.lines if line.left.amount > 0]
    left = sum((line.left for line in lines), money.zero(billed.currency))
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        share = left.amount / creditable.amount
        items = Money(money.quantize(wanted.amount * share, currency=billed.currency), billed.currency)
    best: Credited | None = None
    for _ in range(_TRIES):
        found = credit_notes.credit(invoice=billed, wanted=_parts(lines, min(items, left)))
        if best is None or abs(wanted - found.amount.gross) < abs(wanted - best.amount.gross):
            best = found
        off = wanted - found.amount.gross
        if not off:
            break
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            step = Money(money.quantize(off.amount * share, currency=billed.currency), billed.currency)
        unit = money.from_minor(1 if off.amount > 0 else -1, billed.currency)
        items += step or unit
        if items.amount <= 0 or items > left:
            break
    if best is None:
        raise AssertionError("nothing was tried")
    return best


def _parts(lines: list[credit_notes.BilledLine], items: Money) -> dict[int, Decimal]:
    shares = money.allocate(items, [line.left.amount for line in lines])
    wanted = {line.id: min(share, line.left).amount for line, share in zip(lines, shares, strict=True)}
    return {line_id: amount for line_id, amount in wanted.items() if amount}


def _write(
    invoice: Invoice, credited: Credited, split: Split, description: str, actor: Actor, at: datetime
) -> CreditNote:
    return credit_note_writing.write(
        invoice=invoice,
        credited=credited,
        split=split,
        reason=CreditNote.Reason.OTHER,
        description=description,
        actor=actor,
        at=at,
    )

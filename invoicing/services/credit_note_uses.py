"""Credits that pay later invoices. Owns taking them when an invoice is issued; what is issued keeps what it took.

A credit is taken by invoices of the same customer, seller and currency, oldest first, after taxes; never by the invoice
that it corrects. The rows of the credits stay locked until the transaction ends, so that none is used twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from moneyed import Money

from config.kernel import dates, db
from config.kernel.actors import Actor
from invoicing.domain import credit_notes, ledger
from invoicing.domain.credit_notes import Split
from invoicing.models import CreditNote, CreditNoteUse, CreditNoteUseReversal, Invoice
from invoicing.services import credit_note_writing
from invoicing.services import ledger as books

_PAYABLE = {Invoice.Kind.SUBSCRIPTION, Invoice.Kind.PROGRESSIVE_BILLING}
"""What credits pay. What was paid before it was invoiced takes none."""

_KEY = tuple[int, int, str]


@dataclass(frozen=True)
class Taken:
    """What the issuing of some invoices does to credits: their draft notes, the credits used, and the rows touched."""

    drafts: tuple[tuple[CreditNote, Invoice], ...]
    uses: tuple[CreditNoteUse, ...]
    notes: tuple[CreditNote, ...]


def take(*, invoices: Sequence[Invoice], at: datetime) -> Taken:
    """Lower the totals of invoices that are about to be issued by the credits of their customers, in their order.

    Changes the given rows and saves nothing: save the invoices, then call `write`. Their own draft notes are weighed
    too: an offset beyond what is due becomes credit, and what they give back may pay a later invoice of the same round.
    Needs a transaction.
    """
    # Who buys credits for a wallet holds the wallet by now: notes are locked only where they may pay, before wallets.
    rows = db.lock(
        CreditNote.objects.filter(
            Q(
                status=CreditNote.Status.FINALIZED,
                credit_status=CreditNote.CreditStatus.AVAILABLE,
                customer_id__in={invoice.customer_id for invoice in invoices if invoice.kind in _PAYABLE},
            )
            | Q(status=CreditNote.Status.DRAFT, invoice_id__in=[invoice.pk for invoice in invoices])
        )
    )
    pool: dict[_KEY, list[CreditNote]] = defaultdict(list)
    own: dict[int, list[CreditNote]] = defaultdict(list)
    for note in sorted(rows, key=lambda row: (row.issuing_date, row.created_at, row.pk)):
        if note.status == CreditNote.Status.DRAFT:
            own[note.invoice_id].append(note)
        else:
            pool[_key(note)].append(note)
    drafts: list[tuple[CreditNote, Invoice]] = []
    uses: list[CreditNoteUse] = []
    for invoice in invoices:
        uses += _pay(invoice, pool[_key(invoice)], at)
        for note in own[invoice.pk]:
            _weigh(note, invoice)
            drafts.append((note, invoice))
            pool[_key(note)].append(note)
    used = {use.credit_note.pk: use.credit_note for use in uses}
    return Taken(drafts=tuple(drafts), uses=tuple(uses), notes=tuple(used.values()))


def write(*, taken: Taken, invoices: Sequence[Invoice], actor: Actor, at: datetime) -> None:
    """Save what `take` did: issue the draft notes, write and book the uses. The invoices are saved before."""
    credit_note_writing.issue(pairs=taken.drafts, actor=actor, at=at)
    if not taken.uses:
        return
    uses = CreditNoteUse.objects.bulk_create(taken.uses)
    CreditNote.objects.bulk_update(taken.notes, ["balance_amount", "credit_status", "updated_at"])
    by_id = {invoice.pk: invoice for invoice in invoices}
    books.post_many(sources=[_used(use, by_id[use.invoice_id]) for use in uses], at=at)


def give_back(*, invoice: Invoice, amount: Money, at: datetime) -> list[CreditNoteUseReversal]:
    """Give back credits that a voided invoice used, up to an amount: those that it used last come first.

    They can pay later invoices again. Booked by the local day of ``at``. The invoice is locked; needs a transaction.
    """
    if not amount:
        return []
    uses = list(CreditNoteUse.objects.filter(invoice=invoice).order_by("-pk"))
    found = db.lock(CreditNote.objects.filter(pk__in=[use.credit_note_id for use in uses]))
    notes = {note.pk: note for note in found}
    rows = []
    for use in uses:
        note, part = notes[use.credit_note_id], min(use.amount, amount)
        if not part:
            break
        amount -= part
        note.balance_amount += part
        note.credit_status = CreditNote.CreditStatus.AVAILABLE
        note.updated_at = at
        note.save(update_fields=["balance_amount", "credit_status", "updated_at"])
        rows.append(CreditNoteUseReversal(created_at=at, use=use, currency=use.currency, amount=part))
    made = CreditNoteUseReversal.objects.bulk_create(rows)
    books.post_many(sources=[_given_back(row, notes[row.use.credit_note_id], invoice, at) for row in made], at=at)
    return made


def _pay(invoice: Invoice, notes: Sequence[CreditNote], at: datetime) -> list[CreditNoteUse]:
    if invoice.kind not in _PAYABLE:
        return []
    open_notes = [note for note in notes if note.balance_amount and note.invoice_id != invoice.pk]
    amounts = credit_notes.use(total=invoice.total_amount, balances=[note.balance_amount for note in open_notes])
    uses = []
    for note, amount in zip(open_notes, amounts, strict=True):
        if not amount:
            break
        note.balance_amount -= amount
        note.updated_at = at
        if not note.balance_amount:
            note.credit_status = CreditNote.CreditStatus.CONSUMED
        invoice.credit_notes_amount += amount
        invoice.total_amount -= amount
        uses.append(
            CreditNoteUse(created_at=at, credit_note=note, invoice=invoice, currency=invoice.currency, amount=amount)
        )
    return uses


def _weigh(note: CreditNote, invoice: Invoice) -> None:
    split = credit_note_writing.split_of(note)
    due = invoice.total_amount - invoice.offset_amount
    if split.offset > due:
        split = Split(credit=split.credit + split.offset - due, refund=split.refund, offset=due)
        credit_note_writing.set_split(note, split)
    invoice.offset_amount += split.offset


def _key(row: CreditNote | Invoice) -> _KEY:
    return row.customer_id, row.billing_entity_id, row.currency


def _used(use: CreditNoteUse, invoice: Invoice) -> books.Source:
    return books.Source(
        booking=ledger.credit_used(use.amount),
        instance=use,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=invoice.issuing_date,
        description=f"Credit {use.credit_note.number} for {invoice.number}",
    )


def _given_back(row: CreditNoteUseReversal, note: CreditNote, invoice: Invoice, at: datetime) -> books.Source:
    return books.Source(
        booking=ledger.credit_given_back(row.amount),
        instance=row,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=f"Credit {note.number} given back by {invoice.number}",
        invoice_id=invoice.pk,
    )

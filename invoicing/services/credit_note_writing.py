"""Rows of credit notes: written as drafts, then issued with number and snapshot, frozen and booked.

Owns how they come to be. What is given back is decided by `credit_notes` next door; every caller holds the lock of the
invoice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from moneyed import Money

from config.kernel import dates, events, money
from config.kernel.actors import Actor
from config.platform.services import audit, numbers
from invoicing.domain import ledger, states
from invoicing.domain.credit_notes import Credited, Split
from invoicing.domain.facts import InvoicePaid
from invoicing.domain.totals import Taxed
from invoicing.models import CreditNote, CreditNoteItem, CreditNoteTax, Invoice
from invoicing.services import (
    announcements,
    credit_note_dispatch,
    credit_note_metadata,
    disputes,
    payment_request_states,
    tax_reports,
    wallet_settlements,
)
from invoicing.services import ledger as books

_PLACES = 15


def write(
    *,
    invoice: Invoice,
    credited: Credited,
    split: Split,
    reason: str,
    description: str,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> CreditNote:
    """Write a credit note of a locked invoice: a draft where that is not issued yet, else issued at once.

    ``metadata`` are notes on one that is issued.
    An offset that leaves nothing due makes the invoice paid, and subscribers hear InvoicePaid. Needs a transaction.
    """
    note = draft(
        invoice=invoice,
        credited=credited,
        split=split,
        reason=reason,
        description=description,
        at=at,
        idempotency_key=idempotency_key,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="credit",
        instance=invoice,
        new={
            "total_cents": money.to_minor(note.total_amount),
            "credit_cents": money.to_minor(note.credit_amount),
            "refund_cents": money.to_minor(note.refund_amount),
            "offset_cents": money.to_minor(note.offset_amount),
            "reason": reason,
        },
    )
    if invoice.status in states.UNISSUED:
        return note
    issue(pairs=[(note, invoice)], actor=actor, at=at)
    if metadata:
        note = credit_note_metadata.merge(credit_note_id=note.pk, metadata=metadata, actor=actor, at=at)
    is_paid_by_it = _take_off(invoice, note.offset_amount, at)
    announcements.credited(notes=[note], at=at)
    if is_paid_by_it:
        announcements.paid(invoice=invoice, at=at)
        events.publish(InvoicePaid(invoice_id=invoice.pk))
        wallet_settlements.settle_paid(invoice_ids=[invoice.pk], at=at)
    if note.offset_amount:
        disputes.shrink(invoice=invoice, actor=actor, at=at)
        payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return note


def issue(*, pairs: Sequence[tuple[CreditNote, Invoice]], actor: Actor, at: datetime) -> None:
    """Issue draft credit notes of numbered invoices: number, date, snapshot, books, document. Needs a transaction.

    Numbers count from 1 within each invoice, without a gap. The date is the local one of ``at``; seller and buyer are
    those of the invoice.
    """
    if not pairs:
        return
    counts: dict[str, int] = {}
    for _, invoice in pairs:
        counts[_scope(invoice)] = counts.get(_scope(invoice), 0) + 1
    taken = {scope: iter(found) for scope, found in numbers.take_many(counts=counts).items()}
    for note, invoice in pairs:
        note.sequential_id = next(taken[_scope(invoice)])
        note.number = f"{invoice.number}-CN{note.sequential_id:03}"
        note.status = CreditNote.Status.FINALIZED
        note.finalized_at = note.updated_at = at
        note.issuing_date = dates.local_date(at, dates.zone(invoice.timezone))
        note.snapshot = invoice.snapshot
        note.save()
    books.post_many(sources=[_booking(note, invoice) for note, invoice in pairs], at=at)
    audit.record_many(
        actor=actor,
        at=at,
        notes=[
            audit.Note(
                instance=note,
                verb="issue",
                new={"number": note.number, "total_cents": money.to_minor(note.total_amount), "reason": note.reason},
            )
            for note, _ in pairs
        ],
    )
    tax_reports.credited(credit_note_ids=[note.pk for note, _ in pairs], at=at)
    credit_note_dispatch.request(notes=[note for note, _ in pairs], actor=actor, at=at)


def destroy_drafts(*, invoice: Invoice) -> list[CreditNote]:
    """Delete the draft credit notes of a draft invoice with all their parts; return them as they were, with items."""
    notes = list(
        CreditNote.objects.filter(invoice=invoice, status=CreditNote.Status.DRAFT)
        .prefetch_related("items__line")
        .order_by("pk")
    )
    if notes:
        for note in notes:
            list(note.items.all())
        ids = [note.pk for note in notes]
        CreditNoteItem.objects.filter(credit_note_id__in=ids).delete()
        CreditNoteTax.objects.filter(credit_note_id__in=ids).delete()
        CreditNote.objects.filter(pk__in=ids).delete()
    return notes


def set_split(note: CreditNote, split: Split) -> None:
    """Set where the total of a draft goes, with the states that belong to it. Saves nothing."""
    note.credit_amount, note.refund_amount, note.offset_amount = split.credit, split.refund, split.offset
    note.balance_amount = split.credit
    note.credit_status = CreditNote.CreditStatus.AVAILABLE if split.credit else CreditNote.CreditStatus.NONE
    note.refund_status = CreditNote.RefundStatus.PENDING if split.refund else CreditNote.RefundStatus.NONE


def split_of(note: CreditNote) -> Split:
    """Return where the total of a credit note goes."""
    return Split(credit=note.credit_amount, refund=note.refund_amount, offset=note.offset_amount)


def draft(
    *,
    invoice: Invoice,
    credited: Credited,
    split: Split,
    reason: str,
    description: str,
    at: datetime,
    idempotency_key: str | None = None,
) -> CreditNote:
    """Write the rows of a draft credit note. Needs a transaction."""
    note = CreditNote(
        created_at=at,
        updated_at=at,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        invoice=invoice,
        reason=CreditNote.Reason(reason),
        description=description,
        currency=invoice.currency,
        sub_total_amount=credited.amount.net,
        coupons_adjustment_amount=credited.coupons,
        precise_coupons_adjustment_amount=money.round_half_up(credited.precise_coupons, _PLACES),
        taxes_amount=credited.amount.tax,
        precise_taxes_amount=money.round_half_up(credited.precise_taxes, _PLACES),
        taxes_rate=credited.taxes_rate,
        total_amount=credited.amount.gross,
        timezone=invoice.timezone,
        issuing_date=dates.local_date(at, dates.zone(invoice.timezone)),
        idempotency_key=idempotency_key,
    )
    set_split(note, split)
    note.save()
    CreditNoteItem.objects.bulk_create(
        CreditNoteItem(
            created_at=at,
            credit_note=note,
            line_id=item.line_id,
            currency=invoice.currency,
            amount=item.amount,
            precise_amount=money.round_half_up(item.precise, _PLACES),
        )
        for item in credited.items
    )
    CreditNoteTax.objects.bulk_create(
        CreditNoteTax(
            created_at=at,
            credit_note=note,
            tax_id=group.tax.id,
            tax_code=group.tax.code,
            tax_name=group.tax.name,
            tax_description=group.tax.description,
            rate=group.tax.rate,
            currency=invoice.currency,
            base_amount=group.base,
            amount=group.amount,
        )
        for group in credited.groups
    )
    return note


def _take_off(invoice: Invoice, amount: Money, at: datetime) -> bool:
    """Take an offset off what is due of an invoice, and say whether that makes it paid."""
    if not amount:
        return False
    was_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED
    invoice.offset_amount += amount
    invoice.updated_at = at
    settled = invoice.paid_amount + invoice.offset_amount + invoice.written_off_amount
    if settled == invoice.total_amount and not was_paid:
        invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
        invoice.payment_overdue = False
        invoice.paid_at = at
    invoice.save(update_fields=["offset_amount", "payment_status", "payment_overdue", "paid_at", "updated_at"])
    return invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED and not was_paid


def _scope(invoice: Invoice) -> str:
    return f"credit_note:{invoice.pk}"


def _booking(note: CreditNote, invoice: Invoice) -> books.Source:
    amount = Taxed(net=note.sub_total_amount, tax=note.taxes_amount, gross=note.total_amount)
    split = split_of(note)
    is_prepaid = invoice.kind == Invoice.Kind.CREDIT
    return books.Source(
        booking=ledger.prepaid_taken_back(split) if is_prepaid else ledger.credited(amount=amount, split=split),
        instance=note,
        billing_entity_id=note.billing_entity_id,
        customer_id=note.customer_id,
        accounting_date=note.issuing_date,
        description=f"Credit note {note.number}",
    )

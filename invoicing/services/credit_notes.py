"""Credit notes: giving back what was billed. Owns the verbs: credit unused time, credit by hand, void, tell a refund.

The figures come from `invoicing.domain.credit_notes`, the rows are written next door, and so are the credits that later
invoices use.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from config.kernel import dates, db, errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import credit_notes, ledger
from invoicing.domain.credit_notes import Credited, Limits, Split
from invoicing.domain.totals import Taxed
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries import credit_notes as known
from invoicing.queries import had_before
from invoicing.queries import invoices as known_invoices
from invoicing.services import (
    announcements,
    approval_actions,
    credit_note_metadata,
    credit_note_wallets,
    credit_note_writing,
)
from invoicing.services import ledger as books

REASONS = tuple(CreditNote.Reason.values)

_GONE = {Invoice.Status.VOIDED, Invoice.Status.CLOSED}


class UnableToCredit(errors.NotAllowed):
    """The invoice or the credit note is in no state that allows it."""


class InvalidCreditNote(errors.Invalid):
    """A reason, a status or a note on a credit note is not valid."""


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another credit note."""


@dataclass(frozen=True)
class Estimate:
    """What a credit note would come to, and the most that it may give back each way."""

    invoice: Invoice
    credited: Credited
    limits: Limits


@transaction.atomic
def credit_unused(
    *, line_id: int, unused: Decimal, used: Decimal, destination: str, reason: str, actor: Actor, at: datetime
) -> CreditNote | None:
    """Give back the unused part of a line that was billed in advance. Return None when nothing is left to give back.

    ``unused`` and ``used`` are net, in major units, unrounded; no more is given back than is left of the line. Cut off
    at five decimals of a minor unit, rounded once, taxed as the line was. ``destination`` is "credit" (pays later
    invoices), "refund" (what was paid beyond what was used, the rest is credit) or "offset" (the same, but the rest
    lowers what is due of the invoice first). On a draft invoice the note is a draft and issued with it; nothing comes
    of a voided or closed one, and where a share of it is written off, that share is not given back. Dates are local to
    the invoice. Not idempotent, but bounded by the line. Raises UnableToCredit for an unknown line or one that stands
    alone, InvalidCreditNote for an unknown reason, NotCreditable for an unknown destination.
    """
    _demand_reason(reason)
    line = InvoiceLine.objects.filter(pk=line_id).first()
    if line is None or line.invoice_id is None:
        raise UnableToCredit("invalid_type_or_status", "Only a line of an invoice can be credited.")
    invoice = known_invoices.locked(line.invoice_id)
    if invoice.status in _GONE:
        return None
    if invoice.written_off_amount:  # what nobody paid is not given back
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            unused *= 1 - invoice.written_off_amount.amount / invoice.gross_amount.amount
    billed = known.billed(invoice)
    left = next(found for found in billed.lines if found.id == line.pk)
    amount = credit_notes.truncated(min(unused, left.left_precise), currency=invoice.currency)
    if amount <= 0:
        return None
    credited = credit_notes.credit(invoice=billed, wanted={line.pk: amount})
    if not credited.amount.gross:
        return None
    limits = credit_notes.limits(invoice=billed, total=credited.amount.gross)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        used_gross = (used - left.coupons_of(used)) * (1 + line.taxes_rate)
        line_gross = left.amount.amount - left.coupons + line.taxes_amount.amount
    split = credit_notes.unused(
        total=credited.amount.gross,
        limits=limits,
        destination=destination,
        paid_share=credit_notes.refunded_share(
            paid=invoice.paid_amount,
            line_gross=line_gross,
            invoice_gross=invoice.gross_amount,
        ),
        used=used_gross,
    )
    return credit_note_writing.write(
        invoice=invoice, credited=credited, split=split, reason=reason, description="", actor=actor, at=at
    )


def estimate(*, invoice_id: int, amounts: Mapping[int, Money]) -> Estimate:
    """Work out, without writing, a credit note over net amounts by line of an issued invoice.

    Raises InvoiceNotFound, UnableToCredit for a draft or a voided invoice, and NotCreditable.
    """
    invoice = Invoice.objects.filter(pk=invoice_id).first()
    if invoice is None:
        raise known_invoices.InvoiceNotFound("invoice_not_found", "There is no such invoice.")
    return _estimate(invoice, amounts)


@transaction.atomic
def create(
    *,
    invoice_id: int,
    amounts: Mapping[int, Money],
    reason: str,
    actor: Actor,
    at: datetime,
    credit: Money | None = None,
    refund: Money | None = None,
    offset: Money | None = None,
    description: str = "",
    metadata: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> CreditNote:
    """Give back net amounts by line of an issued invoice, by hand.

    ``credit``, ``refund`` and ``offset`` are gross and make up the total; a difference of one minor unit goes to the
    first of them. With none of them everything is credit; of prepaid credit everything is a refund, or off what is due
    where it was not paid. A refund is pending until it is told to be paid. Called again with the same key and the same
    amounts it returns the first note and changes nothing. Raises InvoiceNotFound, UnableToCredit for a draft or a
    voided invoice, UnableToCreditSale for prepaid credit that stays sold, NotCreditable for more than is left,
    paid or due, KeyReused for the key of other amounts or another invoice, InvalidCreditNote, ApprovalRequired.
    """
    _demand_reason(reason)
    if idempotency_key:
        db.advisory_lock(f"invoicing.credit_note:{idempotency_key}")
    invoice = known_invoices.locked(invoice_id)
    if idempotency_key and (first := _first(idempotency_key, invoice, amounts)):
        return first
    if invoice.kind == Invoice.Kind.CREDIT:
        credit_note_wallets.lock(invoice=invoice)
    found = _estimate(invoice, amounts)
    had = had_before.credit_notes(invoice=invoice, at=at)
    approvals.demand(action=approval_actions.CREDIT_NOTE, amount=found.credited.amount.gross, actor=actor, before=had)
    total, nothing = found.credited.amount.gross, money.zero(found.invoice.currency)
    wanted = (
        credit_notes.usual(total=total, limits=found.limits)
        if credit is refund is offset is None
        else Split(credit=credit or nothing, refund=refund or nothing, offset=offset or nothing)
    )
    note = credit_note_writing.write(
        invoice=found.invoice,
        credited=found.credited,
        split=credit_notes.split(total=total, limits=found.limits, wanted=wanted),
        reason=reason,
        description=description,
        actor=actor,
        at=at,
        idempotency_key=idempotency_key,
        metadata=metadata,
    )
    if invoice.kind == Invoice.Kind.CREDIT:
        credit_note_wallets.take_out(note=note, invoice=found.invoice, actor=actor, at=at)
    return note


@transaction.atomic
def void(*, credit_note_id: int, actor: Actor, at: datetime) -> CreditNote:
    """Take back what is left of a credit. What was used stays used, and the document stays issued.

    The rest is earned and taxed after all: booked in the shares of net and tax. Raises CreditNoteNotFound, and
    UnableToCredit (`no_voidable_amount`) where no credit is left.
    """
    note = known.locked(credit_note_id)
    if note.status != CreditNote.Status.FINALIZED or note.credit_status != CreditNote.CreditStatus.AVAILABLE:
        raise UnableToCredit("no_voidable_amount", "There is no credit left to void.")
    left = note.balance_amount
    net, tax = money.allocate(left, [note.sub_total_amount.amount, note.taxes_amount.amount])
    note.balance_amount = money.zero(note.currency)
    note.credit_status = CreditNote.CreditStatus.VOIDED
    note.voided_at = note.updated_at = at
    note.save(update_fields=["balance_amount", "credit_status", "voided_at", "updated_at"])
    _book(note, ledger.credit_voided(Taxed(net=net, tax=tax, gross=left)), f"Credit of {note.number} voided", at)
    audit.record(actor=actor, at=at, verb="void", instance=note, old={"balance_cents": money.to_minor(left)})
    announcements.credit_voided(note=note, at=at)
    return note


@transaction.atomic
def tell_refund(*, credit_note_id: int, refund_status: str, actor: Actor, at: datetime) -> CreditNote:
    """Tell what became of a refund: pending, failed, or succeeded, which books the money as paid out.

    Setting what is set changes nothing. Raises CreditNoteNotFound, InvalidCreditNote for an unknown status or a note
    without a refund, UnableToCredit for a refund that was paid, and ApprovalRequired before it is told as paid.
    """
    note = known.locked(credit_note_id)
    if refund_status not in CreditNote.RefundStatus.values or not refund_status or not note.refund_amount:
        raise InvalidCreditNote(
            "validation_errors", "The refund cannot have this status.", {"refund_status": ["value_is_invalid"]}
        )
    before = note.refund_status
    if before == refund_status:
        return note
    if before == CreditNote.RefundStatus.SUCCEEDED:
        raise UnableToCredit("is_succeeded", "The refund was paid.")
    if refund_status == CreditNote.RefundStatus.SUCCEEDED:
        approvals.demand(
            action=approval_actions.REFUND_CREDIT_NOTE,
            amount=note.refund_amount,
            actor=actor,
            before=had_before.note_refunds(note=note, at=at),
        )
    note.refund_status = CreditNote.RefundStatus(refund_status)
    note.updated_at = at
    if refund_status == CreditNote.RefundStatus.SUCCEEDED:
        note.refunded_at = at
        _book(note, ledger.refunded(note.refund_amount), f"Refund of {note.number}", at)
    note.save(update_fields=["refund_status", "refunded_at", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="set_refund_status",
        instance=note,
        old={"refund_status": before},
        new={"refund_status": refund_status},
    )
    return note


@transaction.atomic
def update(
    *,
    credit_note_id: int,
    actor: Actor,
    at: datetime,
    refund_status: str | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> CreditNote:
    """Tell what became of the refund, merge notes into the metadata, or both; None leaves as it is. All or nothing."""
    if refund_status is not None:
        tell_refund(credit_note_id=credit_note_id, refund_status=refund_status, actor=actor, at=at)
    if metadata:
        return credit_note_metadata.merge(credit_note_id=credit_note_id, metadata=metadata, actor=actor, at=at)
    return known.locked(credit_note_id)


def _estimate(invoice: Invoice, amounts: Mapping[int, Money]) -> Estimate:
    if invoice.status != Invoice.Status.FINALIZED:
        raise UnableToCredit("invalid_type_or_status", f"An invoice that is {invoice.status} cannot be credited.")
    if invoice.written_off_amount:
        raise UnableToCredit("invoice_written_off", "Part of the invoice is written off: undo that first.")
    for amount in amounts.values():
        if amount.currency.code != invoice.currency:
            details = {"currency": ["currencies_does_not_match"]}
            raise InvalidCreditNote("currencies_does_not_match", f"The invoice is in {invoice.currency}.", details)
        money.to_minor(amount)
    billed = known.billed(invoice)
    credited = credit_notes.credit(
        invoice=billed, wanted={line_id: amount.amount for line_id, amount in amounts.items()}
    )
    total = credited.amount.gross
    if invoice.kind == Invoice.Kind.CREDIT:
        most = credit_note_wallets.limits(invoice=invoice, billed=billed, total=total)
    else:
        most = credit_notes.limits(invoice=billed, total=total)
    return Estimate(invoice=invoice, credited=credited, limits=most)


def _first(key: str, invoice: Invoice, amounts: Mapping[int, Money]) -> CreditNote | None:
    note = CreditNote.objects.filter(idempotency_key=key).first()
    if note is None:
        return None
    if note.invoice_id != invoice.pk or {item.line_id: item.amount for item in note.items.all()} != dict(amounts):
        raise KeyReused("idempotency_key_reused", "The key was used for another credit note.")
    return note


def _demand_reason(reason: str) -> None:
    if reason not in REASONS:
        raise InvalidCreditNote("validation_errors", f"{reason} is no reason.", {"reason": ["value_is_invalid"]})


def _book(note: CreditNote, booking: ledger.Booking, description: str, at: datetime) -> None:
    source = books.Source(
        booking=booking,
        instance=note,
        billing_entity_id=note.billing_entity_id,
        customer_id=note.customer_id,
        accounting_date=dates.local_date(at, dates.zone(note.timezone)),
        description=description,
    )
    books.post_many(sources=[source], at=at)

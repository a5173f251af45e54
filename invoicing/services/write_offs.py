"""Writing off what nobody expects to be paid any more, and undoing it when the customer pays after all.

A write-off takes an amount off what is due and books it as a loss, with its tax: whether and when the tax can be
corrected is a matter of law and a booking of its own. It pays nothing, so the payment status stays what it is; an
invoice of which nothing is left to be paid is not overdue and asked for nowhere.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import dates, db, errors, events, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import ledger
from invoicing.domain import write_offs as rules
from invoicing.domain.facts import InvoiceUnpaid
from invoicing.models import Invoice, WriteOff, WriteOffReversal
from invoicing.queries import had_before, receivables
from invoicing.queries import invoices as known_invoices
from invoicing.queries import write_offs as known
from invoicing.services import announcements, approval_actions, disputes, payment_request_states
from invoicing.services import ledger as books

NotWritable = rules.NotWritable


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another write-off."""


@transaction.atomic
def write_off(
    *,
    invoice_id: int,
    reason: str,
    actor: Actor,
    at: datetime,
    amount: Money | None = None,
    idempotency_key: str | None = None,
) -> WriteOff:
    """Write off all that is due of an issued invoice, or an ``amount`` of it, with tax.

    Called again with the same key and the same amount it returns the first one and changes nothing. Booked by the local
    day of ``at`` in the invoice's time zone, as a loss against what is owed; no tax is corrected. What is disputed
    beyond what is still due is settled. Raises InvoiceNotFound, NotWritable (`not_writable_off`) for what is not
    issued, not due, or sells credit that nobody has yet, InvalidWriteOff, KeyReused, ApprovalRequired.
    """
    if idempotency_key:
        db.advisory_lock(f"invoicing.write_off:{idempotency_key}")
    invoice = known_invoices.locked(invoice_id)
    if idempotency_key and (first := WriteOff.objects.filter(idempotency_key=idempotency_key).first()):
        if first.invoice_id != invoice.pk or (amount is not None and first.amount != amount):
            raise KeyReused("idempotency_key_reused", "The key was used for another write-off.")
        return first
    demand_writable(invoice)
    due = receivables.owed(invoice)
    wanted = due if amount is None else amount
    rules.demand_amount(amount=wanted, due=due)
    why = rules.demand_reason(reason)
    had = had_before.write_offs(of=invoice, at=at)
    approvals.demand(action=approval_actions.WRITE_OFF, amount=wanted, actor=actor, before=had)
    row = WriteOff.objects.create(
        created_at=at,
        invoice=invoice,
        currency=invoice.currency,
        amount=wanted,
        reason=why,
        idempotency_key=idempotency_key or None,
    )
    before = invoice.written_off_amount
    invoice.written_off_amount += wanted
    if wanted >= due - invoice.disputed_amount:
        invoice.payment_overdue = False
    _save(invoice, at)
    _book(row, invoice, ledger.written_off(wanted), f"Written off of {invoice.number}", at)
    disputes.shrink(invoice=invoice, actor=actor, at=at)
    _note(invoice, "write_off", before, why, actor, at)
    announcements.written_off(invoice=invoice, at=at)
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return row


@transaction.atomic
def undo(*, write_off_id: int, reason: str, actor: Actor, at: datetime) -> WriteOffReversal:
    """Take a write-off back, whole: the amount is owed again, such as when the customer pays after all.

    An invoice that was paid but for it is unpaid again, and subscribers hear InvoiceUnpaid. Whether it is overdue is
    said by the next round. Booked by the local day of ``at``. Undoing it again is refused. Raises WriteOffNotFound,
    InvalidWriteOff without a reason, NotWritable (`already_undone`, `not_writable_off` for a voided invoice).
    """
    found = WriteOff.objects.filter(pk=write_off_id).first()
    if found is None:
        raise known.WriteOffNotFound("write_off_not_found", "There is no such write-off.")
    invoice = known_invoices.locked(found.invoice_id)
    if WriteOffReversal.objects.filter(write_off=found).exists():
        raise NotWritable("already_undone", "The write-off was undone before.")
    if invoice.status != Invoice.Status.FINALIZED:
        raise NotWritable("not_writable_off", f"Nothing is owed of an invoice that is {invoice.status}.")
    return _undo(found, invoice, rules.demand_reason(reason), actor, at)


def undo_all(*, invoice: Invoice, reason: str, actor: Actor, at: datetime) -> None:
    """Take back all write-offs of a locked invoice that is about to be voided: the void takes back the rest.

    Does nothing, without a query, where nothing is written off. Needs a transaction.
    """
    if not invoice.written_off_amount:
        return
    for row in known.standing(invoice):
        _undo(row, invoice, reason.strip() or "Voided", actor, at, is_voided=True)


def demand_writable(invoice: Invoice) -> None:
    """Demand that something of an invoice can be written off. Raises NotWritable (`not_writable_off`)."""
    if invoice.status != Invoice.Status.FINALIZED:
        raise NotWritable("not_writable_off", f"Nothing is owed of an invoice that is {invoice.status}.")
    if invoice.kind == Invoice.Kind.CREDIT:
        raise NotWritable("not_writable_off", "It sells credit that nobody has yet: void it.")
    if invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED or receivables.owed(invoice).amount <= 0:
        raise NotWritable("not_writable_off", "Nothing of the invoice is due.")


def _undo(
    row: WriteOff, invoice: Invoice, reason: str, actor: Actor, at: datetime, *, is_voided: bool = False
) -> WriteOffReversal:
    reversal = WriteOffReversal.objects.create(
        created_at=at, write_off=row, currency=row.currency, amount=row.amount, reason=reason
    )
    before = invoice.written_off_amount
    invoice.written_off_amount -= row.amount
    was_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED and not is_voided
    if was_paid:
        invoice.payment_status, invoice.paid_at = Invoice.PaymentStatus.PENDING, None
    _save(invoice, at)
    _book(reversal, invoice, ledger.write_off_undone(row.amount), f"Owed again of {invoice.number}", at)
    _note(invoice, "undo_write_off", before, reason, actor, at)
    if was_paid:
        announcements.paid(invoice=invoice, at=at)
        events.publish(InvoiceUnpaid(invoice_id=invoice.pk))
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return reversal


def _save(invoice: Invoice, at: datetime) -> None:
    invoice.updated_at = at
    fields = ["written_off_amount", "payment_status", "payment_overdue", "paid_at", "updated_at"]
    invoice.save(update_fields=fields)


def _book(
    row: WriteOff | WriteOffReversal, invoice: Invoice, booking: ledger.Booking, description: str, at: datetime
) -> None:
    source = books.Source(
        booking=booking,
        instance=row,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=description,
        invoice_id=invoice.pk,
    )
    books.post_many(sources=[source], at=at)


def _note(invoice: Invoice, verb: str, before: Money, reason: str, actor: Actor, at: datetime) -> None:
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=invoice,
        old={"written_off_cents": money.to_minor(before)},
        new={
            "written_off_cents": money.to_minor(invoice.written_off_amount),
            "due_cents": money.to_minor(receivables.owed(invoice)),
        },
        reason=reason,
    )

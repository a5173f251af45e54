"""Disputes: a customer refuses to pay an issued invoice or a line of it. Owns opening and ending them, and shrinking
them where what they are about is paid, credited or voided.

What is disputed moves from receivables to an account of its own and back. It is not overdue and not dunned; the rest of
the invoice is.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import dates, db, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import disputes as rules
from invoicing.domain import ledger
from invoicing.models import DisputeMove, Invoice, InvoiceDispute, InvoiceLine
from invoicing.queries import disputes as known
from invoicing.queries import invoices as known_invoices
from invoicing.queries import receivables
from invoicing.services import announcements
from invoicing.services import ledger as books

Status = InvoiceDispute.Status
Kind = DisputeMove.Kind
NotDisputable = rules.NotDisputable


@transaction.atomic
def open_dispute(
    *,
    invoice_id: int,
    reason: str,
    actor: Actor,
    at: datetime,
    amount: Money | None = None,
    line_id: int | None = None,
) -> InvoiceDispute:
    """Open a dispute of an issued invoice: of all that is due, of a line with its tax, or of an ``amount``, gross.

    A line's dispute is of no more than is due. Booked by the local day of ``at``. Not idempotent, but bounded by what
    is due. Raises InvoiceNotFound, NotDisputable for what is not issued or not due (`not_disputable`), InvalidDispute.
    """
    invoice = known_invoices.locked(invoice_id)
    due = receivables.owed(invoice)
    if invoice.status != Invoice.Status.FINALIZED or due == invoice.disputed_amount:
        raise NotDisputable("not_disputable", f"Nothing is left to dispute of invoice {invoice}.")
    if not reason.strip():
        raise rules.InvalidDispute("value_is_mandatory", "Say why.", {"reason": ["value_is_mandatory"]})
    line, left = None, None
    if line_id is not None:
        line = InvoiceLine.objects.filter(pk=line_id, invoice=invoice).first()
        if line is None:
            raise rules.InvalidDispute("fee_not_found", "The line is not on this invoice.", {"line": ["fee_not_found"]})
        left = known.line_left(line)
    whole = due - invoice.disputed_amount
    wanted = amount if amount is not None else (whole if left is None else min(left, whole))
    rules.demand_amount(amount=wanted, due=due, disputed=invoice.disputed_amount, line_left=left)
    dispute = InvoiceDispute.objects.create(
        created_at=at,
        updated_at=at,
        invoice=invoice,
        line=line,
        currency=invoice.currency,
        amount=wanted,
        open_amount=wanted,
        reason=reason,
        opened_at=at,
    )
    invoice.disputed_amount += wanted
    if invoice.disputed_amount == due:
        invoice.payment_overdue = False
    _save(invoice, at)
    _move(dispute, invoice, Kind.OPENED, wanted, at)
    _note(invoice, "open_dispute", wanted, reason, actor, at)
    return dispute


@transaction.atomic
def resolve(*, dispute_id: int, outcome: str, actor: Actor, at: datetime, resolution: str = "") -> InvoiceDispute:
    """End an open dispute: `won` or `withdrawn`, and it is owed again; `lost`, and it stays disputed for good.

    A lost one of all that is due marks the invoice: it is not overdue any more. Setting what is set changes nothing.
    Raises DisputeNotFound, InvalidDispute for another outcome, NotDisputable for one that is over.
    """
    found = known.one(dispute_id)
    invoice = known_invoices.locked(found.invoice_id)
    dispute = db.lock_one(InvoiceDispute.objects.filter(pk=dispute_id))
    if outcome not in rules.OUTCOMES:
        raise rules.InvalidDispute("value_is_invalid", f"{outcome} is no outcome.", {"outcome": ["value_is_invalid"]})
    if dispute.status == outcome:
        return dispute
    if dispute.status not in (Status.OPEN, Status.LOST):
        raise NotDisputable("invalid_status", "The dispute is over.")
    part = dispute.open_amount
    dispute.status, dispute.resolved_at, dispute.updated_at = Status(outcome), at, at
    dispute.resolution = resolution
    nothing = money.zero(dispute.currency)
    if outcome != Status.LOST:
        dispute.open_amount = nothing
        invoice.disputed_amount -= part
    dispute.save(update_fields=["status", "open_amount", "resolved_at", "resolution", "updated_at"])
    was_lost = invoice.payment_dispute_lost_at is not None
    if outcome == Status.LOST and invoice.disputed_amount == receivables.owed(invoice) and not known.has_open(invoice):
        invoice.payment_dispute_lost_at = invoice.payment_dispute_lost_at or at
        invoice.payment_overdue = False
    elif outcome != Status.LOST:
        # The seller turned out to be right after all.
        invoice.payment_dispute_lost_at = None
    _save(invoice, at)
    _move(dispute, invoice, Kind(outcome), nothing if outcome == Status.LOST else -part, at)
    _note(invoice, "end_dispute", part, resolution, actor, at, outcome)
    if invoice.payment_dispute_lost_at is not None and not was_lost:
        announcements.dispute_lost(invoice=invoice, at=at)
    return dispute


@transaction.atomic
def lose(*, invoice_id: int, actor: Actor, at: datetime, reason: str = "") -> Invoice:
    """Mark the dispute of a whole issued invoice as lost: it will not be paid, and is not overdue any more.

    What is due and not disputed yet is disputed by this; open disputes are lost. The invoice stays issued, and what is
    due stays due until it is credited or voided. Idempotent. Raises InvoiceNotFound, NotDisputable (`not_disputable`).
    """
    invoice = known_invoices.locked(invoice_id)
    if invoice.status != Invoice.Status.FINALIZED:
        raise NotDisputable("not_disputable", f"An invoice that is {invoice.status} has no dispute to lose.")
    if invoice.payment_dispute_lost_at is not None:
        return invoice
    if receivables.owed(invoice) > invoice.disputed_amount:
        open_dispute(invoice_id=invoice.pk, reason=reason or "Payment dispute lost", actor=actor, at=at)
    for pk in known.standing(invoice).filter(status=Status.OPEN).values_list("pk", flat=True):
        resolve(dispute_id=pk, outcome=Status.LOST, resolution=reason, actor=actor, at=at)
    invoice = known_invoices.locked(invoice_id)
    if invoice.payment_dispute_lost_at is None:
        # Nothing is due: the bank took back what was paid before.
        invoice.payment_dispute_lost_at = at
        _save(invoice, at)
        announcements.dispute_lost(invoice=invoice, at=at)
    audit.record(actor=actor, at=at, verb="lose_dispute", instance=invoice, new={"lost_at": at}, reason=reason)
    return invoice


def shrink(*, invoice: Invoice, actor: Actor, at: datetime) -> None:
    """End what is disputed beyond what a locked and saved invoice still has due: it was paid or credited.

    The oldest dispute first. Does nothing, without a query, where nothing is disputed. Needs a transaction.
    """
    if invoice.disputed_amount:
        _settle(invoice, receivables.owed(invoice), actor, at)


def settle_all(*, invoice: Invoice, actor: Actor, at: datetime) -> None:
    """End all disputes of a locked invoice that is about to be voided: nothing of it will be due."""
    if invoice.disputed_amount:
        _settle(invoice, money.zero(invoice.currency), actor, at)


def _settle(invoice: Invoice, due: Money, actor: Actor, at: datetime) -> None:
    rows = db.lock(known.standing(invoice))
    rows.sort(key=lambda row: row.pk)
    parts = rules.settled(due=due, standing=[row.open_amount for row in rows])
    for dispute, part in zip(rows, parts, strict=True):
        if not part:
            continue
        dispute.open_amount -= part
        dispute.updated_at = at
        if not dispute.open_amount:
            dispute.status, dispute.resolved_at = Status.SETTLED, at
        dispute.save(update_fields=["status", "open_amount", "resolved_at", "updated_at"])
        invoice.disputed_amount -= part
        _save(invoice, at)
        _move(dispute, invoice, Kind.SETTLED, -part, at)
        _note(invoice, "end_dispute", part, "", actor, at, Status.SETTLED)


def _save(invoice: Invoice, at: datetime) -> None:
    invoice.updated_at = at
    invoice.save(update_fields=["disputed_amount", "payment_overdue", "payment_dispute_lost_at", "updated_at"])


def _move(dispute: InvoiceDispute, invoice: Invoice, kind: DisputeMove.Kind, change: Money, at: datetime) -> None:
    move = DisputeMove.objects.create(
        created_at=at, dispute=dispute, kind=kind, currency=dispute.currency, amount=change
    )
    booking = ledger.dispute_opened(change) if change.amount > 0 else ledger.dispute_ended(-change)
    source = books.Source(
        booking=booking,
        instance=move,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=f"Dispute of {invoice.number}: {move.get_kind_display()}",
        invoice_id=invoice.pk,
    )
    books.post_many(sources=[source], at=at)


def _note(
    invoice: Invoice, verb: str, amount: Money, reason: str, actor: Actor, at: datetime, outcome: str = ""
) -> None:
    new = {"amount_cents": money.to_minor(amount), "disputed_cents": money.to_minor(invoice.disputed_amount)}
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=invoice,
        new={**new, "outcome": str(outcome)} if outcome else new,
        reason=reason,
    )

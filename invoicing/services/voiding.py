"""Taking invoices back. Owns the verbs: voiding a draft, and voiding a document with all that it took and was paid.

A voided document keeps its number and all that it said. What it used of credits and what was paid for it are the
customer's again, its revenue and tax are taken back; the arithmetic is `domain.voids`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import dates, events, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import ledger, states, voids
from invoicing.domain.facts import BalancesMoved, InvoiceVoided
from invoicing.domain.voids import Given
from invoicing.models import Invoice
from invoicing.queries import had_before
from invoicing.queries import invoices as known_invoices
from invoicing.queries import voids as known
from invoicing.services import (
    announcements,
    approval_actions,
    coupon_uses,
    credit_note_uses,
    credit_note_writing,
    disputes,
    held_payments,
    payment_request_states,
    prepaid_draws,
    tax_reports,
    void_notes,
    wallet_settlements,
    write_offs,
)
from invoicing.services import ledger as books


@dataclass(frozen=True)
class CreditNoteParts:
    """Which parts of a voided invoice a credit note gives back instead: gross, as credit and as a refund."""

    credit: Money
    refund: Money


@transaction.atomic
def void_draft(*, invoice_id: int, reason: str, actor: Actor, at: datetime) -> Invoice:
    """Void a draft, or what waits for its taxes. It never gets a number, so the numbers of other invoices stay without
    a gap; its draft credit notes go with it.

    What it billed may be billed anew: subscribers hear InvoiceVoided inside the transaction. Raises NotFound, and
    InvalidTransition (`not_voidable`) for what is issued or gone, and for what another invoice took off its lines.
    """
    invoice = known_invoices.locked(invoice_id)
    before = invoice.status
    invoice.status = states.move(status=before, verb=states.VOID_DRAFT)
    known.demand_not_taken_off(invoice)
    credit_note_writing.destroy_drafts(invoice=invoice)
    invoice.voided_at = invoice.updated_at = at
    invoice.save(update_fields=["status", "voided_at", "updated_at"])
    _note(invoice, before, reason, actor, at)
    announcements.deleted(draft=invoice, at=at)
    events.publish(BalancesMoved(customer_ids=(invoice.customer_id,), at=at))
    events.publish(InvoiceVoided(invoice_id=invoice.pk))
    return invoice


@transaction.atomic
def void(
    *,
    invoice_id: int,
    actor: Actor,
    at: datetime,
    reason: str = "",
    credit_note: CreditNoteParts | None = None,
) -> Invoice:
    """Void an issued invoice: its revenue and tax are taken back, and what it took is given back. The number stays.

    Coupons, credits of credit notes, prepaid credit and credits of wallets (as granted ones) can be used again, and
    payments are held for the customer; what its credit notes gave back before is not given back once more. What it
    billed stays billed until it is regenerated. Open disputes end, and write-offs are undone. The books' day is the
    local day of ``at`` in the invoice's time zone.

    With ``credit_note`` a note gives back those parts, spread over the lines, and a second one over all the rest is
    issued and voided at once; credits of wallets are not given back then. Subscribers hear InvoiceVoided inside the
    transaction. Not idempotent: a second call is refused. Raises NotFound, InvalidTransition (`not_voidable`) for what
    is no document, gathers fees that were paid before, sold credit that was paid, or cannot give back what it took,
    VoidTooMuch, ApprovalRequired, and what subscribers refuse with.
    """
    invoice = known_invoices.locked(invoice_id)
    states.move(status=invoice.status, verb=states.VOID)
    known.demand_voidable(invoice)
    had = had_before.voids(invoice=invoice, at=at)
    approvals.demand(action=approval_actions.VOID_INVOICE, amount=invoice.gross_amount, actor=actor, before=had)
    disputes.settle_all(invoice=invoice, actor=actor, at=at)
    write_offs.undo_all(invoice=invoice, reason=reason, actor=actor, at=at)
    # Coupons, credits of notes, prepaid credit, wallets: locked in the order in which an invoice takes them.
    coupon_uses.give_back(invoice=invoice, actor=actor, at=at)
    if credit_note is not None:
        void_notes.write(
            invoice=invoice, credit=credit_note.credit, refund=credit_note.refund, reason=reason, actor=actor, at=at
        )
    given = voids.given(known.settled(invoice), keeps_wallet=credit_note is not None)
    invoice.status = states.move(status=invoice.status, verb=states.VOID)
    invoice.voided_at = invoice.updated_at = at
    invoice.paid_amount -= given.held
    invoice.payment_overdue = False
    invoice.save(update_fields=["status", "voided_at", "paid_amount", "payment_overdue", "updated_at"])
    books.post_many(sources=[_booking(invoice, given, at)], at=at)
    held_payments.release(invoice=invoice, amount=given.held, at=at)
    credit_note_uses.give_back(invoice=invoice, amount=given.credits, at=at)
    prepaid_draws.give_back(invoice=invoice, amount=given.prepaid, at=at)
    announcements.voided(invoice=invoice, at=at)
    wallet_settlements.give_back(invoice=invoice, amount=given.wallet, actor=actor, at=at)
    _note(invoice, states.FINALIZED, reason, actor, at, given)
    tax_reports.voided(invoice_id=invoice.pk, at=at)
    events.publish(InvoiceVoided(invoice_id=invoice.pk, was_issued=True))
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return invoice


def _booking(invoice: Invoice, given: Given, at: datetime) -> books.Source:
    return books.Source(
        booking=ledger.voided(
            earned=known.taken_back(invoice, kept=given.kept),
            written_off=given.written_off,
        ),
        instance=invoice,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=f"Invoice {invoice.number} voided",
    )


def _note(invoice: Invoice, before: str, reason: str, actor: Actor, at: datetime, given: Given | None = None) -> None:
    new: dict[str, object] = {"status": states.VOIDED}
    if given is not None:
        amounts = {
            "held_cents": given.held,
            "credits_cents": given.credits,
            "prepaid_cents": given.prepaid,
            "wallet_cents": given.wallet,
            "kept_cents": given.kept,
            "written_off_cents": given.written_off,
        }
        new |= {name: money.to_minor(amount) for name, amount in amounts.items() if amount}
    audit.record(actor=actor, at=at, verb="void", instance=invoice, old={"status": before}, new=new, reason=reason)

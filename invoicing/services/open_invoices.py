"""Invoices that are issued once they are paid. Owns making a draft one of them, and closing one that is not paid.

An open invoice has no number and is in no list of documents, no ledger and no revenue; its lines are frozen, so that
what is asked for stays what is paid. Money that comes in for it is held as the customer's. Recording payments is
`payments`', issuing `finalization`'s.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import db
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer
from invoicing.domain import states
from invoicing.models import Invoice
from invoicing.queries import invoices as known_invoices
from invoicing.services import coupon_uses, held_payments


def locked(invoice_id: int) -> Invoice:
    """Lock an invoice and read it anew; of one that waits for its payment its customer first, as billing does.

    What its payment sets going is billing's, which holds the customer before anything else. Raises InvoiceNotFound.
    """
    waiting = Invoice.objects.filter(pk=invoice_id, status=Invoice.Status.OPEN)
    customer_id = waiting.values_list("customer_id", flat=True).first()
    if customer_id is not None:
        db.lock_one(Customer.objects.filter(pk=customer_id))
    return known_invoices.locked(invoice_id)


@transaction.atomic
def hold(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Let a draft wait for its payment before it is issued. Raises NotFound, InvalidTransition for what is no draft.

    It uses the coupons of its customer now, as what is asked for is what will be paid.
    """
    invoice = known_invoices.locked(invoice_id)
    states.move(status=invoice.status, verb=states.HOLD)
    taken = coupon_uses.take(invoices=[invoice], at=at)
    invoice.save(update_fields=["coupons_amount", "taxes_amount", "total_amount"])
    _move(invoice, states.HOLD, "hold", "", actor, at)
    coupon_uses.write(taken=taken, actor=actor, at=at)
    return invoice


def asked(*, invoice: Invoice, at: datetime) -> Money:
    """Return what a draft would ask for if it were held now: its total, lowered by coupons. Reads only."""
    lowered = coupon_uses.would_take(invoice=invoice, at=at)
    return invoice.total_amount if lowered is None else lowered.taxes.whole.amount.gross


@transaction.atomic
def close(*, invoice_id: int, reason: str, actor: Actor, at: datetime) -> Invoice:
    """Close an open invoice that is not paid: it never becomes a document.

    What was paid for it is held for the customer: it may pay another invoice, or be paid back. What it billed is given
    back by whoever asked for it; coupons that it used may be used again. Raises NotFound, InvalidTransition for what is
    not open.
    """
    invoice = locked(invoice_id)
    _move(invoice, states.CLOSE_UNPAID, "close", reason, actor, at)
    if invoice.paid_amount:
        # As the customer's it was booked when it came in.
        released = invoice.paid_amount
        invoice.paid_amount -= released
        invoice.save(update_fields=["paid_amount"])
        held_payments.release(invoice=invoice, amount=released, at=at)
    coupon_uses.give_back(invoice=invoice, actor=actor, at=at)
    return invoice


def _move(invoice: Invoice, verb: str, word: str, reason: str, actor: Actor, at: datetime) -> Invoice:
    before = invoice.status
    invoice.status = states.move(status=before, verb=verb)
    invoice.updated_at = at
    invoice.save(update_fields=["status", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb=word,
        instance=invoice,
        old={"status": before},
        new={"status": invoice.status},
        reason=reason,
    )
    return invoice

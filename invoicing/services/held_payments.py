"""Money that is held for customers: what payments paid of invoices that were voided, or closed unpaid, since. Owns
holding it, letting it pay another invoice, and paying it back.

A payment's row never changes: what is held of it is what was released of its allocations, not used or refunded since.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import dates, db, errors, events, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import allocation, ledger
from invoicing.domain.facts import InvoicePaid
from invoicing.models import Invoice, Payment, PaymentAllocation, PaymentRefund, PaymentRelease
from invoicing.queries import had_before
from invoicing.queries import held_payments as known
from invoicing.queries import invoices as known_invoices
from invoicing.services import announcements, approval_actions, disputes, payment_request_states, wallet_settlements
from invoicing.services import ledger as books


class UnableToUseHeld(errors.NotAllowed):
    """The payment holds nothing, or the invoice is none that it may pay."""


class InvalidHeldAmount(errors.Invalid):
    """The amount is nothing, or more than is held."""


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another refund."""


def release(*, invoice: Invoice, amount: Money, at: datetime) -> list[PaymentRelease]:
    """Hold what was paid for a locked invoice that is voided or closed, up to an amount: the newest payments first.

    The caller lowers what the invoice says was paid. Booked by the local day of ``at``; money for an invoice that was
    never issued is booked as the customer's since it came in. Needs a transaction.
    """
    rows = []
    for part in PaymentAllocation.objects.filter(invoice=invoice).select_related("payment").order_by("-pk"):
        taken = min(part.amount, amount)
        if taken:
            rows.append(PaymentRelease(created_at=at, allocation=part, currency=part.currency, amount=taken))
            amount -= taken
    released = PaymentRelease.objects.bulk_create(rows)
    if invoice.status == Invoice.Status.CLOSED:
        return released
    sources = [
        _source(ledger.released(row.amount), row, invoice, f"Payment of voided invoice {invoice.number} held", at)
        for row in released
    ]
    books.post_many(sources=sources, at=at)
    return released


@transaction.atomic
def allocate(
    *,
    payment_id: int,
    invoice_id: int,
    amount: Money,
    actor: Actor,
    at: datetime,
    received_at: datetime | None = None,
) -> PaymentAllocation:
    """Let held money of a payment pay an issued invoice of the same customer, seller and currency; in part is fine.

    A payment pays an invoice once: asked again for the same, it is refused. When nothing is due any more the invoice is
    paid, and subscribers hear InvoicePaid. Booked by the local day of ``at``, or of ``received_at`` for money that was
    meant for the invoice when it came in. Raises PaymentNotFound, InvoiceNotFound,
    UnableToUseHeld, InvalidHeldAmount, and NotPayable for more than is due.
    """
    invoice = known_invoices.locked(invoice_id)
    payment = known.locked(payment_id)
    seller = known.seller_of(payment)
    if invoice.status != Invoice.Status.FINALIZED:
        raise UnableToUseHeld("invoice_not_finalized", f"An invoice that is {invoice.status} cannot be paid.")
    if (invoice.customer_id, invoice.billing_entity_id) != (payment.customer_id, seller):
        raise UnableToUseHeld("invalid_type_or_status", "The money was paid by another customer or to another seller.")
    if PaymentAllocation.objects.filter(payment=payment, invoice=invoice).exists():
        raise UnableToUseHeld("invalid_type_or_status", "The payment pays this invoice already.")
    due = invoice.total_amount - invoice.offset_amount - invoice.written_off_amount
    settlement = allocation.settle(total=due, paid=invoice.paid_amount, amount=amount)
    _demand_held(payment, amount)
    part = PaymentAllocation.objects.create(
        created_at=at, payment=payment, invoice=invoice, currency=invoice.currency, amount=amount
    )
    was_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED
    invoice.paid_amount = settlement.paid
    invoice.updated_at = at
    if settlement.is_complete and not was_paid:
        invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
        invoice.payment_overdue = False
        invoice.paid_at = received_at or at
    invoice.save(update_fields=["paid_amount", "payment_status", "payment_overdue", "paid_at", "updated_at"])
    books.post_many(
        sources=[
            _source(ledger.held_used(amount), part, invoice, f"Held payment for {invoice.number}", received_at or at)
        ],
        at=at,
    )
    disputes.shrink(invoice=invoice, actor=actor, at=at)
    new = {"amount_cents": money.to_minor(amount), "payment": str(payment.uuid)}
    audit.record(actor=actor, at=at, verb="allocate_payment", instance=invoice, new=new)
    if settlement.is_complete and not was_paid:
        announcements.paid(invoice=invoice, at=at)
        events.publish(InvoicePaid(invoice_id=invoice.pk))
        wallet_settlements.settle_paid(invoice_ids=[invoice.pk], actor=actor, at=at)
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return part


@transaction.atomic
def refund(
    *,
    payment_id: int,
    amount: Money,
    reference: str,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
) -> PaymentRefund:
    """Record that held money was paid back to the customer; in part is fine.

    Called again with the same key and amount it returns the first refund and changes nothing. Booked by the local day
    of ``at`` in the time zone of the newest invoice that it paid. Raises PaymentNotFound, UnableToUseHeld,
    InvalidHeldAmount, KeyReused, ApprovalRequired.
    """
    if idempotency_key:
        db.advisory_lock(f"invoicing.payment_refund:{idempotency_key}")
    payment = known.locked(payment_id)
    if idempotency_key and (first := PaymentRefund.objects.filter(idempotency_key=idempotency_key).first()):
        if (first.payment_id, first.amount) != (payment.pk, amount):
            raise KeyReused("idempotency_key_reused", "The key was used for another refund.")
        return first
    _demand_held(payment, amount)
    had = had_before.payment_refunds(payment=payment, at=at)
    approvals.demand(action=approval_actions.REFUND_PAYMENT, amount=amount, actor=actor, before=had)
    row = PaymentRefund.objects.create(
        created_at=at,
        payment=payment,
        currency=payment.currency,
        amount=amount,
        reference=reference,
        refunded_at=at,
        idempotency_key=idempotency_key or None,
    )
    invoice = known.invoice_of(payment)
    books.post_many(
        sources=[_source(ledger.held_refunded(amount), row, invoice, f"Refund of payment {reference}".strip(), at)],
        at=at,
    )
    new = {"amount_cents": money.to_minor(amount), "reference": reference}
    audit.record(actor=actor, at=at, verb="refund_payment", instance=payment, new=new)
    return row


def _demand_held(payment: Payment, amount: Money) -> None:
    if amount.currency.code != payment.currency:
        code = "currencies_does_not_match"
        raise InvalidHeldAmount(code, f"The payment is in {payment.currency}.", {"amount_currency": [code]})
    money.to_minor(amount)
    held = known.held(payment)
    if not held:
        raise UnableToUseHeld("nothing_held", "Nothing of this payment is held for the customer.")
    if amount.amount <= 0 or amount > held:
        details = {"amount_cents": ["invalid_value"]}
        raise InvalidHeldAmount("invalid_value", f"More than nothing, and no more than {held}, is held.", details)


def _source(
    booking: ledger.Booking,
    row: PaymentRelease | PaymentAllocation | PaymentRefund,
    invoice: Invoice,
    description: str,
    at: datetime,
) -> books.Source:
    return books.Source(
        booking=booking,
        instance=row,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(at, dates.zone(invoice.timezone)),
        description=description,
        invoice_id=invoice.pk,
    )

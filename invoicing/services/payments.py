"""Money received. Records payments, allocates them to an invoice, books them and says when nothing is due any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from moneyed import Money

from config.kernel import dates, db, errors, events, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import allocation, ledger, states
from invoicing.domain.facts import InvoicePaid, InvoiceUnpaid
from invoicing.models import Invoice, Payment, PaymentAllocation, PaymentRequest
from invoicing.services import (
    announcements,
    approval_actions,
    disputes,
    finalization,
    open_invoices,
    payment_receipts,
    payment_request_states,
    wallet_settlements,
)
from invoicing.services import ledger as books

# Clients send a day alone as its start in UTC, which east of Greenwich lies up to 14 hours ahead of the clock.
_AHEAD = timedelta(days=1)


class UnableToPay(errors.NotAllowed):
    """The invoice is no document that anybody could pay."""


class NotReceivedYet(errors.Invalid):
    """The money is said to come one day: nothing was received."""


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another payment."""


@transaction.atomic
def record(
    *,
    invoice_id: int,
    amount: Money,
    reference: str,
    paid_at: datetime,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
) -> Payment:
    """Record money that a customer paid for an invoice; part payments are welcome.

    Called again with the same key and the same payment it returns the first one and changes nothing. The ledger's day
    is the local date of ``paid_at`` in the invoice's time zone. When nothing is due any more the invoice is paid, and
    subscribers hear InvoicePaid inside the transaction, unless it was declared paid before. One that waited for its
    payment is issued then; until it is, the money is held as the customer's. Raises NotFound,
    UnableToPay for what is not issued, NotPayable for an amount that is not positive or more than is due, Invalid for
    one finer than the currency, NotReceivedYet for a ``paid_at`` more than a day after ``at``, KeyReused.
    """
    if idempotency_key:
        db.advisory_lock(f"invoicing.payment:{idempotency_key}")
    invoice = open_invoices.locked(invoice_id)
    if idempotency_key and (first := _first(idempotency_key, invoice, amount, reference)):
        return first
    demand_received(paid_at=paid_at, at=at)
    waited = invoice.status == Invoice.Status.OPEN
    if invoice.status != Invoice.Status.FINALIZED and not waited:
        raise UnableToPay("invoice_not_finalized", f"An invoice that is {invoice.status} cannot be paid.")
    settlement = allocation.settle(
        total=invoice.total_amount - invoice.offset_amount - invoice.written_off_amount,
        paid=invoice.paid_amount,
        amount=amount,
    )
    was_paid = invoice.payment_status == Invoice.PaymentStatus.SUCCEEDED
    payment = Payment.objects.create(
        created_at=at,
        customer_id=invoice.customer_id,
        currency=invoice.currency,
        amount=amount,
        reference=reference,
        paid_at=paid_at,
        idempotency_key=idempotency_key or None,
    )
    PaymentAllocation.objects.create(
        created_at=at, payment=payment, invoice=invoice, currency=invoice.currency, amount=amount
    )
    invoice.paid_amount = settlement.paid
    invoice.updated_at = at
    if settlement.is_complete and not waited:
        _settle(invoice, paid_at)
    invoice.save(update_fields=["paid_amount", "payment_status", "payment_overdue", "paid_at", "updated_at"])
    books.post_many(sources=[_booking(payment, invoice)], at=at)
    disputes.shrink(invoice=invoice, actor=actor, at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="record_payment",
        instance=invoice,
        new={
            "amount_cents": money.to_minor(amount),
            "currency": invoice.currency,
            "reference": reference,
            "due_cents": money.to_minor(settlement.due),
        },
    )
    if settlement.is_complete and waited:
        finalization.issue_paid(invoice=invoice, actor=actor, at=at, paid_at=paid_at)
    if settlement.is_complete and not waited and not was_paid:
        announcements.paid(invoice=invoice, at=at)
        events.publish(InvoicePaid(invoice_id=invoice.pk))
        wallet_settlements.settle_paid(invoice_ids=[invoice.pk], actor=actor, at=at)
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    payment_receipts.issue(payment=payment, actor=actor, at=at)
    return payment


def receive(
    *,
    payment_request: PaymentRequest,
    timezone: str,
    amount: Money,
    reference: str,
    paid_at: datetime,
    idempotency_key: str | None,
    at: datetime,
) -> Payment:
    """Record money that answers a payment request, held for the customer until its invoices use it.

    Booked on the local day of ``paid_at`` in ``timezone``. The caller has checked amount and key, and allocates it.
    Needs a transaction.
    """
    payment = Payment.objects.create(
        created_at=at,
        customer_id=payment_request.customer_id,
        currency=payment_request.currency,
        amount=amount,
        reference=reference,
        payment_request=payment_request,
        paid_at=paid_at,
        idempotency_key=idempotency_key or None,
    )
    source = books.Source(
        booking=ledger.held(amount),
        instance=payment,
        billing_entity_id=payment_request.billing_entity_id,
        customer_id=payment_request.customer_id,
        accounting_date=dates.local_date(paid_at, dates.zone(timezone)),
        description=f"Payment of a payment request {reference}".strip(),
    )
    books.post_many(sources=[source], at=at)
    return payment


def demand_received(*, paid_at: datetime, at: datetime) -> None:
    """Raise NotReceivedYet for money that is said to come more than a day after ``at``."""
    if paid_at > at + _AHEAD:
        raise NotReceivedYet("invalid_date", "A payment cannot lie in the future.", {"paid_at": ["invalid_date"]})


@transaction.atomic
def declare(*, invoice_id: int, payment_status: str, actor: Actor, at: datetime) -> Invoice:
    """Set the payment status of an invoice by hand, for money that is accounted for elsewhere.

    No payment is recorded and nothing is booked: what is due stays due. One that waits for its payment is issued.
    Setting what is set changes nothing.
    Subscribers hear InvoicePaid when it is declared paid, InvoiceUnpaid when that is taken back. Raises NotFound,
    InvalidTransition for a draft, a voided invoice, or one that its payments settled, ApprovalRequired for one that is
    declared paid, and what subscribers refuse with.
    """
    invoice = open_invoices.locked(invoice_id)
    target = states.move_payment(
        status=invoice.status,
        payment_status=invoice.payment_status,
        target=payment_status,
        is_settled=invoice.paid_amount + invoice.offset_amount + invoice.written_off_amount == invoice.total_amount,
    )
    if Invoice.PaymentStatus.SUCCEEDED == target != invoice.payment_status:
        due = invoice.total_amount - invoice.paid_amount - invoice.offset_amount - invoice.written_off_amount
        approvals.demand(action=approval_actions.DECLARE_PAID, amount=due, actor=actor)
    if invoice.status == Invoice.Status.OPEN:
        return finalization.issue_paid(invoice=invoice, actor=actor, at=at)
    before = invoice.payment_status
    if target == before:
        return invoice
    invoice.payment_status = Invoice.PaymentStatus(target)
    invoice.paid_at = None
    invoice.updated_at = at
    if target == Invoice.PaymentStatus.SUCCEEDED:
        _settle(invoice, at)
    invoice.save(update_fields=["payment_status", "payment_overdue", "paid_at", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="set_payment_status",
        instance=invoice,
        old={"payment_status": before},
        new={"payment_status": target},
    )
    announcements.paid(invoice=invoice, at=at)
    if target == Invoice.PaymentStatus.SUCCEEDED:
        events.publish(InvoicePaid(invoice_id=invoice.pk))
        wallet_settlements.settle_paid(invoice_ids=[invoice.pk], actor=actor, at=at)
    elif before == Invoice.PaymentStatus.SUCCEEDED:
        wallet_settlements.require_unsettled(invoice_id=invoice.pk)
        events.publish(InvoiceUnpaid(invoice_id=invoice.pk))
    payment_request_states.follow(invoice_ids=[invoice.pk], actor=actor, at=at)
    return invoice


def _first(key: str, invoice: Invoice, amount: Money, reference: str) -> Payment | None:
    payment = Payment.objects.filter(idempotency_key=key).first()
    if payment is None:
        return None
    same = payment.amount == amount and payment.reference == reference
    if not same or not payment.allocations.filter(invoice=invoice).exists():
        raise KeyReused("idempotency_key_reused", "The key was used for another payment.")
    return payment


def _settle(invoice: Invoice, paid_at: datetime) -> None:
    invoice.payment_status = Invoice.PaymentStatus.SUCCEEDED
    invoice.payment_overdue = False
    invoice.paid_at = paid_at


def _booking(payment: Payment, invoice: Invoice) -> books.Source:
    waits = invoice.status == Invoice.Status.OPEN
    return books.Source(
        booking=ledger.held(payment.amount) if waits else ledger.paid(payment.amount),
        instance=payment,
        billing_entity_id=invoice.billing_entity_id,
        customer_id=invoice.customer_id,
        accounting_date=dates.local_date(payment.paid_at, dates.zone(invoice.timezone)),
        description=f"Payment of {invoice} {payment.reference}".strip(),
        invoice_id=invoice.pk,
    )

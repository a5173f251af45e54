"""Asking a customer for several overdue invoices at once, and recording the one payment that answers.

Owns both verbs. The payment is booked by the services that book every payment: as money held for the customer, that
its invoices then use.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from moneyed import Money

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer
from customers.queries import customers
from invoicing.domain import payment_requests as rules
from invoicing.models import Delivery, Invoice, Payment, PaymentRequest, PaymentRequestInvoice
from invoicing.queries import invoices as known_invoices
from invoicing.queries import payment_requests as known
from invoicing.services import (
    delivery_mail,
    delivery_rows,
    held_payments,
    payment_announcements,
    payment_receipts,
    payments,
)

MOST = 200
"""How many invoices are asked for together at most."""

_LONGEST = 1000

_KEYS = uuid.UUID("3b0d7f52-0c55-4c1e-9a8e-52c1c7b8b6a4")
"""The namespace of public ids that follow from a key."""


class InvalidRequest(errors.Invalid):
    """No invoice is named, too many are, or the address is none."""


class AlreadyPaid(errors.NotAllowed):
    """Nothing of the invoices is due any more."""


@transaction.atomic
def create(
    *,
    external_customer_id: str,
    invoice_uuids: Sequence[uuid.UUID],
    email: str,
    actor: Actor,
    at: datetime,
    key: str = "",
) -> PaymentRequest:
    """Ask a customer for overdue invoices of one seller and currency together, by e-mail after the commit.

    The amount is what is due of them and not disputed. Without ``email`` it goes to the customer's addresses; where
    there is none, nothing is sent, and the audit trail says so. What is asked twice under the same ``key`` is asked
    once; without one each call asks once more. Raises NotFound (`customer_not_found`, `invoice_not_found`),
    InvalidRequest with codes per field, InvalidRecipients, and UnableToRequest.
    """
    public_id = uuid.uuid5(_KEYS, key) if key else uuid.uuid4()
    if key:
        db.advisory_lock(f"invoicing.payment_request:{key}")
        if first := PaymentRequest.objects.filter(uuid=public_id).first():
            return first
    customer = customers.by_external_id(external_id=external_customer_id)
    wanted = list(dict.fromkeys(invoice_uuids))
    if not wanted:
        raise _refused("lago_invoice_ids", "value_is_mandatory", "No invoice is named.")
    if len(wanted) > MOST:
        raise _refused("lago_invoice_ids", "invalid_size", f"No more than {MOST} invoices are asked for together.")
    to = ", ".join(delivery_mail.checked(field="email", given=[email])) if email else ""
    if len(to) > _LONGEST:
        raise _refused("email", "value_is_too_long", "These are too many addresses.")
    invoices = db.lock(Invoice.objects.filter(customer=customer, uuid__in=wanted, number__isnull=False))
    if len(invoices) < len(wanted):
        raise known_invoices.InvoiceNotFound("invoice_not_found", "The customer has no such invoice.")
    parts = known.open_parts(invoices)
    amount = rules.total(parts)
    request = PaymentRequest.objects.create(
        uuid=public_id,
        created_at=at,
        updated_at=at,
        customer=customer,
        billing_entity_id=invoices[0].billing_entity_id,
        currency=amount.currency.code,
        amount=amount,
        email=to or customer.email[:_LONGEST],
    )
    PaymentRequestInvoice.objects.bulk_create(
        PaymentRequestInvoice(
            created_at=at, payment_request=request, invoice_id=part.id, currency=request.currency, amount=part.asked
        )
        for part in sorted(parts, key=lambda part: (part.due_on, part.id))
    )
    numbers = [invoice.number for invoice in invoices]
    new = {"amount_cents": money.to_minor(amount), "currency": request.currency, "invoices": numbers}
    audit.record(actor=actor, at=at, verb="request_payment", instance=request, new=new)
    delivery_rows.first(told=request, address=request.email, actor=actor, at=at)
    payment_announcements.asked(request=request, at=at)
    return request


@transaction.atomic
def send_again(*, payment_request_id: int, actor: Actor, at: datetime, to: Sequence[str] = ()) -> Delivery:
    """E-mail a payment request once more: to ``to``, else where it went before, else to the customer's addresses.

    Not idempotent. Raises PaymentRequestNotFound, AlreadyPaid, NoRecipient (`no_email_address`), InvalidRecipients.
    """
    request = known.locked(payment_request_id)
    if request.payment_status != PaymentRequest.PaymentStatus.PENDING:
        raise AlreadyPaid("invoice_payment_already_succeeded", "Nothing of it is due any more.")
    address = request.email or Customer.objects.get(pk=request.customer_id).email
    return delivery_rows.again(told=request, address=address, to=to, actor=actor, at=at)


@transaction.atomic
def receive(
    *,
    payment_request_id: int,
    amount: Money,
    reference: str,
    paid_at: datetime,
    actor: Actor,
    at: datetime,
    idempotency_key: str | None = None,
) -> Payment:
    """Record one payment of the invoices of a request: the longest due gets its share first. Part payments are welcome.

    Called again with the same key and the same payment it returns the first one and changes nothing. It is booked on
    the local day of ``paid_at`` in the time zone of each invoice. Raises PaymentRequestNotFound, AlreadyPaid where
    nothing is due any more, NotPayable for an amount that is not positive, finer than the currency or more than is due
    of all, NotReceivedYet, KeyReused.
    """
    if idempotency_key:
        db.advisory_lock(f"invoicing.payment:{idempotency_key}")
    invoices = db.lock(known.invoices_of(payment_request_id))
    request = known.locked(payment_request_id)
    if idempotency_key and (first := _first(idempotency_key, request, amount, reference)):
        return first
    payments.demand_received(paid_at=paid_at, at=at)
    payable = [part for part in known.open_of(request, invoices) if part.due.amount > 0]
    if not payable:
        raise AlreadyPaid("invoice_payment_already_succeeded", "Nothing of its invoices is due any more.")
    parts = rules.shares(amount, invoices=payable)
    by_id = {invoice.pk: invoice for invoice in invoices}
    payment = payments.receive(
        payment_request=request,
        timezone=by_id[next(iter(parts))].timezone,
        amount=amount,
        reference=reference,
        paid_at=paid_at,
        idempotency_key=idempotency_key,
        at=at,
    )
    for invoice_id, part in parts.items():
        held_payments.allocate(
            payment_id=payment.pk, invoice_id=invoice_id, amount=part, received_at=paid_at, actor=actor, at=at
        )
    new = {"amount_cents": money.to_minor(amount), "currency": request.currency, "reference": reference}
    audit.record(actor=actor, at=at, verb="record_payment", instance=request, new=new)
    payment_receipts.issue(payment=payment, actor=actor, at=at)
    return payment


def _first(key: str, request: PaymentRequest, amount: Money, reference: str) -> Payment | None:
    payment = Payment.objects.filter(idempotency_key=key).first()
    if payment is None:
        return None
    if (payment.amount, payment.reference, payment.payment_request_id) != (amount, reference, request.pk):
        raise payments.KeyReused("idempotency_key_reused", "The key was used for another payment.")
    return payment


def _refused(field: str, code: str, message: str) -> InvalidRequest:
    return InvalidRequest("validation_errors", message, {field: [code]})

"""Receipts of payments: each payment that was received gets one, with the next number of its seller. Owns issuing and
e-mailing them; their documents are `receipt_documents`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from config.kernel.actors import Actor
from config.platform.services import numbers
from customers.models import BillingEntity, Customer
from invoicing.domain import numbering
from invoicing.models import Delivery, Invoice, Payment, PaymentReceipt
from invoicing.queries import payment_receipts as known
from invoicing.services import announcements, delivery_rows, payment_announcements, snapshots

SETTING = "payment_receipt.created"
"""What a billing entity's e-mail settings hold where its receipts are to be made into documents and e-mailed."""

VERSION = 1


def issue(*, payment: Payment, actor: Actor, at: datetime) -> PaymentReceipt:
    """Issue the receipt of a payment that was just received and allocated, and tell of both; the last step of whoever
    records it.

    The number is taken under a lock that is held until the transaction ends: nothing else is locked after it. What the
    receipt says is kept with it. Where its seller wants that, it is e-mailed once the transaction is committed.
    """
    parts = list(payment.allocations.select_related("invoice").order_by("pk"))
    invoices = [part.invoice for part in parts]
    entity = BillingEntity.objects.get(pk=invoices[0].billing_entity_id)
    customer = Customer.objects.get(pk=payment.customer_id)
    (sequential_id,) = numbers.take(scope=numbering.receipt_scope(entity.pk))
    receipt = PaymentReceipt.objects.create(
        created_at=at,
        payment=payment,
        billing_entity=entity,
        sequential_id=sequential_id,
        number=numbering.receipt(entity.document_number_prefix, sequential_id=sequential_id),
        snapshot={
            "version": VERSION,
            **snapshots.parties(customer=customer, entity=entity),
            "locale": invoices[0].locale,
            "timezone": invoices[0].timezone,
            "invoices": [_paid(part.invoice, str(part.amount.amount)) for part in parts],
        },
    )
    if SETTING in entity.email_settings:
        delivery_rows.first(told=receipt, address=customer.email, actor=actor, at=at)
    announcements.received(payments=[payment], at=at)
    payment_announcements.receipted(receipt=receipt, at=at)
    return receipt


@transaction.atomic
def send_again(
    *,
    receipt_id: int,
    actor: Actor,
    at: datetime,
    to: Sequence[str] = (),
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
) -> Delivery:
    """E-mail a receipt, the first time or another time; return the row, which is sent after the commit.

    Without ``to`` it goes to the customer's addresses as they are now. Not idempotent: each call is another e-mail.
    Raises PaymentReceiptNotFound, NoRecipient (`no_email_address`) and InvalidRecipients.
    """
    receipt = known.one(receipt_id)
    return delivery_rows.again(
        told=receipt, address=receipt.payment.customer.email, to=to, cc=cc, bcc=bcc, actor=actor, at=at
    )


def _paid(invoice: Invoice, amount: str) -> dict[str, Any]:
    return {
        "number": invoice.number or "",
        "issued_on": invoice.issuing_date.isoformat() if invoice.number else "",
        "total": str(invoice.total_amount.amount),
        "amount": amount,
    }

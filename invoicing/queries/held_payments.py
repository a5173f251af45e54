"""What of payments is held for their customers. Never writes."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Sum
from django.db.models.functions import Coalesce
from moneyed import Money

from config.kernel import db, errors
from invoicing.models import Invoice, Payment, PaymentAllocation, PaymentRefund, PaymentRelease


class PaymentNotFound(errors.NotFound):
    """No payment has this id."""


def locked(payment_id: int) -> Payment:
    """Lock a payment until the transaction ends. Raises PaymentNotFound."""
    try:
        return db.lock_one(Payment.objects.filter(pk=payment_id))
    except Payment.DoesNotExist:
        raise _not_found() from None


def find(public_id: uuid.UUID | None) -> Payment:
    """Return a payment by its public id. Raises PaymentNotFound."""
    found = Payment.objects.filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise _not_found()
    return found


def held(payment: Payment) -> Money:
    """Return what of a payment is the customer's: what voided or closed invoices released, less what was used since."""
    spent = _sum(PaymentAllocation.objects.filter(payment=payment))
    back = _sum(PaymentRelease.objects.filter(allocation__payment=payment))
    refunded = _sum(PaymentRefund.objects.filter(payment=payment))
    return payment.amount - Money(spent - back + refunded, payment.currency)


def released(invoice: Invoice) -> Money:
    """Return what had been paid for an invoice and was held for the customer since it was voided or closed."""
    return Money(_sum(PaymentRelease.objects.filter(allocation__invoice=invoice)), invoice.currency)


def holding(*, customer_id: int | None = None) -> models.QuerySet[Payment]:
    """Return the payments of which something is held, newest first, with it as ``held_amount`` in major units."""

    rows = Payment.objects.all() if customer_id is None else Payment.objects.filter(customer_id=customer_id)
    return with_held(rows.filter(allocations__release__isnull=False).distinct()).filter(held_amount__gt=0)


def with_held(rows: models.QuerySet[Payment]) -> models.QuerySet[Payment]:
    """Bring along what of each payment is held for its customer, as ``held_amount`` in major units."""

    def part(rows: models.QuerySet[models.Model], by: str) -> models.Expression:
        sums = rows.order_by().filter(**{by: models.OuterRef("pk")}).values(by).annotate(sum=Sum("amount"))
        return Coalesce(models.Subquery(sums.values("sum")), 0, output_field=models.DecimalField())

    return rows.annotate(
        held_amount=models.F("amount")
        - part(PaymentAllocation.objects.all(), "payment")
        + part(PaymentRelease.objects.all(), "allocation__payment")
        - part(PaymentRefund.objects.all(), "payment")
    )


def invoice_of(payment: Payment) -> Invoice:
    """Return the newest invoice that a payment paid."""
    part = PaymentAllocation.objects.filter(payment=payment).select_related("invoice").order_by("-pk").first()
    if part is None:
        raise _not_found()
    return part.invoice


def seller_of(payment: Payment) -> int:
    """Return whose money a payment is: the billing entity of the invoices that it paid, or was asked for."""
    if payment.payment_request is not None:
        return payment.payment_request.billing_entity_id
    return invoice_of(payment).billing_entity_id


def _sum(rows: models.QuerySet[PaymentAllocation] | models.QuerySet[PaymentRelease] | models.QuerySet[PaymentRefund]):  # type: ignore[no-untyped-def]
    return rows.aggregate(sum=Coalesce(Sum("amount"), 0, output_field=models.DecimalField()))["sum"]


def _not_found() -> PaymentNotFound:
    return PaymentNotFound("payment_not_found", "There is no such payment.")

"""Payment requests by the filters of their list, and what is open of their invoices. Never writes."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from django.db import models
from django.db.models import Sum
from moneyed import Money

from config.kernel import db, errors, money
from invoicing.domain.payment_requests import Open
from invoicing.models import DisputeMove, Invoice, PaymentRequest, PaymentRequestInvoice
from invoicing.queries import invoices as known_invoices
from invoicing.queries import receivables


class PaymentRequestNotFound(errors.NotFound):
    """No payment request has this id."""


def search(
    *,
    customer_id: int | None = None,
    external_customer_id: str | None = None,
    payment_statuses: Sequence[str] = (),
    currency: str | None = None,
) -> models.QuerySet[PaymentRequest]:
    """Return payment requests, newest first, with what their answers show."""
    invoices = known_invoices.with_summary(Invoice.objects.order_by("payment_due_date", "pk"))
    parts = PaymentRequestInvoice.objects.order_by("pk")
    rows = PaymentRequest.objects.select_related("billing_entity", "customer__billing_entity").prefetch_related(
        "customer__metadata",
        "customer__taxes",
        models.Prefetch("parts", queryset=parts.prefetch_related(models.Prefetch("invoice", queryset=invoices))),
    )
    plain = {
        "customer_id": customer_id,
        "customer__external_id": external_customer_id,
        "payment_status__in": payment_statuses or None,
        "currency": currency,
    }
    return rows.filter(**{lookup: value for lookup, value in plain.items() if value is not None})


def find(public_id: uuid.UUID | None) -> PaymentRequest:
    """Return a payment request by its public id. Raises PaymentRequestNotFound."""
    found = search().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise not_found()
    return found


def locked(payment_request_id: int) -> PaymentRequest:
    """Lock a payment request until the transaction ends. Raises PaymentRequestNotFound."""
    try:
        return db.lock_one(PaymentRequest.objects.filter(pk=payment_request_id))
    except PaymentRequest.DoesNotExist:
        raise not_found() from None


def invoices_of(payment_request_id: int) -> models.QuerySet[Invoice]:
    """Return the invoices of a payment request."""
    return Invoice.objects.filter(payment_request_parts__payment_request=payment_request_id)


def requests_of(invoice_ids: Collection[int]) -> list[int]:
    """Return the payment requests that ask for any of these invoices, in the order of their keys. One query."""
    rows = PaymentRequestInvoice.objects.filter(invoice_id__in=invoice_ids)
    return sorted(set(rows.values_list("payment_request_id", flat=True)))


def state_of(request: PaymentRequest) -> str:
    """Return what the payment status of a request should be.

    Succeeded: no more of its invoices is owed than what was disputed when it was asked for. A dispute that was opened
    later pays nothing. Failed: all of them were voided. Else pending.
    """
    rows = list(invoices_of(request.pk))
    if all(row.status == Invoice.Status.VOIDED for row in rows):
        return PaymentRequest.PaymentStatus.FAILED.value
    left = [row for row in rows if row.payment_status != Invoice.PaymentStatus.SUCCEEDED]
    if any(part.asked.amount > 0 for part in open_of(request, left)):
        return PaymentRequest.PaymentStatus.PENDING.value
    return PaymentRequest.PaymentStatus.SUCCEEDED.value


def open_parts(invoices: Iterable[Invoice]) -> list[Open]:
    """Return what is open of invoices, as the rules see them."""
    return [
        Open(
            id=invoice.pk,
            billing_entity_id=invoice.billing_entity_id,
            due_on=invoice.payment_due_date,
            due=receivables.owed(invoice),
            asked=receivables.undisputed(invoice),
            is_overdue=invoice.payment_overdue,
        )
        for invoice in invoices
    ]


def open_of(request: PaymentRequest, invoices: Sequence[Invoice]) -> list[Open]:
    """Return what is open of invoices of a request; ``asked`` is what it asked for of that.

    What was disputed when it was asked for was not. A dispute of later changes nothing of it.
    """
    rows = open_parts(invoices)
    due = [part.id for part in rows if part.due]
    moves = DisputeMove.objects.filter(dispute__invoice__in=due, created_at__lte=request.created_at).order_by()
    disputed = dict(moves.values_list("dispute__invoice").annotate(sum=Sum("amount"))) if due else {}
    nothing = money.zero(request.currency)
    return [
        replace(part, asked=max(part.due - Money(disputed.get(part.id, 0), request.currency), nothing)) for part in rows
    ]


def not_found() -> PaymentRequestNotFound:
    """Return the refusal of an id that names no payment request."""
    return PaymentRequestNotFound("payment_request_not_found", "There is no such payment request.")

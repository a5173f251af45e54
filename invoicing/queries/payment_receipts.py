"""Payment receipts by the filters of their list. Never writes."""

from __future__ import annotations

import uuid

from django.db import models

from config.kernel import errors
from invoicing.models import Document, Payment, PaymentReceipt
from invoicing.queries import held_payments


class PaymentReceiptNotFound(errors.NotFound):
    """No receipt has this id."""


def search(*, invoice_uuid: uuid.UUID | None = None, customer_id: int | None = None) -> models.QuerySet[PaymentReceipt]:
    """Return receipts, newest first, with what their answers show; those of payments of an invoice, or a customer."""
    pdf = models.Prefetch("documents", queryset=Document.objects.filter(kind=Document.Kind.PDF), to_attr="pdfs")
    paid = Payment.objects.select_related("customer", "payment_request").prefetch_related("allocations__invoice")
    payment = models.Prefetch("payment", queryset=held_payments.with_held(paid))
    rows = PaymentReceipt.objects.select_related("billing_entity").prefetch_related(payment, pdf)
    if invoice_uuid is not None:
        rows = rows.filter(
            pk__in=PaymentReceipt.objects.filter(payment__allocations__invoice__uuid=invoice_uuid).values("pk")
        )
    return rows if customer_id is None else rows.filter(payment__customer_id=customer_id)


def find(public_id: uuid.UUID | None) -> PaymentReceipt:
    """Return a receipt by its public id. Raises PaymentReceiptNotFound."""
    found = search().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise not_found()
    return found


def one(receipt_id: int) -> PaymentReceipt:
    """Return a receipt with its payment and customer. Raises PaymentReceiptNotFound."""
    found = search().filter(pk=receipt_id).first()
    if found is None:
        raise not_found()
    return found


def not_found() -> PaymentReceiptNotFound:
    """Return the refusal of an id that names no receipt."""
    return PaymentReceiptNotFound("payment_receipt_not_found", "There is no such receipt.")

"""Payments by the filters of their list. Never writes."""

from __future__ import annotations

import uuid

from django.db import models

from config.kernel import errors
from invoicing.models import Document, Payment
from invoicing.queries import held_payments


class PaymentNotFound(errors.NotFound):
    """No payment has this id."""


def search(
    *, external_customer_id: str | None = None, customer_id: int | None = None, invoice_uuid: uuid.UUID | None = None
) -> models.QuerySet[Payment]:
    """Return payments, newest first, with what their answers show: customer, paid invoices, what is held, receipt."""
    pdf = models.Prefetch(
        "receipt__documents", queryset=Document.objects.filter(kind=Document.Kind.PDF), to_attr="pdfs"
    )
    rows = held_payments.with_held(
        Payment.objects.select_related("customer", "payment_request", "receipt").prefetch_related(
            "allocations__invoice", pdf
        )
    )
    if external_customer_id is not None:
        rows = rows.filter(customer__external_id=external_customer_id)
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    if invoice_uuid is not None:
        rows = rows.filter(pk__in=Payment.objects.filter(allocations__invoice__uuid=invoice_uuid).values("pk"))
    return rows


def find(public_id: uuid.UUID | None) -> Payment:
    """Return a payment by its public id. Raises PaymentNotFound."""
    found = search().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise PaymentNotFound("payment_not_found", "There is no such payment.")
    return found

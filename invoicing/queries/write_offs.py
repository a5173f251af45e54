"""Write-offs as readers want them. Never writes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import models

from config.kernel import errors
from invoicing.models import Invoice, WriteOff


class WriteOffNotFound(errors.NotFound):
    """No write-off has this id."""


@dataclass(frozen=True)
class WriteOffFilter:
    """Which write-offs are wanted; instants are from one (included) until another (not)."""

    external_customer_id: str = ""
    invoice_id: uuid.UUID | None = None
    currency: str = ""
    since: datetime | None = None
    until: datetime | None = None
    stands: bool | None = None


def search(wanted: WriteOffFilter) -> models.QuerySet[WriteOff]:
    """Return write-offs, newest first, with their invoices, customers and reversals."""
    rows = WriteOff.objects.select_related("invoice__customer", "reversal").order_by("-pk")
    if wanted.external_customer_id:
        rows = rows.filter(invoice__customer__external_id=wanted.external_customer_id)
    if wanted.invoice_id is not None:
        rows = rows.filter(invoice__uuid=wanted.invoice_id)
    if wanted.currency:
        rows = rows.filter(currency=wanted.currency)
    if wanted.since is not None:
        rows = rows.filter(created_at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(created_at__lt=wanted.until)
    return rows if wanted.stands is None else rows.filter(reversal__isnull=wanted.stands)


def find(public_id: uuid.UUID | None) -> WriteOff:
    """Return a write-off by its public id. Raises WriteOffNotFound."""
    found = search(WriteOffFilter()).filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise WriteOffNotFound("write_off_not_found", "There is no such write-off.")
    return found


def standing(invoice: Invoice) -> models.QuerySet[WriteOff]:
    """Return the write-offs of an invoice that were not undone, oldest first."""
    return WriteOff.objects.filter(invoice=invoice, reversal__isnull=True).order_by("pk")


def of_invoice(invoice: Invoice) -> models.QuerySet[WriteOff]:
    """Return all write-offs of an invoice, newest first, with their reversals."""
    return WriteOff.objects.filter(invoice=invoice).select_related("reversal").order_by("-pk")

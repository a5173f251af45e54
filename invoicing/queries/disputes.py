"""Disputes as readers want them, and what of a line may still be disputed. Never writes."""

from __future__ import annotations

import decimal
import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Sum
from moneyed import Money

from config.kernel import errors, money
from invoicing.models import CreditNote, CreditNoteItem, Invoice, InvoiceDispute, InvoiceLine

STANDING = (InvoiceDispute.Status.OPEN, InvoiceDispute.Status.LOST)


class DisputeNotFound(errors.NotFound):
    """No dispute has this id."""


def one(dispute_id: int) -> InvoiceDispute:
    """Return a dispute by its key. Raises DisputeNotFound."""
    return _found(InvoiceDispute.objects.filter(pk=dispute_id).first())


def find(public_id: uuid.UUID | None) -> InvoiceDispute:
    """Return a dispute by its public id, with its invoice. Raises DisputeNotFound."""
    rows = InvoiceDispute.objects.select_related("invoice", "line")
    return _found(rows.filter(uuid=public_id).first() if public_id else None)


def standing(invoice: Invoice) -> models.QuerySet[InvoiceDispute]:
    """Return the disputes of an invoice that are open or lost, oldest first."""
    return InvoiceDispute.objects.filter(invoice=invoice, status__in=STANDING).order_by("pk")


def has_open(invoice: Invoice) -> bool:
    """Say whether a dispute of an invoice is open."""
    return InvoiceDispute.objects.filter(invoice=invoice, status=InvoiceDispute.Status.OPEN).exists()


def of_invoice(invoice: Invoice) -> models.QuerySet[InvoiceDispute]:
    """Return all disputes of an invoice, newest first, with their lines."""
    return InvoiceDispute.objects.filter(invoice=invoice).select_related("line").order_by("-pk")


def line_left(line: InvoiceLine) -> Money:
    """Return what of a line may be disputed, gross: without coupons, what credit notes gave back and what is disputed.

    What notes gave back is lowered by the share of coupons, grossed up by the tax rate and rounded once, half up.
    """
    gross = money.rounded(line.lowered_amount) + line.taxes_amount
    rows = CreditNoteItem.objects.filter(line=line, credit_note__status=CreditNote.Status.FINALIZED)
    credited = rows.aggregate(sum=Sum("amount", default=Decimal(0)))["sum"]
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        if line.net_amount:
            credited *= line.lowered_amount.amount / line.net_amount.amount
        back = Money(money.quantize(credited * (1 + line.taxes_rate), currency=line.currency), line.currency)
    disputed = InvoiceDispute.objects.filter(line=line, status__in=STANDING)
    taken = disputed.aggregate(sum=Sum("open_amount", default=Decimal(0)))["sum"]
    return max(gross - back - Money(taken, line.currency), money.zero(line.currency))


def _found(row: InvoiceDispute | None) -> InvoiceDispute:
    if row is None:
        raise DisputeNotFound("dispute_not_found", "There is no such dispute.")
    return row

"""What a customer may see of its own money: issued documents, what is open, and its wallets. Never writes.

Everything here is of one customer: whatever else is asked for is not found. Drafts and what waits for a payment or for
taxes are nobody's to see yet.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.db.models import Count, Min, Prefetch, Q, Sum
from moneyed import Money

from config.kernel import errors
from invoicing.models import CreditNote, Document, Invoice, Wallet
from invoicing.queries import receivables


class DocumentNotFound(errors.NotFound):
    """The customer has no such document, or it has no file yet."""


@dataclass(frozen=True)
class Open:
    """What is open in one currency, and what of it is overdue; ``next_due`` is the earliest due date, past or not."""

    due: Money
    overdue: Money
    invoices: int
    overdue_invoices: int
    next_due: date


def issued_invoices(*, customer_id: int) -> models.QuerySet[Invoice]:
    """Return the issued invoices of a customer, voided ones too, newest first, with their PDFs at hand as ``pdfs``."""
    shown = (Invoice.Status.FINALIZED, Invoice.Status.VOIDED)
    rows = Invoice.objects.filter(customer_id=customer_id, status__in=shown, number__isnull=False)
    return rows.select_related("billing_entity").prefetch_related(_pdfs())


def issued_credit_notes(*, customer_id: int) -> models.QuerySet[CreditNote]:
    """Return the issued credit notes of a customer, newest first, with their PDFs at hand as ``pdfs``."""
    rows = CreditNote.objects.filter(customer_id=customer_id, status=CreditNote.Status.FINALIZED)
    return rows.select_related("invoice", "billing_entity").prefetch_related(_pdfs())


def open_balances(*, customer_id: int) -> list[Open]:
    """Return what a customer owes in each currency; what it disputes is open and not overdue."""
    late = Q(payment_overdue=True)
    rows = (
        receivables.open_invoices()
        .filter(customer_id=customer_id)
        .order_by()
        .values("currency")
        .annotate(
            due=Sum(receivables.DUE),
            late=Sum(receivables.UNDISPUTED, filter=late, default=0),
            invoices=Count("pk"),
            late_invoices=Count("pk", filter=late),
            next_due=Min("payment_due_date"),
        )
        .filter(due__gt=0)
        .order_by("currency")
    )
    return [
        Open(
            due=Money(row["due"], row["currency"]),
            overdue=Money(row["late"], row["currency"]),
            invoices=row["invoices"],
            overdue_invoices=row["late_invoices"],
            next_due=row["next_due"],
        )
        for row in rows
    ]


def wallets(*, customer_id: int, at: datetime) -> models.QuerySet[Wallet]:
    """Return the wallets of a customer that are not over, in the order in which they pay."""
    still = Q(expiration_at__isnull=True) | Q(expiration_at__gt=at)
    rows = Wallet.objects.filter(still, customer_id=customer_id, status=Wallet.Status.ACTIVE)
    return rows.order_by("priority", "created_at", "pk")


def invoice_pdf(*, customer_id: int, public_id: uuid.UUID) -> Document:
    """Return the PDF of a customer's issued invoice. Raises DocumentNotFound (`invoice_not_found`)."""
    invoices = issued_invoices(customer_id=customer_id).filter(uuid=public_id)
    found = Document.objects.filter(invoice__in=invoices, kind=Document.Kind.PDF).first()
    if found is None:
        raise DocumentNotFound("invoice_not_found", "There is no such invoice.")
    return found


def credit_note_pdf(*, customer_id: int, public_id: uuid.UUID) -> Document:
    """Return the PDF of a customer's issued credit note. Raises DocumentNotFound (`credit_note_not_found`)."""
    notes = issued_credit_notes(customer_id=customer_id).filter(uuid=public_id)
    found = Document.objects.filter(credit_note__in=notes, kind=Document.Kind.PDF).first()
    if found is None:
        raise DocumentNotFound("credit_note_not_found", "There is no such credit note.")
    return found


def _pdfs() -> Prefetch[str]:
    return Prefetch("documents", queryset=Document.objects.filter(kind=Document.Kind.PDF), to_attr="pdfs")

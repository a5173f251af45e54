"""Invoices as readers want them: what is visible outside, by which filters, with what at hand. Never writes."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.db.models.lookups import GreaterThan

from config.kernel import db, errors
from customers.queries import billing_entities, customers
from invoicing.models import Document, Invoice, InvoiceLine, InvoiceMetadata, WalletTransaction
from invoicing.queries import amounts, receivables


class InvoiceNotFound(errors.NotFound):
    """No invoice has this id."""


SETTLEMENTS = ("payment", "credit_note")
"""What can pay an issued invoice: money, or what its credit notes took off what was due."""


@dataclass(frozen=True)
class InvoiceFilter:
    """What a list is narrowed to; nothing given narrows nothing. Amounts are totals in minor units.

    ``metadata`` are values by key; an empty one stands for invoices without the key. ``settlements`` are `SETTLEMENTS`
    that paid something of an invoice.
    """

    external_customer_id: str | None = None
    customer_id: int | None = None
    statuses: Sequence[str] = ()
    payment_statuses: Sequence[str] = ()
    kinds: Sequence[str] = ()
    currency: str | None = None
    billing_entity_codes: Sequence[str] = ()
    issuing_date_from: date | None = None
    issuing_date_to: date | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    payment_overdue: bool | None = None
    payment_dispute_lost: bool | None = None
    settlements: Sequence[str] = ()
    partially_paid: bool | None = None
    purchase_order_number: str | None = None
    search_term: str | None = None
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


def locked(invoice_id: int) -> Invoice:
    """Lock an invoice until the transaction ends and read it anew. Raises InvoiceNotFound."""
    try:
        return db.lock_one(Invoice.objects.filter(pk=invoice_id))
    except Invoice.DoesNotExist:
        raise InvoiceNotFound("invoice_not_found", "There is no such invoice.") from None


def visible() -> models.QuerySet[Invoice]:
    """Return what the outside sees, newest first: nothing closed without a document, no draft that was voided.

    Invoices that are issued once they are paid are there, for whoever knows them; lists leave them out.
    """
    hidden = Q(status=Invoice.Status.CLOSED) | Q(status=Invoice.Status.VOIDED, number__isnull=True)
    return Invoice.objects.exclude(hidden).select_related("billing_entity", "customer", "regenerated_from")


def find(public_id: uuid.UUID | None) -> Invoice:
    """Return a visible invoice by its public id. Raises InvoiceNotFound."""
    found = visible().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise InvoiceNotFound("invoice_not_found", "There is no such invoice.")
    return found


def search(wanted: InvoiceFilter) -> models.QuerySet[Invoice]:
    """Return visible invoices, newest issuing date first; those that wait for their payment only where asked for."""
    rows = visible()
    if Invoice.Status.OPEN not in wanted.statuses:
        rows = rows.exclude(status=Invoice.Status.OPEN)
    for condition in _conditions(wanted):
        rows = rows.filter(condition)
    return rows


def with_summary(rows: models.QuerySet[Invoice]) -> models.QuerySet[Invoice]:
    """Bring along what a list shows of each invoice: customer, metadata, taxes and the file."""
    pdf = Prefetch("documents", queryset=Document.objects.filter(kind=Document.Kind.PDF), to_attr="pdfs")
    drawn = WalletTransaction.objects.filter(transaction_status=WalletTransaction.Kind.INVOICED)
    draws = Prefetch("wallet_transactions", queryset=drawn, to_attr="wallet_draws")
    return rows.select_related("billing_entity", "customer__billing_entity", "regenerated_from").prefetch_related(
        "metadata", "applied_taxes__tax", "customer__metadata", "customer__taxes", pdf, draws
    )


def with_lines(rows: models.QuerySet[Invoice]) -> models.QuerySet[Invoice]:
    """Bring along the summary and every line with its taxes."""
    lines = InvoiceLine.objects.order_by("position").prefetch_related("applied_taxes__tax")
    return with_summary(rows).prefetch_related(Prefetch("lines", queryset=lines))


def with_everything(rows: models.QuerySet[Invoice]) -> models.QuerySet[Invoice]:
    """Bring along what an invoice's own page shows: summary and lines, and what lowered it."""
    return with_lines(rows).prefetch_related(
        "credits__credit_note__invoice", "progressive_credits__source", "coupons__applied_coupon__coupon"
    )


def _conditions(wanted: InvoiceFilter) -> list[Q]:
    plain = {
        "customer__external_id": wanted.external_customer_id,
        "customer_id": wanted.customer_id,
        "status__in": wanted.statuses or None,
        "payment_status__in": wanted.payment_statuses or None,
        "kind__in": wanted.kinds or None,
        "currency": wanted.currency,
        "billing_entity__in": billing_entities.ids(codes=wanted.billing_entity_codes),
        "issuing_date__gte": wanted.issuing_date_from,
        "issuing_date__lte": wanted.issuing_date_to,
        "payment_overdue": wanted.payment_overdue,
        "purchase_order_number": wanted.purchase_order_number,
        "purchase_order_number__iexact": wanted.purchase_order_number,  # there is an index of it in upper case
    }
    conditions = [Q(**{lookup: value}) for lookup, value in plain.items() if value is not None]
    conditions.append(amounts.total_between(least=wanted.amount_from, most=wanted.amount_to, currency=wanted.currency))
    if wanted.payment_dispute_lost is not None:
        conditions.append(Q(payment_dispute_lost_at__isnull=not wanted.payment_dispute_lost))
    if wanted.partially_paid is not None:
        partly = Q(paid_amount__gt=0) & Q(GreaterThan(receivables.DUE, Decimal(0)))
        conditions.append(partly if wanted.partially_paid else ~partly)
    if wanted.settlements:
        conditions.append(_settled_by(wanted.settlements))
    if wanted.search_term:
        conditions.append(_matches(wanted.search_term))
    return conditions + [_noted(key, value) for key, value in wanted.metadata.items()]


def _settled_by(kinds: Sequence[str]) -> Q:
    settled = {"payment": "paid_amount", "credit_note": "offset_amount"}
    condition = Q()
    for kind in kinds:
        condition |= Q(**{f"{settled[kind]}__gt": 0})
    return condition


def _noted(key: str, value: str) -> Q:
    """Find a note by key and value; an empty value stands for invoices without that key."""
    notes = InvoiceMetadata.objects.filter(invoice=OuterRef("pk"), key=key)
    return Q(Exists(notes.filter(value=value))) if value else ~Q(Exists(notes))


def _matches(term: str) -> Q:
    condition = Q(number__icontains=term) | of_customers(term, "name", "external_id", "email", "legal_name")
    try:
        return condition | Q(uuid=uuid.UUID(term))
    except ValueError:
        return condition


def of_customers(term: str, *fields: str) -> Q:
    """Return the condition that what is sought is of a customer with the term in one of the fields."""
    found = customers.named(term=term, fields=fields)
    if found is not None:
        return Q(customer__in=found)
    condition = Q()
    for field in fields:
        condition |= Q(**{f"customer__{field}__icontains": term})
    return condition

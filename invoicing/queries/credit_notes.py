"""Credit notes as readers want them, and what of an invoice may still be given back. Never writes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import models
from django.db.models import Prefetch, Q, Sum
from moneyed import Money

from config.kernel import db, errors, money
from customers.queries import billing_entities
from invoicing.domain.credit_notes import BilledInvoice, BilledLine
from invoicing.domain.tax import TaxRate
from invoicing.models import CreditNote, CreditNoteItem, Document, Invoice, InvoiceLine
from invoicing.queries import amounts, invoices, receivables


class CreditNoteNotFound(errors.NotFound):
    """No credit note has this id."""


@dataclass(frozen=True)
class CreditNoteFilter:
    """What a list is narrowed to; nothing given narrows nothing. Amounts are totals in minor units."""

    external_customer_id: str | None = None
    customer_id: int | None = None
    currency: str | None = None
    reasons: Sequence[str] = ()
    credit_statuses: Sequence[str] = ()
    refund_statuses: Sequence[str] = ()
    invoice_number: str | None = None
    purchase_order_number: str | None = None
    billing_entity_codes: Sequence[str] = ()
    kinds: Sequence[str] = ()
    issuing_date_from: date | None = None
    issuing_date_to: date | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    search_term: str | None = None


def locked(credit_note_id: int) -> CreditNote:
    """Lock a credit note until the transaction ends and read it anew. Raises CreditNoteNotFound."""
    try:
        return db.lock_one(CreditNote.objects.filter(pk=credit_note_id))
    except CreditNote.DoesNotExist:
        raise _not_found() from None


def visible() -> models.QuerySet[CreditNote]:
    """Return what the outside sees, newest first: no drafts."""
    return CreditNote.objects.filter(status=CreditNote.Status.FINALIZED).order_by("-created_at", "-pk")


def find(public_id: uuid.UUID | None) -> CreditNote:
    """Return a visible credit note by its public id. Raises CreditNoteNotFound."""
    found = visible().filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise _not_found()
    return found


def with_everything(rows: models.QuerySet[CreditNote]) -> models.QuerySet[CreditNote]:
    """Bring along what the API shows of each: customer, invoice, items with their lines, and taxes."""
    lines = InvoiceLine.objects.select_related("invoice", "customer").prefetch_related("applied_taxes__tax")
    items = CreditNoteItem.objects.prefetch_related(Prefetch("line", queryset=lines))
    pdf = Prefetch("documents", queryset=Document.objects.filter(kind=Document.Kind.PDF), to_attr="pdfs")
    return rows.select_related("billing_entity", "invoice", "customer__billing_entity").prefetch_related(
        "customer__metadata", "customer__taxes", "applied_taxes__tax", Prefetch("items", queryset=items), pdf
    )


def search(wanted: CreditNoteFilter) -> models.QuerySet[CreditNote]:
    """Return visible credit notes, newest first."""
    plain = {
        "customer__external_id": wanted.external_customer_id,
        "customer_id": wanted.customer_id,
        "currency": wanted.currency,
        "reason__in": wanted.reasons or None,
        "credit_status__in": wanted.credit_statuses or None,
        "refund_status__in": wanted.refund_statuses or None,
        "invoice__number": wanted.invoice_number,
        "invoice__purchase_order_number": wanted.purchase_order_number,
        "invoice__purchase_order_number__iexact": wanted.purchase_order_number,  # there is an index of it in upper case
        "invoice__kind__in": wanted.kinds or None,
        "billing_entity__in": billing_entities.ids(codes=wanted.billing_entity_codes),
        "issuing_date__gte": wanted.issuing_date_from,
        "issuing_date__lte": wanted.issuing_date_to,
    }
    rows = visible().filter(**{lookup: value for lookup, value in plain.items() if value is not None})
    rows = rows.filter(amounts.total_between(least=wanted.amount_from, most=wanted.amount_to, currency=wanted.currency))
    return rows.filter(_matches(wanted.search_term)) if wanted.search_term else rows


def billed(invoice: Invoice) -> BilledInvoice:
    """Return an invoice as it was billed, less what its credit notes gave back; drafts of them count.

    Lock the invoice first where something is to be written.
    """
    lines = list(InvoiceLine.objects.filter(invoice=invoice).prefetch_related("applied_taxes").order_by("position"))
    items = CreditNoteItem.objects.filter(credit_note__invoice=invoice).order_by()
    given = {
        row["line_id"]: row for row in items.values("line_id").annotate(whole=Sum("amount"), fine=Sum("precise_amount"))
    }
    notes = CreditNote.objects.filter(invoice=invoice).aggregate(
        taxes=Sum("taxes_amount", default=Decimal(0)),
        precise=Sum("precise_taxes_amount", default=Decimal(0)),
        coupons=Sum("coupons_adjustment_amount", default=Decimal(0)),
        refunds=Sum("refund_amount", default=Decimal(0)),
    )
    currency = invoice.currency
    corrected = sum((line.taxes_amount for line in lines if line.amount.amount < 0), money.zero(currency))
    return BilledInvoice(
        currency=currency,
        lines=tuple(_line(line, given.get(line.pk)) for line in lines),
        taxes=invoice.taxes_amount - corrected,
        taxes_credited=Money(notes["taxes"], currency),
        taxes_credited_precise=notes["precise"],
        coupons=invoice.coupons_amount,
        coupons_credited=Money(notes["coupons"], currency),
        refundable=max(invoice.paid_amount - Money(notes["refunds"], currency), money.zero(currency)),
        due=receivables.remaining(invoice),
    )


def balance(*, customer_id: int) -> dict[str, Money]:
    """Return the credit that a customer has left, by currency."""
    rows = visible().filter(customer_id=customer_id, balance_amount__gt=0).order_by()
    sums = rows.values("currency").annotate(left=Sum("balance_amount")).order_by("currency")
    return {row["currency"]: Money(row["left"], row["currency"]) for row in sums}


def _line(line: InvoiceLine, given: dict[str, Decimal] | None) -> BilledLine:
    return BilledLine(
        id=line.pk,
        amount=line.net_amount,
        taxes=tuple(
            TaxRate(id=row.tax_id, code=row.tax_code, name=row.tax_name, rate=row.rate, description=row.tax_description)
            for row in line.applied_taxes.all()
        ),
        credited=Money(given["whole"] if given else 0, line.currency),
        credited_precise=given["fine"] if given else Decimal(0),
        coupons=line.precise_coupons_amount,
        included_taxes=None if line.tax_inclusive_amount is None else line.precise_taxes_amount,
    )


def _matches(term: str) -> Q:
    condition = Q(number__icontains=term) | Q(invoice__number__icontains=term)
    condition |= invoices.of_customers(term, "name", "external_id", "email")
    try:
        return condition | Q(uuid=uuid.UUID(term))
    except ValueError:
        return condition


def _not_found() -> CreditNoteNotFound:
    return CreditNoteNotFound("credit_note_not_found", "There is no such credit note.")

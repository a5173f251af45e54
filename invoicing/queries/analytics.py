"""Documents and money by month: what was invoiced, what of it is paid and what is overdue. Never writes.

The month of an invoice is that of its issuing date, a local date of whoever it is for. Issued invoices count; drafts,
voided ones and those that wait for a payment or for taxes do not. Each figure is one statement over sums, so that its
cost is that of reading the invoices of the months asked for once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import models
from django.db.models import Count, DateField, DateTimeField, F, Func, Sum, Value
from django.db.models.functions import Cast, Coalesce, NullIf, TruncMonth
from moneyed import Money

from invoicing.domain.analytics import Collection, InvoicedUsage, Key, Overdue, Revenue
from invoicing.domain.analytics import revenue as put_together
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries import receivables


@dataclass(frozen=True)
class Asked:
    """What figures are narrowed to; nothing given narrows nothing. ``since`` is the first day of the oldest month."""

    since: date | None = None
    currency: str | None = None
    external_customer_id: str | None = None
    billing_entity_id: int | None = None

    def conditions(self, day: str, *, prefix: str = "") -> dict[str, Any]:
        """Return the conditions on rows whose day is in a column."""
        found = {
            f"{day}__gte": self.since,
            f"{prefix}currency": self.currency,
            f"{prefix}customer__external_id": self.external_customer_id,
            f"{prefix}billing_entity_id": self.billing_entity_id,
        }
        return {name: value for name, value in found.items() if value is not None}


def gross_revenue(asked: Asked) -> list[Revenue]:
    """Return the gross revenue of each month and currency, oldest first. Three statements.

    It is what issued invoices came to, tax included and less the credits and prepaid credit that paid them, with the
    fees that stand alone (in the month in which they were made, refunded ones left out), less what credit notes paid
    back or took off what was due, in the month of the credit note. Credit that waits for a later invoice lowers that
    one. So it is what the receivables were raised by, and agrees with the ledger.
    """
    return put_together(invoiced=_invoiced(asked), fees=_fees(asked), given_back=[_given_back(asked)])


def invoice_collections(asked: Asked) -> list[Collection]:
    """Return what issued invoices came to by month and payment status, oldest first."""
    rows = _by_month(_issued(asked).order_by(), "issuing_date", "payment_status")
    return [
        Collection(
            month=row["month"],
            payment_status=row["payment_status"],
            amount=Money(row["amount"], row["currency"]),
            invoices_count=row["invoices"],
        )
        for row in rows.annotate(amount=Sum("total_amount"), invoices=Count("pk")).order_by(
            "month", "currency", "payment_status"
        )
    ]


def overdue_balances(asked: Asked) -> list[Overdue]:
    """Return what is overdue by the month of the due date, oldest first, with the invoices.

    Overdue are the invoices that say so of themselves; what of one is disputed is not. It agrees with the overview.
    """
    rows = receivables.open_invoices().filter(payment_overdue=True, **asked.conditions("payment_due_date"))
    found = _by_month(rows.order_by(), "payment_due_date").annotate(
        amount=Sum(receivables.UNDISPUTED), invoices=ArrayAgg("uuid", order_by=("payment_due_date", "pk"))
    )
    return [
        Overdue(month=row["month"], amount=Money(row["amount"], row["currency"]), invoice_ids=tuple(row["invoices"]))
        for row in found.order_by("month", "currency")
    ]


def invoiced_usage(asked: Asked) -> list[InvoicedUsage]:
    """Return the usage on issued invoices by month and metric, oldest first.

    Net amounts before coupons; what was billed progressively before is counted once, where it was billed first.
    """
    conditions = asked.conditions("invoice__issuing_date", prefix="invoice__")
    lines = InvoiceLine.objects.filter(
        kind=InvoiceLine.Kind.CHARGE, invoice__status=Invoice.Status.FINALIZED, **conditions
    )
    rows = (
        lines.order_by()
        .values("currency", "item_code", month=TruncMonth("invoice__issuing_date"))
        .annotate(total=Sum(F("amount") - F("progressive_credit_amount")))
        .order_by("month", "currency", "item_code")
    )
    return [
        InvoicedUsage(month=row["month"], code=row["item_code"], amount=Money(row["total"], row["currency"]))
        for row in rows
    ]


def _issued(asked: Asked) -> models.QuerySet[Invoice]:
    return Invoice.objects.filter(status=Invoice.Status.FINALIZED, **asked.conditions("issuing_date"))


def _by_month(rows: models.QuerySet[Any], day: str, *others: str) -> models.QuerySet[Any, dict[str, Any]]:
    return rows.values("currency", *others, month=TruncMonth(day))


def _invoiced(asked: Asked) -> dict[Key, tuple[Money, int]]:
    rows = _by_month(_issued(asked).order_by(), "issuing_date")
    sums = rows.annotate(amount=Sum("total_amount"), invoices=Count("pk"))
    return {(row["month"], row["currency"]): (Money(row["amount"], row["currency"]), row["invoices"]) for row in sums}


def _given_back(asked: Asked) -> dict[Key, Money]:
    notes = CreditNote.objects.filter(
        status=CreditNote.Status.FINALIZED,
        invoice__status=Invoice.Status.FINALIZED,
        **asked.conditions("issuing_date"),
    )
    sums = _by_month(notes.order_by(), "issuing_date").annotate(amount=Sum(F("refund_amount") + F("offset_amount")))
    return {(row["month"], row["currency"]): Money(row["amount"], row["currency"]) for row in sums if row["amount"] > 0}


def _fees(asked: Asked) -> dict[Key, Money]:
    """Sum the fees that stand alone by the local month in which they were made."""
    alone = InvoiceLine.objects.filter(invoice__isnull=True, deleted_at__isnull=True).exclude(
        payment_status=InvoiceLine.PaymentStatus.REFUNDED
    )
    zone = Coalesce(NullIf("customer__timezone", Value("")), F("billing_entity__timezone"))
    local = Func(zone, F("created_at"), function="timezone", output_field=DateTimeField())
    rows = alone.annotate(day=Cast(local, DateField())).filter(**asked.conditions("day"))
    sums = (
        rows.order_by().values("currency", month=TruncMonth("day")).annotate(total=Sum(F("amount") + F("taxes_amount")))
    )
    return {(row["month"], row["currency"]): Money(row["total"], row["currency"]) for row in sums}

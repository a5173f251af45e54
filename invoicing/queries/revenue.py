"""Billed and collected by month, for charts and reports. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth
from moneyed import Money

from config.kernel import money
from invoicing.domain import ledger
from invoicing.models import CreditNote, Invoice, LedgerPosting


@dataclass(frozen=True)
class Asked:
    """What is asked for: from a day to another, both included, and whose; None narrows nothing."""

    since: date | None = None
    until: date | None = None
    billing_entity_id: int | None = None
    customer_id: int | None = None
    currency: str | None = None

    def conditions(self, day: str, *, prefix: str = "") -> Q:
        """Return the conditions on rows whose day is in a column; ``prefix`` leads to what they belong to."""
        found = {
            f"{prefix}{day}__gte": self.since,
            f"{prefix}{day}__lte": self.until,
            f"{prefix}billing_entity_id": self.billing_entity_id,
            f"{prefix}customer_id": self.customer_id,
            "currency": self.currency,
        }
        return Q(**{name: value for name, value in found.items() if value is not None})


@dataclass(frozen=True)
class Month:
    """One month in one currency; ``month`` is its first day. Gross amounts, less what was given back."""

    month: date
    currency: str
    billed: Money
    collected: Money
    invoices: int


def by_month(
    *,
    since: date,
    billing_entity_id: int | None = None,
    until: date | None = None,
    customer_id: int | None = None,
    currency: str | None = None,
) -> list[Month]:
    """Return billed (by issuing date) and collected (by the ledger's day), oldest month first.

    Billed is what was invoiced less what credit notes gave back, so a month may come to less than nothing; a credit
    that pays an invoice is no new sale, and what was prepaid is sold when it is used. Collected is what was paid less
    what was refunded, money that no invoice took yet included.

    ``since`` is the first day taken, ``until`` the last one. Every month and currency in which either happened is there
    once.
    """
    asked = Asked(
        since=since, until=until, billing_entity_id=billing_entity_id, customer_id=customer_id, currency=currency
    )
    billed = _billed(asked)
    collected = _collected(asked)
    months = []
    for month, currency in sorted({*billed, *collected}):
        amount, count = billed.get((month, currency), (money.zero(currency), 0))
        received = collected.get((month, currency), money.zero(currency))
        months.append(Month(month=month, currency=currency, billed=amount, collected=received, invoices=count))
    return months


def invoices(asked: Asked) -> models.QuerySet[Invoice]:
    """Return the invoices that count as billed, each with its ``sold`` amount: gross, without what paid it."""
    rows = Invoice.objects.filter(asked.conditions("issuing_date"), status=Invoice.Status.FINALIZED)
    return rows.exclude(kind=Invoice.Kind.CREDIT).annotate(sold=_SOLD).order_by()


def credit_notes(asked: Asked) -> models.QuerySet[CreditNote]:
    """Return the credit notes that lower what is billed, in full and on their own day."""
    rows = CreditNote.objects.filter(asked.conditions("issuing_date"), status=CreditNote.Status.FINALIZED)
    return rows.filter(invoice__status=Invoice.Status.FINALIZED).order_by()


def receipts(asked: Asked) -> models.QuerySet[LedgerPosting]:
    """Return the postings of money that came in, or went back: all of cash but what was booked by hand for nobody."""
    return LedgerPosting.objects.filter(
        asked.conditions("accounting_date", prefix="entry__"),
        ~Q(entry__fact__in=[ledger.MANUAL, ledger.REVERSED]) | Q(entry__customer__isnull=False),
        account__role=ledger.CASH,
    ).order_by()


_SOLD = F("fees_amount") - F("progressive_billing_credit_amount") - F("coupons_amount") + F("taxes_amount")


def _billed(asked: Asked) -> dict[tuple[date, str], tuple[Money, int]]:
    found = _invoiced(asked)
    for key, given_back in _given_back(asked).items():
        amount, count = found.get(key, (money.zero(key[1]), 0))
        found[key] = amount - given_back, count
    return found


def _given_back(asked: Asked) -> dict[tuple[date, str], Money]:
    rows = credit_notes(asked).values("currency", month=TruncMonth("issuing_date"))
    return {
        (row["month"], row["currency"]): Money(row["amount"], row["currency"])
        for row in rows.annotate(amount=Sum("total_amount"))
    }


def _invoiced(asked: Asked) -> dict[tuple[date, str], tuple[Money, int]]:
    rows = invoices(asked).values("currency", month=TruncMonth("issuing_date"))
    sums = rows.annotate(amount=Sum("sold"), invoices=Count("pk"))
    return {(row["month"], row["currency"]): (Money(row["amount"], row["currency"]), row["invoices"]) for row in sums}


def _collected(asked: Asked) -> dict[tuple[date, str], Money]:
    rows = receipts(asked).values("currency", month=TruncMonth("entry__accounting_date"))
    return {
        (row["month"], row["currency"]): Money(row["total"], row["currency"])
        for row in rows.annotate(total=Sum("amount"))
    }

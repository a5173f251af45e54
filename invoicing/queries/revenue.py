"""Billed and collected by month, for charts and reports. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncMonth
from moneyed import Money

from config.kernel import money
from invoicing.domain import ledger
from invoicing.models import CreditNote, Invoice, LedgerPosting


@dataclass(frozen=True)
class Month:
    """One month in one currency; ``month`` is its first day. Gross amounts, less what was given back."""

    month: date
    currency: str
    billed: Money
    collected: Money
    invoices: int


def by_month(*, since: date, billing_entity_id: int | None = None) -> list[Month]:
    """Return billed (by issuing date) and collected (by the ledger's day), oldest month first.

    Billed is what was invoiced less what credit notes gave back, so a month may come to less than nothing; a credit
    that pays an invoice is no new sale, and what was prepaid is sold when it is used. Collected is what was paid less
    what was refunded.

    ``since`` is the first day taken. Every month and currency in which either happened is there once.
    """
    billed = _billed(since, billing_entity_id)
    collected = _collected(since, billing_entity_id)
    months = []
    for month, currency in sorted({*billed, *collected}):
        amount, count = billed.get((month, currency), (money.zero(currency), 0))
        received = collected.get((month, currency), money.zero(currency))
        months.append(Month(month=month, currency=currency, billed=amount, collected=received, invoices=count))
    return months


def _billed(since: date, seller_id: int | None) -> dict[tuple[date, str], tuple[Money, int]]:
    found = _invoiced(since, seller_id)
    for key, given_back in _given_back(since, seller_id).items():
        amount, count = found.get(key, (money.zero(key[1]), 0))
        found[key] = amount - given_back, count
    return found


def _given_back(since: date, seller_id: int | None) -> dict[tuple[date, str], Money]:
    rows = CreditNote.objects.filter(_of_seller("billing_entity_id", seller_id), issuing_date__gte=since)
    sums = (
        rows.filter(status=CreditNote.Status.FINALIZED, invoice__status=Invoice.Status.FINALIZED)
        .order_by()
        .values("currency", month=TruncMonth("issuing_date"))
        .annotate(amount=Sum("total_amount"))
    )
    return {(row["month"], row["currency"]): Money(row["amount"], row["currency"]) for row in sums}


def _invoiced(since: date, seller_id: int | None) -> dict[tuple[date, str], tuple[Money, int]]:
    rows = Invoice.objects.filter(_of_seller("billing_entity_id", seller_id), issuing_date__gte=since)
    sums = (
        rows.filter(status=Invoice.Status.FINALIZED)
        .exclude(kind=Invoice.Kind.CREDIT)
        .order_by()
        .values("currency", month=TruncMonth("issuing_date"))
        .annotate(
            amount=Sum(
                F("fees_amount") - F("progressive_billing_credit_amount") - F("coupons_amount") + F("taxes_amount")
            ),
            invoices=Count("pk"),
        )
    )
    return {(row["month"], row["currency"]): (Money(row["amount"], row["currency"]), row["invoices"]) for row in sums}


def _collected(since: date, seller_id: int | None) -> dict[tuple[date, str], Money]:
    rows = LedgerPosting.objects.filter(
        _of_seller("entry__billing_entity_id", seller_id),
        entry__fact__in=[ledger.PAID, ledger.REFUNDED, ledger.HELD_REFUNDED],
        entry__accounting_date__gte=since,
        account__role=ledger.CASH,
    )
    sums = rows.order_by().values("currency", month=TruncMonth("entry__accounting_date")).annotate(total=Sum("amount"))
    return {(row["month"], row["currency"]): Money(row["total"], row["currency"]) for row in sums}


def _of_seller(lookup: str, seller_id: int | None) -> Q:
    return Q() if seller_id is None else Q(**{lookup: seller_id})

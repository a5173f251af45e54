"""Balances of the ledger: sums of postings, never stored. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.db.models import Sum
from moneyed import Money

from invoicing.models import LedgerEntry, LedgerPosting


@dataclass(frozen=True)
class Balance:
    """What stands on an account of a seller in one currency; a debit balance is positive."""

    billing_entity_id: int
    role: str
    code: str
    name: str
    amount: Money


def balances(
    *, billing_entity_id: int | None = None, customer_id: int | None = None, until: date | None = None
) -> list[Balance]:
    """Return the balance of every account and currency, narrowed to a seller, a customer or days up to ``until``."""
    rows = LedgerPosting.objects.all()
    if billing_entity_id is not None:
        rows = rows.filter(entry__billing_entity_id=billing_entity_id)
    if customer_id is not None:
        rows = rows.filter(entry__customer_id=customer_id)
    if until is not None:
        rows = rows.filter(entry__accounting_date__lte=until)
    account = ("account__billing_entity_id", "account__role", "account__code", "account__name", "currency")
    sums = rows.order_by().values(*account).annotate(balance=Sum("amount")).order_by(*account)
    return [
        Balance(
            billing_entity_id=row["account__billing_entity_id"],
            role=row["account__role"],
            code=row["account__code"],
            name=row["account__name"],
            amount=Money(row["balance"], row["currency"]),
        )
        for row in sums
    ]


def out_of_balance() -> dict[str, Money]:
    """Return by how much the whole ledger is off in each currency: always nothing."""
    sums = LedgerPosting.objects.order_by().values("currency").annotate(total=Sum("amount")).order_by("currency")
    return {row["currency"]: Money(row["total"], row["currency"]) for row in sums if row["total"]}


def entries_of(instance: models.Model) -> models.QuerySet[LedgerEntry]:
    """Return what was booked for a row, oldest first, with postings and accounts at hand."""
    rows = LedgerEntry.objects.filter(source_type=instance._meta.label_lower, source_id=instance.pk)
    return rows.prefetch_related("postings__account").order_by("booked_at", "pk")

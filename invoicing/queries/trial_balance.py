"""The trial balance of a seller: opening, debits, credits and closing of each account over days. Never writes.

Pure sums of postings, by accounting date; a debit balance is positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, Sum
from moneyed import Money

from invoicing.queries import ledger


@dataclass(frozen=True)
class Row:
    """An account in one currency. ``credits`` is not negative; closing is opening plus debits less credits."""

    account_id: int
    code: str
    name: str
    type: str
    role: str
    currency: str
    opening: Money
    debits: Money
    credits: Money

    @property
    def closing(self) -> Money:
        """What stands on it at the end."""
        return self.opening + self.debits - self.credits


def rows(
    *,
    billing_entity_id: int,
    since: date | None = None,
    until: date | None = None,
    currency: str | None = None,
    known_on: datetime | None = None,
) -> list[Row]:
    """Return the accounts with postings up to ``until``, by currency and code; both days are included.

    Without ``since`` everything is movement and the opening is nothing. One query. Openings, movements and closings sum
    to zero in each currency.
    """
    postings = ledger.known(known_on=known_on).filter(entry__billing_entity_id=billing_entity_id)
    if until is not None:
        postings = postings.filter(entry__accounting_date__lte=until)
    if currency is not None:
        postings = postings.filter(currency=currency)
    before = Q(pk__in=[]) if since is None else Q(entry__accounting_date__lt=since)
    account = ("account_id", "account__code", "account__name", "account__type", "account__role", "currency")
    sums = postings.values(*account).annotate(
        before=Sum("amount", filter=before, default=Decimal(0)),
        debits=Sum("amount", filter=~before & Q(amount__gt=0), default=Decimal(0)),
        credits=Sum("amount", filter=~before & Q(amount__lt=0), default=Decimal(0)),
    )
    return [
        Row(
            account_id=row["account_id"],
            code=row["account__code"],
            name=row["account__name"],
            type=row["account__type"],
            role=row["account__role"],
            currency=row["currency"],
            opening=Money(row["before"], row["currency"]),
            debits=Money(row["debits"], row["currency"]),
            credits=Money(-row["credits"], row["currency"]),
        )
        for row in sums.order_by("currency", "account__code")
    ]


def totals(found: list[Row]) -> dict[str, Row]:
    """Return the sums over all accounts by currency: opening and closing are nothing, debits are credits."""
    sums: dict[str, Row] = {}
    for row in found:
        before = sums.get(row.currency)
        sums[row.currency] = Row(
            account_id=0,
            code="",
            name="",
            type="",
            role="",
            currency=row.currency,
            opening=row.opening + (before.opening if before else 0),
            debits=row.debits + (before.debits if before else 0),
            credits=row.credits + (before.credits if before else 0),
        )
    return sums

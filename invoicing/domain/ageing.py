"""Receivables by age: how long an open amount has been due. Local dates; no clock, no table.

What is disputed has no age: it stands in a bucket of its own, as nobody is reminded of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from moneyed import Money

from config.kernel import dates, money

NOT_DUE = "0"
DISPUTED = "disputed"
BUCKETS = (NOT_DUE, "1-30", "31-60", "61-90", ">90", DISPUTED)


def bucket(*, due_date: date, today: date) -> str:
    """Name the bucket of an open amount by the days since it was due; on the due date itself it is not due yet."""
    days = dates.days_between(due_date, today)
    if days <= 0:
        return NOT_DUE
    if days <= 30:
        return BUCKETS[1]
    if days <= 60:
        return BUCKETS[2]
    return BUCKETS[3] if days <= 90 else BUCKETS[4]


def by_age(
    *, open_amounts: Iterable[tuple[date, Money]], today: date, disputed: Iterable[Money] = ()
) -> dict[str, dict[str, Money]]:
    """Sum open amounts, each with its due date, by currency and bucket; ``disputed`` are no part of them.

    Every bucket is there, with zero if need be.
    """
    found: dict[str, dict[str, Money]] = {}
    for due_date, amount in open_amounts:
        currency = amount.currency.code
        buckets = found.setdefault(currency, {name: money.zero(currency) for name in BUCKETS})
        buckets[bucket(due_date=due_date, today=today)] += amount
    for amount in disputed:
        if amount:
            code = amount.currency.code
            buckets = found.setdefault(code, {name: money.zero(code) for name in BUCKETS})
            buckets[DISPUTED] += amount
    return found

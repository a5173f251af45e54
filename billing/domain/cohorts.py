"""Cohorts: customers by the month of their first bill, and what is left of them and their recurring revenue later.

A cohort is measured against the end of its own month: customers who had recurring revenue then, and how much. Who had
none by then is in no cohort. Per currency; who moves to another currency leaves. Knows no database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from moneyed import Money

from billing.domain.revenue_movements import Paces
from config.kernel import money


@dataclass(frozen=True, slots=True)
class Point:
    """A cohort at a month's end: recurring revenue, rounded half up, and how many of its customers have some."""

    month: date
    amount: Money
    customers: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers of one month; the first of ``points`` is what the others are measured against."""

    month: date
    points: tuple[Point, ...]

    def revenue(self, age: int) -> Decimal | None:
        """Return the share of the first revenue after ``age`` months, unrounded; None where that is not over yet."""
        return _share(self.points[age].amount.amount, self.points[0].amount.amount) if age < len(self.points) else None

    def customers(self, age: int) -> Decimal | None:
        """Return the share of the first customers after ``age`` months, unrounded; None where that is not over yet."""
        if age >= len(self.points):
            return None
        return _share(Decimal(self.points[age].customers), Decimal(self.points[0].customers))


def by_month(paces: Paces, *, first_bills: Mapping[int, date], currency: str) -> list[Cohort]:
    """Return the cohorts of the months of the paces in one currency, oldest first.

    ``first_bills`` has the first day of the month of every customer's first bill in that currency. The paces must have
    each of these customers for itself.
    """
    places = {month: place for place, month in enumerate(paces.months)}
    amounts: dict[int, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    counts: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    with localcontext(money.DECIMAL_CONTEXT):
        for customer_id, start, own in members(paces, first_bills=first_bills, currency=currency):
            del customer_id
            for place in range(places[start], len(paces.months)):
                if own[place]:
                    amounts[places[start]][place] += own[place]
                    counts[places[start]][place] += 1
    return [
        Cohort(
            month=paces.months[start],
            points=tuple(
                Point(
                    month=paces.months[place],
                    amount=Money(money.quantize(amounts[start][place], currency=currency), currency),
                    customers=counts[start][place],
                )
                for place in range(start, len(paces.months))
            ),
        )
        for start in sorted(amounts)
    ]


def members(
    paces: Paces, *, first_bills: Mapping[int, date], currency: str
) -> list[tuple[int, date, tuple[Decimal, ...]]]:
    """Return the customers in cohorts: who, the cohort's month, and the recurring revenue of every month, unrounded."""
    places = {month: place for place, month in enumerate(paces.months)}
    found = []
    for history in paces.histories:
        start, own = first_bills.get(history.customer_id), history.paces.get(currency)
        if start in places and own is not None and own[places[start]]:
            found.append((history.customer_id, start, tuple(own)))
    return found


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    if not whole:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return part / whole

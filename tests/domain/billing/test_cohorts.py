"""Customers by the month of their first bill, and what is left of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from billing.domain import cohorts
from billing.domain.revenue_movements import History, Paces

JAN, FEB, MAR = (date(2026, month, 1) for month in (1, 2, 3))


def history(key: int, *amounts: int, currency: str = "EUR") -> History:
    return History(key, {currency: [Decimal(one) for one in amounts]})


def test_two_cohorts() -> None:
    """January: 100 and 50, of which 50 leaves and 100 becomes 120. February: 30 and stays."""
    found = cohorts.by_month(
        Paces((JAN, FEB, MAR), (history(1, 100, 100, 120), history(2, 50, 50, 0), history(3, 0, 30, 30))),
        first_bills={1: JAN, 2: JAN, 3: FEB},
        currency="EUR",
    )

    assert [(one.month, [str(point.amount.amount) for point in one.points]) for one in found] == [
        (JAN, ["150.00", "150.00", "120.00"]),
        (FEB, ["30.00", "30.00"]),
    ]
    january, february = found
    assert [january.revenue(age) for age in range(4)] == [1, 1, Decimal("0.8"), None]  # 120 / 150
    assert [january.customers(age) for age in range(4)] == [1, 1, Decimal("0.5"), None]
    assert [february.revenue(age) for age in range(3)] == [1, 1, None]


def test_who_had_nothing_recurring_by_then_is_in_no_cohort() -> None:
    found = cohorts.by_month(
        Paces(
            (JAN, FEB),
            (history(1, 0, 100), history(2, 40, 40, currency="USD"), history(3, 10, 10), history(4, 5, 5)),
        ),
        first_bills={1: JAN, 2: JAN, 3: date(2025, 1, 1), 4: JAN},
        currency="EUR",
    )
    assert [(one.month, [point.customers for point in one.points]) for one in found] == [(JAN, [1, 1])]

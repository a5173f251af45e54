"""Figures by month: which months are told of, and putting a month together."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import analytics
from invoicing.domain.analytics import InvalidMonths, Revenue

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)


def eur(amount: str) -> Money:
    return Money(amount, "EUR")


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 5, 31), 1, date(2026, 5, 1)),  # this month alone
        (date(2026, 5, 31), 2, date(2026, 4, 1)),
        (date(2026, 5, 1), 12, date(2025, 6, 1)),
        (date(2026, 1, 15), 13, date(2025, 1, 1)),
        (date(2026, 5, 31), None, None),  # all there are
    ],
)
def test_the_oldest_month(today: date, months: int | None, first: date | None) -> None:
    assert analytics.first_month(today=today, months=months) == first


@pytest.mark.parametrize("months", [0, -1, 1201])
def test_a_number_of_months_that_is_none(months: int) -> None:
    with pytest.raises(InvalidMonths) as refused:
        analytics.first_month(today=MAY, months=months)
    assert refused.value.details == {"months": ["value_is_invalid"]}


def test_a_month_is_put_together() -> None:
    rows = analytics.revenue(
        invoiced={(JUNE, "EUR"): (eur("100.00"), 2), (MAY, "USD"): (Money("7.00", "USD"), 1)},
        fees={(JUNE, "EUR"): eur("0.50")},
        given_back=[{(JUNE, "EUR"): eur("20.00"), (MAY, "EUR"): eur("3.00")}],
    )

    assert rows == [
        Revenue(MAY, eur("-3.00"), 0),  # nothing but a credit note of an older invoice
        Revenue(MAY, Money("7.00", "USD"), 1),
        Revenue(JUNE, eur("80.50"), 2),  # 100.00 + 0.50 − 20.00
    ]


@given(st.lists(st.tuples(st.sampled_from([MAY, JUNE]), st.integers(0, 10**9)), max_size=6))
def test_what_is_given_back_leaves_nothing_of_what_it_was(parts: list[tuple[date, int]]) -> None:
    amounts = {(month, "EUR"): Money(cents, "EUR") for month, cents in parts}

    rows = analytics.revenue(
        invoiced={key: (amount, 1) for key, amount in amounts.items()}, fees={}, given_back=[amounts]
    )

    assert [row.month for row in rows] == sorted({month for month, _ in parts})
    assert all(row.amount == eur("0") and row.invoices_count == 1 for row in rows)

"""How long customers take to pay: worked sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import days_outstanding as rule
from billing.domain.days_outstanding import CountedBack, Sales


def sales(*billed: int) -> list[Sales]:
    """Months up to June 2026 (30 days; May 31, April 30, March 31)."""
    first = 7 - len(billed)
    return [Sales(date(2026, first + place, 1), Decimal(one)) for place, one in enumerate(billed)]


@pytest.mark.parametrize(
    ("is_open", "billed", "days", "is_more"),
    [
        (0, (100, 100), "0", False),
        (50, (100, 100), "15", False),  # 50 / 100 × 30
        (100, (100, 100), "30", False),  # all of June
        (150, (100, 100), "45.5", False),  # 30 + 50 / 100 × 31
        (130, (100, 0, 100), "70", False),  # 30 + 31 without sales + 30 / 100 × 30
        (130, (100, -20, 100), "70", False),  # less than nothing lowers nothing
        (300, (100, 100), "61", True),  # all that is known: 30 + 31, and more
        (-5, (100,), "0", False),
        (10, (), "0", True),
    ],
)
def test_count_back(is_open: int, billed: tuple[int, ...], days: str, is_more: bool) -> None:
    found = rule.count_back(open_amount=Decimal(is_open), sales=sales(*billed))
    assert found == CountedBack(Decimal(days), is_more)


@pytest.mark.parametrize(
    ("is_open", "billed", "days"),
    [
        (100, (100, 100, 100), "30.33"),  # 100 / 300 × 91 days of April, May and June
        (100, (900, 100, 100, 100), "30.33"),  # March is too old
        (100, (100,), "30"),
        (0, (100,), "0"),
        (100, (0, 0), None),
        (-10, (100,), "0"),
    ],
)
def test_simple(is_open: int, billed: tuple[int, ...], days: str | None) -> None:
    found = rule.simple(open_amount=Decimal(is_open), sales=sales(*billed))
    assert (found is None) == (days is None)
    assert found is None or days is None or abs(found - Decimal(days)) < Decimal("0.01")


@pytest.mark.parametrize(
    ("opening", "billed", "closing", "not_due", "expected"),
    [
        (100, 100, 0, 0, "1"),  # all of it
        (100, 100, 100, 100, "1"),  # all that was due
        (100, 100, 150, 100, "0.5"),  # (200 − 150) / (200 − 100)
        (0, 0, 0, 0, None),
        (0, 100, 100, 100, None),  # nothing was due
    ],
)
def test_effectiveness(opening: int, billed: int, closing: int, not_due: int, expected: str | None) -> None:
    found = rule.effectiveness(
        opening=Decimal(opening), billed=Decimal(billed), closing=Decimal(closing), not_due=Decimal(not_due)
    )
    assert found == (None if expected is None else Decimal(expected))


def test_what_is_written_off_is_not_collected() -> None:
    """(100 + 100 − 100 − 60) / (100 + 100 − 100): of 100 that was due 40 came in."""
    given_up = {"opening": Decimal(100), "billed": Decimal(100), "closing": Decimal(100), "not_due": Decimal(100)}
    assert rule.effectiveness(**given_up, written_off=Decimal(60)) == Decimal("0.4")


@given(st.lists(st.integers(-50, 500), min_size=1, max_size=6), st.integers(0, 2000), st.integers(0, 500))
def test_more_open_is_never_fewer_days(billed: list[int], is_open: int, more: int) -> None:
    less = rule.count_back(open_amount=Decimal(is_open), sales=sales(*billed))
    longer = rule.count_back(open_amount=Decimal(is_open + more), sales=sales(*billed))
    assert 0 <= less.days <= longer.days
    assert longer.days <= sum(one.days for one in sales(*billed))
    assert longer.is_more or not less.is_more

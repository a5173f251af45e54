"""Receivables by age."""

from datetime import date, timedelta

import pytest
from moneyed import Money

from invoicing.domain import ageing

TODAY = date(2026, 5, 31)


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, "0"),
        (0, "0"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (60, "31-60"),
        (61, "61-90"),
        (90, "61-90"),
        (91, ">90"),
    ],
)
def test_buckets_meet_without_a_gap(days: int, bucket: str) -> None:
    assert ageing.bucket(due_date=TODAY - timedelta(days=days), today=TODAY) == bucket


def test_amounts_are_summed_by_currency_and_age() -> None:
    found = ageing.by_age(
        open_amounts=[
            (date(2026, 6, 1), Money("1.00", "EUR")),
            (date(2026, 5, 1), Money("2.00", "EUR")),
            (date(2026, 5, 30), Money("4.00", "EUR")),
            (date(2020, 1, 1), Money(8, "JPY")),
        ],
        today=TODAY,
    )

    assert found["EUR"] == {
        "0": Money("1.00", "EUR"),
        "1-30": Money("6.00", "EUR"),
        "31-60": Money("0", "EUR"),
        "61-90": Money("0", "EUR"),
        ">90": Money("0", "EUR"),
        "disputed": Money("0", "EUR"),
    }
    assert found["JPY"][">90"] == Money(8, "JPY")
    assert list(found) == ["EUR", "JPY"]

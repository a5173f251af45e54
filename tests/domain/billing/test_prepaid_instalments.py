"""Instalments of prepaid commitments: their days, amounts that sum to the whole, and an early end."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import contract_terms, prepaid_instalments
from billing.domain.contract_terms import Span
from billing.domain.prepaid_instalments import Rhythm
from config.kernel import money

YEAR = contract_terms.term(starts_on=date(2026, 1, 1), months=12)


def planned(amount: str, span: Span, rhythm: str, currency: str = "EUR") -> list[tuple[str, str]]:
    found = prepaid_instalments.plan(amount=Money(amount, currency), span=span, rhythm=Rhythm(rhythm))
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert {one.of for one in found} == {len(found)}
    return [(one.due_on.isoformat(), str(one.amount.amount)) for one in found]


@pytest.mark.parametrize(
    ("amount", "span", "rhythm", "wanted"),
    [
        ("12000.00", YEAR, "whole", [("2026-01-01", "12000.00")]),
        ("12000.00", YEAR, "yearly", [("2026-01-01", "12000.00")]),
        # 1000.00 / 4 has no remainder; 1000.01 leaves a cent to the first.
        ("1000.01", YEAR, "quarterly", [
            ("2026-01-01", "250.01"), ("2026-04-01", "250.00"), ("2026-07-01", "250.00"), ("2026-10-01", "250.00"),
        ]),
        # 18 months by years: one whole year and 181 of 365 days. 15000 / (1 + 181/365) = 10027.47.
        (
            "15000.00",
            contract_terms.term(starts_on=date(2026, 1, 1), months=18),
            "yearly",
            [("2026-01-01", "10027.47"), ("2027-01-01", "4972.53")],
        ),
        # From 31 January: every step is counted from there.
        (
            "3",
            contract_terms.term(starts_on=date(2026, 1, 31), months=3),
            "monthly",
            [("2026-01-31", "1.00"), ("2026-02-28", "1.00"), ("2026-03-31", "1.00")],
        ),
    ],
)  # fmt: skip
def test_the_plan(amount: str, span: Span, rhythm: str, wanted: list[tuple[str, str]]) -> None:
    assert planned(amount, span, rhythm) == wanted


def test_the_currency_has_its_own_minor_units() -> None:
    assert planned("100", contract_terms.term(starts_on=date(2026, 1, 1), months=3), "monthly", "JPY") == [
        ("2026-01-01", "34"),
        ("2026-02-01", "33"),
        ("2026-03-01", "33"),
    ]


def test_an_instalment_of_nothing_is_not_made() -> None:
    assert planned("0.02", YEAR, "quarterly") == [("2026-01-01", "0.01"), ("2026-04-01", "0.01")]


@pytest.mark.parametrize(
    ("today", "cut_on", "is_whole", "numbers"),
    [
        (date(2025, 12, 31), None, False, []),
        (date(2026, 1, 1), None, False, [1]),
        (date(2026, 6, 30), None, False, [1, 2]),
        (date(2027, 6, 30), None, False, [1, 2, 3, 4]),
        (date(2027, 6, 30), date(2026, 5, 31), False, [1, 2]),  # those after the end never come
        (date(2026, 5, 30), date(2026, 5, 31), True, [1, 2]),
        (date(2026, 5, 31), date(2026, 5, 31), True, [1, 2, 3, 4]),  # all of the rest on the last day
    ],
)
def test_what_has_come(today: date, cut_on: date | None, is_whole: bool, numbers: list[int]) -> None:
    rows = prepaid_instalments.plan(amount=Money("100.00", "EUR"), span=YEAR, rhythm=Rhythm.QUARTERLY)

    found = prepaid_instalments.come(planned=rows, today=today, cut_on=cut_on, is_whole=is_whole)

    assert [one.number for one in found] == numbers


def test_how_many_come_in_all() -> None:
    rows = prepaid_instalments.plan(amount=Money("100.00", "EUR"), span=YEAR, rhythm=Rhythm.QUARTERLY)
    cut = date(2026, 5, 31)

    assert prepaid_instalments.expected(planned=rows) == 4
    assert prepaid_instalments.expected(planned=rows, cut_on=cut) == 2
    assert prepaid_instalments.expected(planned=rows, cut_on=cut, is_whole=True) == 4


@settings(max_examples=60)
@given(
    minor=st.integers(1, 10**9),
    first=st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    days=st.integers(1, 1500),
    rhythm=st.sampled_from(list(Rhythm)),
    currency=st.sampled_from(["EUR", "JPY", "BHD"]),
)
def test_instalments_sum_to_the_whole_and_follow_each_other(
    minor: int, first: date, days: int, rhythm: Rhythm, currency: str
) -> None:
    amount, span = money.from_minor(minor, currency), Span(first, first + timedelta(days=days - 1))

    rows = prepaid_instalments.plan(amount=amount, span=span, rhythm=rhythm)

    assert sum((one.amount for one in rows), money.zero(currency)) == amount
    assert all(one.amount.amount > 0 for one in rows)
    assert all(span.contains(one.span.first) and span.contains(one.span.last) for one in rows)
    assert [one.due_on for one in rows] == sorted({one.due_on for one in rows})

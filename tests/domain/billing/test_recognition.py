"""Revenue is earned evenly over its service, and its months add up to the whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import recognition
from billing.domain.recognition import Rule
from config.kernel import dates, money
from config.kernel.dates import Period

UTC_ZONE = dates.zone("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def earned(amount: str, start: str, end: str, rule: Rule) -> dict[str, str]:
    found = recognition.schedule(
        amount=Money(amount, "USD"), service=Period(at(start), at(end)), rule=rule, timezone=UTC_ZONE
    )
    return {f"{row.month:%Y-%m}": f"{row.amount.amount:.2f}" for row in found}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # 120 days of 1.00: 15.5 in June, 31, 31, 30, 12.5 in October.
        (
            Rule.BY_SECOND,
            {"2026-06": "15.50", "2026-07": "31.00", "2026-08": "31.00", "2026-09": "30.00", "2026-10": "12.50"},
        ),
        # 15 June counts in full, 13 October not at all: 16 + 31 + 31 + 30 + 12.
        (
            Rule.BY_DAY,
            {"2026-06": "16.00", "2026-07": "31.00", "2026-08": "31.00", "2026-09": "30.00", "2026-10": "12.00"},
        ),
        # Four months of 30.00; the begun October earns nothing.
        (Rule.EVENLY_BY_MONTH, {"2026-06": "30.00", "2026-07": "30.00", "2026-08": "30.00", "2026-09": "30.00"}),
    ],
)
def test_four_months_from_the_middle_of_june(rule: Rule, expected: dict[str, str]) -> None:
    assert earned("120", "2026-06-15T12:00", "2026-10-13T12:00", rule) == expected


def test_a_third_of_a_cent_is_not_lost() -> None:
    # 100 / 3 = 33.333…: 33.33 until January, 66.67 until February, 100.00 until March.
    months = earned("100", "2026-01-01", "2026-04-01", Rule.EVENLY_BY_MONTH)
    assert months == {"2026-01": "33.33", "2026-02": "33.34", "2026-03": "33.33"}


def test_what_is_deferred_falls_to_nothing() -> None:
    found = recognition.schedule(
        amount=Money(1200, "USD"),
        service=Period(at("2026-01-01"), at("2027-01-01")),
        rule=Rule.EVENLY_BY_MONTH,
        timezone=UTC_ZONE,
    )
    assert [row.deferred.amount for row in found] == [1100 - 100 * number for number in range(12)]


def test_a_change_splits_by_the_days_before_it() -> None:
    # 90.00 over the 30 days of April: the 20 days before the 21st are 60.00, whatever the hour of the change.
    service = Period(at("2025-04-01"), at("2025-05-01"))
    for moment in ("2025-04-21T00:00", "2025-04-21T17:30"):
        before = recognition.earned_until(
            amount=Money(90, "USD"), service=service, rule=Rule.BY_DAY, timezone=UTC_ZONE, at=at(moment)
        )
        assert before == Money(60, "USD")


@pytest.mark.parametrize("rule", list(Rule))
def test_a_service_within_a_day_is_earned_in_its_month(rule: Rule) -> None:
    assert earned("10", "2026-03-31T10:00", "2026-03-31T18:00", rule) == {"2026-03": "10.00"}
    assert earned("10", "2026-03-31T10:00", "2026-03-31T10:00", rule) == {"2026-03": "10.00"}


def test_months_are_local() -> None:
    # The 1st of May starts in Auckland when it is noon of 30 April in London.
    auckland = dates.zone("Pacific/Auckland")
    service = Period(at("2026-04-30T12:00"), at("2026-05-31T12:00"))
    found = recognition.schedule(amount=Money(31, "NZD"), service=service, rule=Rule.BY_DAY, timezone=auckland)
    assert [(row.month, row.amount) for row in found] == [(date(2026, 5, 1), Money(31, "NZD"))]


@settings(max_examples=100, deadline=None)
@given(
    cents=st.integers(-(10**9), 10**9),
    currency=st.sampled_from(["USD", "JPY", "BHD"]),
    minutes=st.integers(0, 60 * 24 * 365 * 4),
    hours=st.integers(0, 24 * 800),
    rule=st.sampled_from(list(Rule)),
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_the_months_add_up_and_follow_each_other(
    cents: int, currency: str, minutes: int, hours: int, rule: Rule, zone: str
) -> None:
    amount = money.from_minor(cents, currency)
    begin = at("2024-01-01") + timedelta(minutes=minutes)
    found = recognition.schedule(
        amount=amount, service=Period(begin, begin + timedelta(hours=hours)), rule=rule, timezone=dates.zone(zone)
    )
    assert sum((row.amount for row in found), money.zero(currency)) == amount
    assert found[-1].deferred == money.zero(currency)
    assert [row.month for row in found] == [dates.add_months(found[0].month, number) for number in range(len(found))]
    assert all(row.amount.amount * cents >= 0 for row in found)  # nothing is taken back

"""Natural periods: tables of known ones, and that they tile all time."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import periods
from billing.domain.periods import Schedule
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates
from tests.domain.billing import schedules
from tests.domain.billing.schedules import at

NUMBERS = st.integers(-40, 60)


@pytest.mark.parametrize(
    ("interval", "anchor", "starts"),
    [
        ("monthly", "2023-01-31", ["2023-01-31", "2023-02-28", "2023-03-31", "2023-04-30", "2023-05-31", "2023-06-30"]),
        ("monthly", "2023-01-30", ["2023-01-30", "2023-02-28", "2023-03-30", "2023-04-30"]),
        ("monthly", "2024-01-30", ["2024-01-30", "2024-02-29", "2024-03-30"]),
        ("yearly", "2024-02-29", ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29", "2029-02-28"]),
        ("quarterly", "2023-11-30", ["2023-11-30", "2024-02-29", "2024-05-30", "2024-08-30"]),
        ("semiannual", "2023-08-31", ["2023-08-31", "2024-02-29", "2024-08-31", "2025-02-28"]),
        ("weekly", "2024-02-28", ["2024-02-28", "2024-03-06", "2024-03-13"]),
    ],
)
def test_anniversaries_return_to_their_own_day(interval: str, anchor: str, starts: list[str]) -> None:
    schedule = schedules.of(interval, "anniversary", date.fromisoformat(anchor))
    assert [periods.first_day(schedule, number).isoformat() for number in range(len(starts))] == starts


@pytest.mark.parametrize(
    ("interval", "anchor", "first", "following"),
    [
        ("weekly", "2024-05-15", "2024-05-13", "2024-05-20"),  # a Wednesday's Monday
        ("weekly", "2024-05-13", "2024-05-13", "2024-05-20"),
        ("monthly", "2024-05-15", "2024-05-01", "2024-06-01"),
        ("quarterly", "2024-05-15", "2024-04-01", "2024-07-01"),
        ("semiannual", "2024-05-15", "2024-01-01", "2024-07-01"),
        ("semiannual", "2024-12-31", "2024-07-01", "2025-01-01"),
        ("yearly", "2024-05-15", "2024-01-01", "2025-01-01"),
    ],
)
def test_calendar_periods_start_with_the_calendar(interval: str, anchor: str, first: str, following: str) -> None:
    schedule = schedules.of(interval, "calendar", date.fromisoformat(anchor))
    found = periods.nth_period(schedule, 0)
    assert (found.first_day.isoformat(), found.next_first_day.isoformat()) == (first, following)


def test_the_anchor_is_a_local_date() -> None:
    # 2 February 00:00 in UTC is still the evening of the first in New York.
    schedule = periods.schedule(
        interval="monthly",
        billing_time="anniversary",
        subscription_at=at("2021-02-02T00:00:00Z"),
        timezone=dates.zone("America/New_York"),
    )
    assert schedule.anchor == date(2021, 2, 1)
    assert periods.nth_period(schedule, 0).period.start == at("2021-02-01T05:00:00Z")


def test_instants_follow_daylight_saving_and_days_do_not() -> None:
    march = periods.period_at(
        schedules.of("monthly", "calendar", date(2024, 1, 1), "Europe/Berlin"), at("2024-03-15T00:00:00Z")
    )
    assert (march.period.start, march.period.end) == (at("2024-02-29T23:00:00Z"), at("2024-03-31T22:00:00Z"))
    assert march.days == march.period.days(dates.zone("Europe/Berlin")) == 31


@given(schedule=schedules.SCHEDULES, number=NUMBERS)
def test_periods_tile_without_gap_or_overlap(schedule: Schedule, number: int) -> None:
    current, following = periods.nth_period(schedule, number), periods.nth_period(schedule, number + 1)
    assert current.next_first_day == following.first_day
    assert current.period.end == following.period.start
    assert current.first_day < current.next_first_day
    assert current.period.start < current.period.end


@given(schedule=schedules.SCHEDULES, offset=st.integers(-1500, 3000), seconds=st.integers(0, 86_399))
def test_every_instant_is_in_the_period_that_it_is_said_to_be_in(schedule: Schedule, offset: int, seconds: int) -> None:
    instant = dates.start_of_day(schedule.anchor + timedelta(days=offset), schedule.timezone)
    instant += timedelta(seconds=seconds)
    found = periods.period_at(schedule, instant)
    assert found.period.contains(instant)
    assert found == periods.nth_period(schedule, found.number)


@given(schedule=schedules.SCHEDULES)
def test_period_0_holds_the_anchor(schedule: Schedule) -> None:
    assert periods.number_on(schedule, schedule.anchor) == 0
    if schedule.billing_time is BillingTime.ANNIVERSARY:
        assert periods.first_day(schedule, 0) == schedule.anchor


@given(schedule=schedules.SCHEDULES, number=NUMBERS)
def test_the_first_day_and_only_it_starts_a_period(schedule: Schedule, number: int) -> None:
    found = periods.nth_period(schedule, number)
    assert periods.starts_on(schedule, found.first_day)
    assert not periods.starts_on(schedule, found.first_day + timedelta(days=1))
    assert periods.number_on(schedule, found.next_first_day - timedelta(days=1)) == number


@given(schedule=schedules.SCHEDULES, number=NUMBERS)
def test_months_divide_longer_periods_exactly(schedule: Schedule, number: int) -> None:
    if schedule.interval is Interval.WEEKLY:
        return
    whole = periods.nth_period(schedule, number)
    months = periods.monthly(schedule)
    assert periods.starts_on(months, whole.first_day)
    assert periods.starts_on(months, whole.next_first_day)


@given(schedule=schedules.SCHEDULES, start=st.integers(0, 400), length=st.integers(0, 500), cut=st.integers(0, 500))
def test_elapsed_periods_are_the_same_in_one_go_or_in_two(
    schedule: Schedule, start: int, length: int, cut: int
) -> None:
    after = _day(schedule, start)
    until, between = _day(schedule, start + length), _day(schedule, start + min(cut, length))
    in_one_go = periods.elapsed_periods(schedule, after=after, until=until)
    in_two = periods.elapsed_periods(schedule, after=after, until=between)
    in_two += periods.elapsed_periods(schedule, after=between, until=until)
    assert in_one_go == in_two
    assert all(after < period.period.end <= until for period in in_one_go)


def _day(schedule: Schedule, days: int) -> datetime:
    return dates.start_of_day(schedule.anchor + timedelta(days=days), schedule.timezone)

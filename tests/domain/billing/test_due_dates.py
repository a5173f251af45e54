"""Billing days: when a subscription is due, and catching up after a pause."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import due_dates, periods
from billing.domain.periods import Schedule
from tests.domain.billing import schedules


@pytest.mark.parametrize(
    ("interval", "billing_time", "anchor", "today", "is_due"),
    [
        ("monthly", "calendar", date(2024, 1, 15), date(2024, 2, 1), True),
        ("monthly", "calendar", date(2024, 1, 15), date(2024, 2, 2), False),
        ("monthly", "calendar", date(2024, 2, 1), date(2024, 2, 1), False),  # the day it starts
        ("monthly", "anniversary", date(2023, 3, 31), date(2023, 4, 30), True),  # 31 is missing
        ("monthly", "anniversary", date(2023, 3, 31), date(2023, 4, 29), False),
        ("monthly", "anniversary", date(2023, 2, 28), date(2023, 3, 28), True),
        ("monthly", "anniversary", date(2023, 2, 28), date(2023, 3, 31), False),
        ("weekly", "calendar", date(2024, 5, 15), date(2024, 5, 20), True),  # Monday
        ("quarterly", "calendar", date(2024, 2, 1), date(2024, 4, 1), True),
        ("yearly", "anniversary", date(2020, 2, 29), date(2023, 2, 28), True),
        ("yearly", "anniversary", date(2020, 2, 29), date(2023, 3, 1), False),
        ("semiannual", "anniversary", date(2020, 2, 29), date(2023, 8, 29), True),
    ],
)
def test_billing_days(interval: str, billing_time: str, anchor: date, today: date, is_due: bool) -> None:
    schedule = schedules.of(interval, billing_time, anchor)
    found = due_dates.due_billing_dates(schedule, first=anchor, last_billed=None, today=today, catch_up=False)
    assert found == ([today] if is_due else [])


def test_catching_up_bills_every_billing_day_once() -> None:
    schedule = schedules.of("monthly", "anniversary", date(2023, 12, 31))
    found = due_dates.due_billing_dates(
        schedule, first=date(2023, 12, 31), last_billed=date(2024, 1, 31), today=date(2024, 5, 1), catch_up=True
    )
    assert found == [date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)]
    again = due_dates.due_billing_dates(
        schedule, first=date(2023, 12, 31), last_billed=found[-1], today=date(2024, 5, 1), catch_up=True
    )
    assert again == []


def test_without_catching_up_a_missed_day_stays_missed() -> None:
    schedule = schedules.of("monthly", "calendar", date(2024, 1, 15))
    days = [date(2024, 2, 2), date(2024, 3, 1)]
    found = [
        due_dates.due_billing_dates(schedule, first=date(2024, 1, 15), last_billed=None, today=day, catch_up=False)
        for day in days
    ]
    assert found == [[], [date(2024, 3, 1)]]


def test_a_yearly_plan_that_bills_usage_monthly_is_due_every_month() -> None:
    schedule = schedules.of("yearly", "anniversary", date(2022, 2, 4))
    monthly = due_dates.billing_schedule(schedule, bills_monthly=True)
    assert due_dates.next_billing_date(monthly, after=date(2022, 2, 4)) == date(2022, 3, 4)
    assert due_dates.next_billing_date(schedule, after=date(2022, 2, 4)) == date(2023, 2, 4)
    quarterly = schedules.of("quarterly", "anniversary", date(2022, 2, 4))
    assert due_dates.billing_schedule(quarterly, bills_monthly=True) == quarterly


@given(schedule=schedules.SCHEDULES, days=st.integers(0, 500), stops=st.lists(st.integers(0, 500), max_size=5))
def test_however_often_the_job_runs_the_same_days_are_billed(schedule: Schedule, days: int, stops: list[int]) -> None:
    first, today = schedule.anchor, schedule.anchor + timedelta(days=days)
    at_once = due_dates.due_billing_dates(schedule, first=first, last_billed=None, today=today, catch_up=True)
    one_by_one: list[date] = []
    for stop in [*sorted(min(stop, days) for stop in stops), days]:
        one_by_one += due_dates.due_billing_dates(
            schedule,
            first=first,
            last_billed=one_by_one[-1] if one_by_one else None,
            today=first + timedelta(days=stop),
            catch_up=True,
        )
    assert one_by_one == at_once
    assert all(first < day <= today and periods.starts_on(schedule, day) for day in at_once)


@given(schedule=schedules.SCHEDULES, days=st.integers(0, 200))
def test_a_job_that_runs_daily_needs_no_catching_up(schedule: Schedule, days: int) -> None:
    first = schedule.anchor
    daily: list[date] = []
    for passed in range(days + 1):
        daily += due_dates.due_billing_dates(
            schedule,
            first=first,
            last_billed=daily[-1] if daily else None,
            today=first + timedelta(days=passed),
            catch_up=False,
        )
    today = first + timedelta(days=days)
    assert daily == due_dates.due_billing_dates(schedule, first=first, last_billed=None, today=today, catch_up=True)


@given(schedule=schedules.SCHEDULES, days=st.integers(-400, 400))
def test_the_next_billing_day_is_the_first_one_after(schedule: Schedule, days: int) -> None:
    after = schedule.anchor + timedelta(days=days)
    found = due_dates.next_billing_date(schedule, after=after)
    assert found > after
    assert periods.number_on(schedule, found) == periods.number_on(schedule, after) + 1
    assert periods.starts_on(schedule, found)

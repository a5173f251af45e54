"""Which time's minimum commitment an invoice settles."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import dues, periods
from billing.domain.standing import Billed, Due, Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates

Told = tuple[str, str, str, str]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def standing(
    started: str, *, interval: str = "monthly", billing_time: str = "calendar", zone: str = "UTC", **values: Any
) -> Standing:
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=at(started, zone), timezone=ZoneInfo(zone)
    )
    where = Standing(schedule=schedule, started_at=at(started, zone), next_billing_date=date.min, **values)
    first = dues.first_billing_date(
        where.billing_schedule,
        started_at=where.started_at,
        created_at=where.started_at,
        bills_backdated=False,
        bills_start=dues.bills_start(where),
    )
    return replace(where, next_billing_date=first)


def ended(where: Standing, end: str, **values: Any) -> Standing:
    zone = where.schedule.timezone.key
    return replace(where, ends_at=at(end, zone), is_terminated=True, **values)


def settled(where: Standing, as_of: str, *, billed: list[Billed] | None = None) -> list[Told]:
    """Return for each due stretch with a commitment: billing day, first and last day of the time, days of days."""
    zone = where.schedule.timezone
    found = dues.due(where, as_of=at(as_of, zone.key), catch_up=True, billed=billed or [])
    return [
        (
            due.billing_date.isoformat(),
            due.commitment.period.first_day(zone).isoformat(),
            due.commitment.period.last_day(zone).isoformat(),
            f"{due.commitment.share.days}/{due.commitment.share.of_days}",
        )
        for due in found
        if due.commitment is not None
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize("in_advance", [False, True])
@pytest.mark.parametrize(
    ("interval", "billing_time", "started", "as_of", "expected"),
    [
        ("weekly", "anniversary", "2023-02-01", "2023-02-08", [("2023-02-08", "2023-02-01", "2023-02-07", "7/7")]),
        ("weekly", "calendar", "2023-02-01", "2023-02-06", [("2023-02-06", "2023-02-01", "2023-02-05", "5/7")]),
        (
            "monthly",
            "calendar",
            "2023-02-04T15:00",
            "2023-03-01",
            [("2023-03-01", "2023-02-04", "2023-02-28", "25/28")],
        ),
        ("monthly", "anniversary", "2024-01-31", "2024-02-29", [("2024-02-29", "2024-01-31", "2024-02-28", "29/29")]),
        ("quarterly", "calendar", "2023-02-04", "2023-04-01", [("2023-04-01", "2023-02-04", "2023-03-31", "56/90")]),
        ("semiannual", "calendar", "2024-03-12", "2024-07-01", [("2024-07-01", "2024-03-12", "2024-06-30", "111/182")]),
        ("yearly", "anniversary", "2022-02-04", "2023-02-04", [("2023-02-04", "2022-02-04", "2023-02-03", "365/365")]),
        ("monthly", "calendar", "2023-02-04", "2023-02-28T23:00", []),
    ],
)
def test_the_interval_that_is_over(
    zone: str, interval: str, billing_time: str, started: str, as_of: str, expected: list[Told], *, in_advance: bool
) -> None:
    where = standing(started, interval=interval, billing_time=billing_time, zone=zone, pays_in_advance=in_advance)
    assert settled(where, as_of) == expected


@pytest.mark.parametrize("in_advance", [False, True])
def test_months_inside_a_year_settle_nothing(*, in_advance: bool) -> None:
    where = standing("2023-01-01", interval="yearly", charges_monthly=True, pays_in_advance=in_advance)
    assert settled(where, "2023-12-01") == []
    assert settled(where, "2024-02-01") == [("2024-01-01", "2023-01-01", "2023-12-31", "365/365")]
    # 31 + 28 + 31 + 15 days: the day of the end is one of them.
    assert settled(ended(where, "2023-04-15T10:00"), "2023-04-15T10:00") == [
        ("2023-04-15", "2023-01-01", "2023-04-15", "105/365")
    ]


@pytest.mark.parametrize(
    ("where", "as_of", "expected"),
    [
        (ended(standing("2023-02-01"), "2023-02-15T10:00"), "2023-02-15T10:00", ["2023-02-01..2023-02-15 15/28"]),
        # An upgrade bills its day as well: usage and fixed charges of it are billed up to the change.
        (
            ended(standing("2023-02-01"), "2023-02-15T10:00", is_replaced=True, is_upgraded=True),
            "2023-02-15T10:00",
            ["2023-02-01..2023-02-15 15/28"],
        ),
        # A cheaper plan goes on: the whole last period, and nothing of the day on which it ends.
        (
            ended(standing("2023-02-01"), "2023-03-01", is_replaced=True),
            "2023-03-01",
            ["2023-02-01..2023-02-28 28/28"],
        ),
        # A contract of one month has one month's minimum, though it ends in the first hours of the next one.
        (ended(standing("2023-02-01"), "2023-03-01T10:00"), "2023-03-01T10:00", ["2023-02-01..2023-02-28 28/28"]),
        (ended(standing("2023-02-10T10:00"), "2023-02-10T18:00"), "2023-02-10T18:00", ["2023-02-10..2023-02-10 1/28"]),
        # Nobody wanted a last invoice.
        (ended(standing("2023-02-01"), "2023-02-15T10:00", bills_end=False), "2023-02-15T10:00", []),
        (ended(standing("2023-02-01"), "2023-02-01"), "2023-02-15", []),
    ],
)
def test_the_running_interval_up_to_the_end(where: Standing, as_of: str, expected: list[str]) -> None:
    for in_advance in (False, True):
        asked = replace(where, pays_in_advance=in_advance)
        found = settled(asked, as_of)
        assert [f"{first}..{last} {days}" for _, first, last, days in found] == expected


@pytest.mark.parametrize(
    ("trial_ends", "expected"),
    [
        ("2024-04-19", ["30/30"]),  # March was all trial; April has its minimum, though its fee is for 12 days
        ("2024-03-15", ["27/31", "30/30"]),
        ("2024-04-01", ["30/30"]),
        ("2024-03-31T12:00", ["27/31", "30/30"]),
        ("2024-06-01", []),
    ],
)
def test_intervals_that_a_trial_takes_up_have_no_minimum(trial_ends: str, expected: list[str]) -> None:
    for in_advance in (False, True):
        where = standing("2024-03-05T12:12", trial_ends_at=at(trial_ends), pays_in_advance=in_advance)
        assert [days for *_, days in settled(where, "2024-05-01")] == expected


def test_an_interval_whose_fee_in_advance_nobody_billed_has_no_minimum() -> None:
    # Made in March with a start in January: the first fee in advance is that of April.
    where = replace(
        standing("2024-01-10", pays_in_advance=True),
        commits_from=date(2024, 4, 1),
        next_billing_date=date(2024, 4, 1),
    )
    assert settled(where, "2024-05-01") == [("2024-05-01", "2024-04-01", "2024-04-30", "30/30")]


def test_time_is_settled_once_unless_its_draft_was_voided() -> None:
    where = standing("2023-02-01")
    (due,) = dues.due(where, as_of=at("2023-03-01"), catch_up=True)
    assert due.commitment is not None
    covered = as_billed(due)
    later = replace(where, next_billing_date=date(2023, 4, 1))
    assert settled(later, "2023-04-01", billed=[covered]) == [("2023-04-01", "2023-03-01", "2023-03-31", "31/31")]
    voided = replace(covered, is_released=True)
    assert settled(where, "2023-03-01", billed=[voided]) == [("2023-03-01", "2023-02-01", "2023-02-28", "28/28")]
    # It ends on the first day of March: February is settled, so that day is what is left.
    last = ended(replace(where, next_billing_date=date(2023, 4, 1)), "2023-03-01T10:00")
    assert settled(last, "2023-03-01T10:00", billed=[covered]) == [("2023-03-01", "2023-03-01", "2023-03-01", "1/31")]


def as_billed(due: Due) -> Billed:
    return Billed(
        due.billing_date,
        due.fee,
        due.charges,
        bills_fee=due.bills_fee,
        fixed=due.fixed,
        commitment=None if due.commitment is None else due.commitment.period,
    )


@settings(max_examples=150)
@given(
    interval=st.sampled_from(Interval),
    billing_time=st.sampled_from(BillingTime),
    zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin"]),
    start=st.datetimes(datetime(2023, 1, 1), datetime(2024, 6, 1)),  # noqa: DTZ001 - made aware
    life=st.timedeltas(timedelta(hours=1), timedelta(days=900)),
    in_advance=st.booleans(),
    monthly=st.booleans(),
    steps=st.lists(st.integers(1, 300), max_size=5),
)
def test_every_day_of_a_life_is_committed_to_once(
    interval: Interval,
    billing_time: BillingTime,
    zone: str,
    start: datetime,
    life: timedelta,
    steps: list[int],
    *,
    in_advance: bool,
    monthly: bool,
) -> None:
    started = start.replace(microsecond=0)
    where = standing(
        started.isoformat(),
        interval=interval,
        billing_time=billing_time,
        zone=zone,
        pays_in_advance=in_advance,
        charges_monthly=monthly and interval in (Interval.YEARLY, Interval.SEMIANNUAL),
    )
    end = where.started_at + life
    billed: list[Billed] = []
    times = []
    clock = where.started_at
    for days in (*steps, None):
        clock = end if days is None else min(clock + timedelta(days=days), end)
        now = replace(where, ends_at=end, is_terminated=True) if days is None else where
        for due in dues.due(now, as_of=clock, catch_up=True, billed=billed):
            billed.append(as_billed(due))
            if due.commitment is not None:
                times.append(due.commitment)
        following = dues.next_billing_date(now, as_of=clock)
        if following is not None:
            where = replace(where, next_billing_date=following)
    assert times
    assert all(one.period.end == two.period.start for one, two in itertools.pairwise(times))
    assert times[0].period.start == dates.start_of_day(where.first_day, where.schedule.timezone)
    tz = where.schedule.timezone
    last_day = dates.local_date(end, tz)
    opens = periods.starts_on(where.schedule, last_day) and last_day > where.first_day
    # The day of the end is committed to as well, unless it is the first one of an interval that was not billed yet.
    days = sum(time.share.days for time in times)
    whole = dates.days_between(where.first_day, last_day) + 1
    assert days == whole or (opens and days == whole - 1)


@pytest.mark.parametrize(
    ("end", "values", "share"),
    [
        # Hours of the day count, also where another plan follows; a day that it follows at the start of does not.
        ("2026-01-10T12:00", {"is_replaced": True, "is_upgraded": True}, "10/31"),
        ("2026-01-10", {"is_replaced": True, "is_upgraded": True}, "9/31"),
        ("2026-01-10", {}, "10/31"),
        # A pause by days, and one that costs all of the period.
        ("2026-01-10T12:00", {"is_replaced": True, "is_paused": True}, "10/31"),
        ("2026-01-10T12:00", {"is_replaced": True, "is_paused": True, "pauses_whole": True}, "31/31"),
    ],
)
def test_days_of_the_running_interval(end: str, values: dict[str, Any], share: str) -> None:
    found = settled(ended(standing("2026-01-01"), end, **values), "2026-01-10T13:00")
    assert [told[3] for told in found] == [share]


@pytest.mark.parametrize(
    ("resumed", "fee_from", "expected"),
    [
        # On the day of the pause, which was committed to before; later; in a period that is paid as a whole already.
        ("2026-01-10T13:00", date(2026, 1, 11), ["21/31", "28/28"]),
        ("2026-01-20T13:00", date(2026, 1, 20), ["12/31", "28/28"]),
        ("2026-01-20T13:00", date(2026, 2, 1), ["28/28"]),
    ],
)
def test_a_resumed_subscription_commits_to_what_it_pays(resumed: str, fee_from: date, expected: list[str]) -> None:
    where = standing(resumed, paused_at=at("2026-01-10T12:00"), fee_from=fee_from)
    assert [told[3] for told in settled(where, "2026-03-01")] == expected

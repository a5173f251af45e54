"""Which time of a subscription is due: regular days, catching up, the end, what was billed, and moved time zones."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import dues, periods
from billing.domain.periods import Schedule
from billing.domain.standing import Billed, Due, Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates
from config.kernel.dates import Period

BERLIN, TOKYO, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def standing(
    started: str,
    *,
    interval: Interval = Interval.MONTHLY,
    billing_time: BillingTime = BillingTime.CALENDAR,
    zone: ZoneInfo = UTC_ZONE,
    next_billing: str | None = None,
    ends: str | None = None,
    terminated: bool = False,
    bills_end: bool = True,
) -> Standing:
    started_at = at(started)
    schedule = Schedule(interval, billing_time, dates.local_date(started_at, zone), zone)
    first = dues.first_billing_date(schedule, started_at=started_at, created_at=started_at, bills_backdated=True)
    return Standing(
        schedule=schedule,
        started_at=started_at,
        next_billing_date=date.fromisoformat(next_billing) if next_billing else first,
        ends_at=at(ends) if ends else None,
        is_terminated=terminated,
        bills_end=bills_end,
    )


def billed(due: Due) -> Billed:
    return Billed(due.billing_date, due.fee, due.charges)


def shares(found: list[Due]) -> list[tuple[str, int, int]]:
    return [(due.billing_date.isoformat(), due.share.days, due.share.of_days) for due in found]


@pytest.mark.parametrize(
    ("started", "created", "bills", "first"),
    [
        ("2026-01-15T10:00", "2026-01-15T10:00", False, "2026-02-01"),
        ("2026-02-01T00:00", "2026-02-01T00:00", False, "2026-03-01"),
        # Backdated: elapsed periods are left out, or not.
        ("2026-01-15T10:00", "2026-04-20T10:00", False, "2026-05-01"),
        ("2026-01-15T10:00", "2026-04-20T10:00", True, "2026-02-01"),
        # Made on a billing day, that day has not passed.
        ("2026-01-15T10:00", "2026-04-01T10:00", False, "2026-04-01"),
        # Starts in the future.
        ("2026-06-15T10:00", "2026-04-20T10:00", False, "2026-07-01"),
    ],
)
def test_the_first_billing_day(started: str, created: str, bills: bool, first: str) -> None:
    schedule = standing(started).schedule

    day = dues.first_billing_date(schedule, started_at=at(started), created_at=at(created), bills_backdated=bills)

    assert day == date.fromisoformat(first)


def test_nothing_is_due_before_the_billing_day() -> None:
    where = standing("2026-01-15T10:00")

    assert dues.due(where, as_of=at("2026-01-31T23:59"), catch_up=True) == []
    assert dues.next_billing_date(where, as_of=at("2026-01-31T23:59")) == date(2026, 2, 1)


def test_the_first_period_is_a_share_of_the_whole_month() -> None:
    where = standing("2026-01-15T10:00")

    [due] = dues.due(where, as_of=at("2026-02-01T00:00"), catch_up=False)

    assert (due.share.days, due.share.of_days) == (17, 31)  # 15..31 January
    assert due.fee == Period(at("2026-01-15T00:00"), at("2026-02-01T00:00"))
    # Usage starts at the very instant: what was sent before belongs to nobody.
    assert due.charges == Period(at("2026-01-15T10:00"), at("2026-02-01T00:00"))
    assert due.due_at == at("2026-02-01T00:00")
    assert not due.is_last
    assert dues.next_billing_date(where, as_of=at("2026-02-01T00:00")) == date(2026, 3, 1)


def test_three_silent_months_are_caught_up_each_once() -> None:
    where = standing("2026-01-01T00:00")

    found = dues.due(where, as_of=at("2026-04-02T12:00"), catch_up=True)

    assert shares(found) == [("2026-02-01", 31, 31), ("2026-03-01", 28, 28), ("2026-04-01", 31, 31)]
    assert dues.next_billing_date(where, as_of=at("2026-04-02T12:00")) == date(2026, 5, 1)
    assert dues.due(where, as_of=at("2026-04-02T12:00"), catch_up=True, billed=[billed(due) for due in found]) == []


def test_without_catching_up_only_today_is_due() -> None:
    where = standing("2026-01-01T00:00")

    assert dues.due(where, as_of=at("2026-04-02T12:00"), catch_up=False) == []
    assert shares(dues.due(where, as_of=at("2026-04-01T12:00"), catch_up=False)) == [("2026-04-01", 31, 31)]


@pytest.mark.parametrize("catch_up", [True, False])
def test_a_voided_day_is_due_again_and_no_other(catch_up: bool) -> None:
    where = standing("2026-01-01T00:00")
    january, february, march = dues.due(where, as_of=at("2026-04-02T12:00"), catch_up=True)
    given = [
        billed(january),
        Billed(february.billing_date, february.fee, february.charges, is_released=True),
        billed(march),
    ]
    back = standing("2026-01-01T00:00", next_billing="2026-03-01")

    found = dues.due(back, as_of=at("2026-04-02T12:00"), catch_up=catch_up, billed=given)

    assert found == [february]


def test_an_anniversary_on_the_31st_returns_to_the_31st() -> None:
    where = standing("2026-01-31T00:00", billing_time=BillingTime.ANNIVERSARY)

    found = dues.due(where, as_of=at("2026-05-31T00:00"), catch_up=True)

    # 31 Jan..27 Feb, 28 Feb..30 Mar, 31 Mar..29 Apr, 30 Apr..30 May
    assert shares(found) == [
        ("2026-02-28", 28, 28),
        ("2026-03-31", 31, 31),
        ("2026-04-30", 30, 30),
        ("2026-05-31", 31, 31),
    ]


def test_the_day_is_local() -> None:
    where = standing("2026-01-01T00:00", zone=TOKYO)

    assert dues.due(where, as_of=at("2026-01-31T14:59"), catch_up=False) == []
    [due] = dues.due(where, as_of=at("2026-01-31T15:00"), catch_up=False)
    assert due.fee.end == at("2026-01-31T15:00")


def test_the_end_bills_the_days_used_and_the_day_itself() -> None:
    where = standing("2025-02-08T00:00", ends="2025-02-21T00:00", terminated=True)

    [due] = dues.due(where, as_of=at("2025-02-21T00:00"), catch_up=False)

    assert due.is_last
    assert (due.share.days, due.share.of_days) == (14, 28)  # 8..21 February
    assert due.charges == Period(at("2025-02-08T00:00"), at("2025-02-21T00:00"))
    assert dues.next_billing_date(where, as_of=at("2025-02-21T00:00")) is None


def test_without_a_last_invoice_complete_periods_are_due_all_the_same() -> None:
    where = standing("2026-01-01T00:00", ends="2026-03-10T12:00", terminated=True, bills_end=False)

    found = dues.due(where, as_of=at("2026-03-10T12:00"), catch_up=True)

    assert shares(found) == [("2026-02-01", 31, 31), ("2026-03-01", 28, 28)]
    assert not any(due.is_last for due in found)


def test_a_contract_of_one_month_costs_one_month() -> None:
    # It ends in the early hours of the day on which its month would be billed.
    where = standing("2026-09-05T00:00", billing_time=BillingTime.ANNIVERSARY, ends="2026-10-05T02:00", terminated=True)

    [due] = dues.due(where, as_of=at("2026-10-05T03:00"), catch_up=False)

    assert due.is_last
    assert (due.share.days, due.share.of_days) == (30, 30)
    assert due.fee == Period(at("2026-09-05T00:00"), at("2026-10-05T00:00"))
    # Usage of those hours is not lost.
    assert due.charges == Period(at("2026-09-05T00:00"), at("2026-10-05T02:00"))


def test_an_end_on_a_billing_day_that_was_billed_costs_the_new_day() -> None:
    where = standing("2026-01-01T00:00", next_billing="2026-03-01", ends="2026-02-01T10:00", terminated=True)
    january = Billed(
        date(2026, 2, 1),
        Period(at("2026-01-01T00:00"), at("2026-02-01T00:00")),
        Period(at("2026-01-01T00:00"), at("2026-02-01T00:00")),
    )

    [due] = dues.due(where, as_of=at("2026-02-01T10:00"), catch_up=True, billed=[january])

    assert (due.share.days, due.share.of_days) == (1, 28)
    assert due.fee == due.charges == Period(at("2026-02-01T00:00"), at("2026-02-01T10:00"))


def test_an_agreed_end_that_has_passed_is_left_to_the_termination() -> None:
    where = standing("2026-01-01T00:00", ends="2026-03-01T00:00")

    # The scheduler was away: January is due, February is the termination's, and nothing after it is due at all.
    found = dues.due(where, as_of=at("2026-05-02T00:00"), catch_up=True)

    assert shares(found) == [("2026-02-01", 31, 31)]
    assert dues.next_billing_date(where, as_of=at("2026-05-02T00:00")) == date(2026, 3, 1)
    ended = standing("2026-01-01T00:00", next_billing="2026-03-01", ends="2026-03-01T00:00", terminated=True)
    [last] = dues.due(ended, as_of=at("2026-05-02T00:00"), catch_up=True, billed=[billed(due) for due in found])
    assert (last.is_last, last.share.days, last.share.of_days) == (True, 28, 28)


def test_a_subscription_of_no_time_has_nothing_due() -> None:
    where = standing("2026-01-15T00:00", ends="2026-01-15T00:00", terminated=True)

    assert dues.due(where, as_of=at("2026-01-15T00:00"), catch_up=True) == []


@pytest.mark.parametrize(
    ("before", "after"), [(UTC_ZONE, TOKYO), (TOKYO, UTC_ZONE), (BERLIN, ZoneInfo("America/Lima"))]
)
def test_a_moved_time_zone_leaves_no_hole_and_no_overlap(before: ZoneInfo, after: ZoneInfo) -> None:
    started = "2025-12-15T12:00"
    old = standing(started, zone=before)
    given = [billed(due) for due in dues.due(old, as_of=at("2026-02-05T00:00"), catch_up=True)]
    moved = standing(started, zone=after, next_billing="2026-03-01")

    found = dues.due(moved, as_of=at("2026-04-03T00:00"), catch_up=True, billed=given)

    assert shares(found) == [("2026-03-01", 28, 28), ("2026-04-01", 31, 31)]
    spans = [span.charges for span in given] + [due.charges for due in found]
    assert all(first.end == second.start for first, second in itertools.pairwise(spans))
    spans = [span.fee for span in given] + [due.fee for due in found]
    assert all(first.end == second.start for first, second in itertools.pairwise(spans))


def test_a_moved_anniversary_loses_no_month() -> None:
    # 15 January 20:00 in UTC is the 16th in Tokyo; back in UTC the billing day is a day earlier than the stored one.
    where = standing("2026-01-15T20:00", billing_time=BillingTime.ANNIVERSARY, next_billing="2026-02-16")

    found = dues.due(where, as_of=at("2026-02-20T00:00"), catch_up=True)

    assert shares(found) == [("2026-02-15", 31, 31)]


def test_a_subscription_that_never_ran_costs_nothing() -> None:
    # It was to start at 18:00 and was ended before: the services set the end to the start.
    where = standing("2026-01-15T18:00", ends="2026-01-15T18:00", terminated=True)

    assert dues.due(where, as_of=at("2026-01-15T12:00"), catch_up=True) == []


@pytest.mark.parametrize("ends", ["2026-03-01T00:00", "2026-03-01T02:00"])
@pytest.mark.parametrize("terminated", [True, False])
def test_without_a_last_invoice_the_period_that_is_complete_on_the_last_day_is_due(ends: str, terminated: bool) -> None:
    where = standing("2026-01-01T00:00", ends=ends, terminated=terminated, bills_end=False)

    found = dues.due(where, as_of=at("2026-03-01T03:00"), catch_up=True)

    assert shares(found) == [("2026-02-01", 31, 31), ("2026-03-01", 28, 28)]
    # The hours of the day of the end are what the termination was told to leave out.
    assert found[-1].charges == Period(at("2026-02-01T00:00"), at("2026-03-01T00:00"))
    again = dues.due(where, as_of=at("2026-03-01T04:00"), catch_up=True, billed=[billed(due) for due in found])
    assert again == []


starts = st.datetimes(min_value=datetime(2023, 1, 1), max_value=datetime(2025, 12, 31)).map(  # noqa: DTZ001 - made aware
    lambda naive: naive.replace(tzinfo=UTC)
)
zones = st.sampled_from(["Europe/Berlin", "Asia/Tokyo", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"])


@given(
    started_at=starts,
    zone=zones,
    interval=st.sampled_from(list(Interval)),
    billing_time=st.sampled_from(list(BillingTime)),
    steps=st.lists(st.integers(min_value=0, max_value=200), min_size=1, max_size=6),
    ends_after=st.none() | st.integers(min_value=1, max_value=30_000),
)
def test_runs_at_any_moments_bill_all_time_once(
    started_at: datetime,
    zone: str,
    interval: Interval,
    billing_time: BillingTime,
    steps: list[int],
    ends_after: int | None,
) -> None:
    """Whenever runs happen, the periods tile the time from the start, and a termination closes it."""
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=started_at, timezone=ZoneInfo(zone)
    )
    day = dues.first_billing_date(schedule, started_at=started_at, created_at=started_at, bills_backdated=True)
    where = Standing(schedule=schedule, started_at=started_at, next_billing_date=day)
    done: list[Due] = []
    clock = started_at
    for step in steps:
        clock += timedelta(days=step, hours=7)
        done += dues.due(where, as_of=clock, catch_up=True, billed=[billed(due) for due in done])
        where = Standing(
            schedule=schedule,
            started_at=started_at,
            next_billing_date=dues.next_billing_date(where, as_of=clock) or day,
        )
    if ends_after is not None:
        clock += timedelta(minutes=ends_after)
        over = Standing(
            schedule=schedule,
            started_at=started_at,
            next_billing_date=where.next_billing_date,
            ends_at=clock,
            is_terminated=True,
        )
        done += dues.due(over, as_of=clock, catch_up=True, billed=[billed(due) for due in done])
        assert done[-1].charges.end == clock
    if done:
        assert done[0].charges.start == started_at
    for first, second in itertools.pairwise(done):
        assert first.fee.end == second.fee.start
        assert first.charges.end == second.charges.start
    assert [due.billing_date for due in done] == sorted(due.billing_date for due in done)


@pytest.mark.parametrize(
    ("interval", "next_billing", "starts"),
    [
        (Interval.MONTHLY, "2026-02-01", "2026-01-11T08:00"),  # the first billing day: from the start on
        (Interval.MONTHLY, "2026-03-01", "2026-02-01"),  # January was passed over
        (Interval.MONTHLY, "2026-01-11", "2026-01-11T08:00"),  # paid in advance: its start is a billing day
        (Interval.QUARTERLY, "2026-02-01", "2026-01-11T08:00"),  # a billing day of something else within the quarter
        (Interval.QUARTERLY, "2026-07-01", "2026-04-01"),
    ],
)
def test_usage_is_billed_from_the_start_or_what_is_not_passed_over(
    interval: Interval, next_billing: str, starts: str
) -> None:
    where = standing("2026-01-11T08:00", interval=interval, next_billing=next_billing)
    assert dues.usage_starts(where) == at(starts)


def test_hours_billed_at_the_start_do_not_hide_the_month_after_a_move() -> None:
    # Started at 14:00 UTC on 30 April, billed to midnight; in Guam that start is the first of May.
    started_at, moments = datetime(2024, 4, 30, 14, tzinfo=UTC), []
    done: list[Due] = []
    for zone, day, clock in (("UTC", date(2024, 5, 1), 3), ("Pacific/Guam", date(2024, 6, 1), 43)):
        schedule = periods.schedule(
            interval="monthly", billing_time="calendar", subscription_at=started_at, timezone=dates.zone(zone)
        )
        where = Standing(schedule=schedule, started_at=started_at, next_billing_date=day)
        known = [Billed(one.billing_date, one.fee, one.charges) for one in done]
        done += dues.due(where, as_of=started_at + timedelta(days=clock), catch_up=True, billed=known)
        moments.append(done[-1].charges)
    assert (moments[0].start, moments[0].end) == (started_at, datetime(2024, 5, 1, tzinfo=UTC))
    assert (moments[1].start, moments[1].end) == (moments[0].end, datetime(2024, 5, 31, 14, tzinfo=UTC))

"""Periods in every time zone there is: they tile all time, and each starts with its local day."""

from __future__ import annotations

import itertools
import zoneinfo
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.domain import dues, periods
from billing.domain.periods import Schedule
from billing.domain.standing import Billed, Due, Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates
from tests.domain.billing.schedules import ANCHORS

ZONES = sorted(zoneinfo.available_timezones())
INSTANT = timedelta(microseconds=1)
PLANS = [(interval, billing_time) for interval in Interval for billing_time in BillingTime]


@given(anchor=ANCHORS, start=st.integers(0, 20))
@settings(max_examples=8, deadline=None)
def test_every_time_zone_interval_and_billing_time_tiles(anchor: date, start: int) -> None:
    # Each zone has one plan an example, and another one in the next.
    for number, name in enumerate(ZONES):
        interval, billing_time = PLANS[(number + start) % len(PLANS)]
        schedule = Schedule(interval, billing_time, anchor, dates.zone(name))
        found = [periods.nth_period(schedule, start + step) for step in range(3)]
        for one, following in itertools.pairwise(found):
            assert one.period.end == following.period.start, name
            assert one.next_first_day == following.first_day, name
            assert one.period.start < one.period.end, name
        for one in found:
            assert periods.period_at(schedule, one.period.start).number == one.number, name
            assert periods.period_at(schedule, one.period.end - INSTANT).number == one.number, name
            # A day that a zone left out has no instant: its start is that of the day after.
            assert dates.local_date(one.period.start, schedule.timezone) >= one.first_day, name
    assert len(ZONES) > 400


@given(
    started_at=st.datetimes(min_value=datetime(2024, 1, 1), max_value=datetime(2025, 12, 31)),  # noqa: DTZ001 - made aware
    plan=st.sampled_from(PLANS),
    before=st.sampled_from(ZONES),
    after=st.sampled_from(ZONES),
    steps=st.tuples(st.integers(0, 120), st.integers(1, 120)),
)
@example(
    started_at=datetime(2024, 4, 30, 14),  # noqa: DTZ001 - made aware
    plan=(Interval.MONTHLY, BillingTime.CALENDAR),
    before="Australia/ACT",
    after="Africa/Abidjan",
    steps=(0, 31),
)
@settings(max_examples=150, deadline=None)
def test_a_customer_who_moves_is_billed_all_time_once(
    started_at: datetime, plan: tuple[Interval, BillingTime], before: str, after: str, steps: tuple[int, int]
) -> None:
    started_at = started_at.replace(tzinfo=UTC)
    clock, done = started_at, list[Due]()
    anchor = dates.local_date(started_at, dates.zone(before))
    day = None
    for zone, step in zip((before, after), steps, strict=True):
        clock += timedelta(days=step, hours=5)
        schedule = periods.schedule(
            interval=plan[0],
            billing_time=plan[1],
            subscription_at=started_at,
            timezone=dates.zone(zone),
            anchor=anchor,
        )
        if day is None:
            day = dues.first_billing_date(schedule, started_at=started_at, created_at=started_at, bills_backdated=True)
        where = Standing(schedule=schedule, started_at=started_at, next_billing_date=day)
        known = [Billed(due.billing_date, due.fee, due.charges) for due in done]
        done += dues.due(where, as_of=clock, catch_up=True, billed=known)
        day = dues.next_billing_date(where, as_of=clock) or day
    if done:
        assert done[0].charges.start == started_at
    for first, second in itertools.pairwise(done):
        assert first.charges.end == second.charges.start
        assert first.fee.end == second.fee.start

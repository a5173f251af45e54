"""Which time of fixed charges is due: at the start, on billing days, at the end, and monthly inside of years."""

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
from billing.domain.standing import Billed, Due, FixedTimes, Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel.dates import Period
from tests.domain.billing import schedules


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str, end: str) -> Period:
    return Period(at(start), at(end))


def standing(started: str, *, interval: str = "monthly", billing_time: str = "calendar", **values: Any) -> Standing:
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=at(started), timezone=ZoneInfo("UTC")
    )
    given = {"has_fixed_arrears": True, "has_fixed_advance": True, **values}
    where = Standing(schedule=schedule, started_at=at(started), next_billing_date=date.min, **given)
    first = dues.first_billing_date(
        where.billing_schedule,
        started_at=where.started_at,
        created_at=where.started_at,
        bills_backdated=False,
        bills_start=dues.bills_opening(where),
    )
    return replace(where, next_billing_date=first)


def billed(found: list[Due], *, released: bool = False) -> list[Billed]:
    return [Billed(due.billing_date, due.fee, due.charges, released, due.bills_fee, due.fixed) for due in found]


def due(where: Standing, clock: str, before: list[Billed] | None = None) -> list[Due]:
    return dues.due(where, as_of=at(clock), catch_up=True, billed=before or [])


def test_the_start_bills_what_is_paid_in_advance_and_nothing_else() -> None:
    (opening,) = due(standing("2026-01-15T10:00"), "2026-01-15T10:00")
    assert opening.fixed == FixedTimes(advance=span("2026-01-15T10:00", "2026-02-01"))
    assert (opening.is_first, opening.bills_fee, opening.charges.is_empty) == (True, False, True)


def test_without_anything_in_advance_the_start_bills_nothing() -> None:
    assert due(standing("2026-01-15T10:00", has_fixed_advance=False), "2026-01-15T10:00") == []


def test_a_trial_puts_off_the_fee_and_not_the_fixed_charges() -> None:
    where = standing("2026-01-15T10:00", pays_in_advance=True, trial_ends_at=at("2026-01-25T10:00"))
    (opening,) = due(where, "2026-01-15T10:00")
    assert (opening.bills_fee, opening.fixed.advance) == (False, span("2026-01-15T10:00", "2026-02-01"))

    (after,) = due(where, "2026-01-25T10:00", billed([opening]))
    assert (after.bills_fee, bool(after.fixed)) == (True, False)  # the fee alone, the rest is billed


def test_a_billing_day_bills_the_period_over_and_the_one_that_begins() -> None:
    where = standing("2026-01-15T10:00")
    opening = due(where, "2026-01-15T10:00")
    (regular,) = due(replace(where, next_billing_date=date(2026, 2, 1)), "2026-02-01T00:10", billed(opening))
    assert regular.fixed == FixedTimes(span("2026-01-15T10:00", "2026-02-01"), span("2026-02-01", "2026-03-01"))


def test_what_is_billed_is_not_due_again() -> None:
    where = replace(standing("2026-01-01"), next_billing_date=date(2026, 2, 1))
    first = due(where, "2026-02-01T00:10")
    assert due(where, "2026-02-01T05:00", billed(first)) == []
    (again,) = due(where, "2026-02-01T05:00", billed(first, released=True))
    assert again.fixed == first[0].fixed


def test_the_end_bills_the_time_so_far_and_nothing_in_advance() -> None:
    where = replace(
        standing("2026-01-01"), next_billing_date=date(2026, 3, 1), ends_at=at("2026-02-10T12:00"), is_terminated=True
    )
    (last,) = due(where, "2026-02-10T12:00")
    assert last.fixed == FixedTimes(arrears=span("2026-02-01", "2026-02-10T12:00"))


def test_an_end_on_a_billing_day_bills_the_period_before_alone() -> None:
    where = replace(
        standing("2026-01-01"), next_billing_date=date(2026, 2, 1), ends_at=at("2026-02-01T12:00"), is_terminated=True
    )
    (last,) = due(where, "2026-02-01T12:00")
    assert last.fixed == FixedTimes(arrears=span("2026-01-01", "2026-02-01"))


def test_fixed_charges_of_a_year_may_be_billed_monthly_alone() -> None:
    where = standing("2026-01-01", interval="yearly", fixed_charges_monthly=True, has_fixed_advance=False)
    assert where.next_billing_date == date(2026, 2, 1)
    (february,) = due(where, "2026-02-01T00:10")
    assert february.fixed == FixedTimes(arrears=span("2026-01-01", "2026-02-01"))
    assert (february.bills_fee, february.charges.is_empty) == (False, True)  # usage waits for the year's end

    (january,) = due(replace(where, next_billing_date=date(2027, 1, 1)), "2027-01-01T00:10")
    assert january.charges == span("2026-01-01", "2027-01-01")
    assert january.fixed == FixedTimes(arrears=span("2026-12-01", "2027-01-01"))


def test_usage_of_a_year_may_be_billed_monthly_alone() -> None:
    where = standing("2026-01-01", interval="yearly", charges_monthly=True)
    (february,) = due(replace(where, next_billing_date=date(2026, 2, 1)), "2026-02-01T00:10")
    assert (bool(february.fixed), february.charges) == (False, span("2026-01-01", "2026-02-01"))

    (january,) = due(replace(where, next_billing_date=date(2027, 1, 1)), "2027-01-01T00:10")
    assert january.fixed == FixedTimes(span("2026-01-01", "2027-01-01"), span("2027-01-01", "2028-01-01"))


def test_a_year_that_ends_on_a_billing_day_of_usage_bills_its_fixed_charges_up_to_then() -> None:
    where = replace(
        standing("2026-01-01", interval="yearly", charges_monthly=True, pays_in_advance=True),
        next_billing_date=date(2026, 3, 1),
        ends_at=at("2026-03-01T12:00"),
        is_terminated=True,
    )
    (last,) = due(where, "2026-03-01T12:00")
    assert last.fixed == FixedTimes(arrears=span("2026-01-01", "2026-03-01T12:00"))


@settings(max_examples=60)
@given(
    schedule=st.builds(
        replace,
        schedules.SCHEDULES,
        anchor=st.dates(date(2023, 1, 1), date(2024, 12, 31)),
        interval=st.sampled_from(list(Interval)),
        billing_time=st.sampled_from(list(BillingTime)),
    ),
    hours=st.integers(0, 23),
    monthly=st.booleans(),
    charges_monthly=st.booleans(),
    in_advance=st.booleans(),
    days=st.integers(40, 900),
)
@pytest.mark.parametrize("which", ["arrears", "advance"])
def test_times_tile_without_gap_or_overlap(
    which: str, schedule: Any, hours: int, monthly: bool, charges_monthly: bool, in_advance: bool, days: int
) -> None:
    started = datetime(2025, 1, 3, hours, tzinfo=UTC)
    where = Standing(
        schedule=replace(schedule, anchor=min(schedule.anchor, date(2025, 1, 3))),
        started_at=started,
        next_billing_date=date(2025, 1, 1),
        pays_in_advance=in_advance,
        charges_monthly=charges_monthly,
        fixed_charges_monthly=monthly,
        has_fixed_arrears=True,
        has_fixed_advance=True,
    )
    found = dues.due(where, as_of=started + timedelta(days=days), catch_up=True)
    times = [time for one in found if (time := getattr(one.fixed, which)) is not None]
    if which == "advance":
        assert times
    for before, after in itertools.pairwise(times):
        assert before.end == after.start
    if times:
        assert times[0].start == started

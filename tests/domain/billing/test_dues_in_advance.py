"""Which time is due of plans paid in advance, of trials, and of years whose usage is billed monthly."""

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
from config.kernel.dates import Period
from tests.domain.billing import schedules


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def standing(
    started: str,
    *,
    interval: str = "monthly",
    billing_time: str = "calendar",
    zone: str = "UTC",
    created: str | None = None,
    bills_backdated: bool = False,
    **values: Any,
) -> Standing:
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=at(started), timezone=ZoneInfo(zone)
    )
    values = {"pays_in_advance": True, **values}
    where = Standing(schedule=schedule, started_at=at(started), next_billing_date=date.min, **values)
    return replace(where, next_billing_date=first_day(where, created or started, bills_backdated=bills_backdated))


def first_day(where: Standing, created: str, *, bills_backdated: bool) -> date:
    return dues.first_billing_date(
        where.billing_schedule,
        started_at=where.started_at,
        created_at=at(created),
        bills_backdated=bills_backdated,
        bills_start=dues.bills_start(where),
    )


def billed(found: list[Due], *, released: bool = False) -> list[Billed]:
    return [Billed(due.billing_date, due.fee, due.charges, released, due.bills_fee) for due in found]


def moved_on(where: Standing, clock: str, **values: Any) -> Standing:
    day = dues.next_billing_date(where, as_of=at(clock))
    assert day is not None
    return replace(where, next_billing_date=day, **values)


def told(due: Due) -> tuple[str, str, str]:
    """Return the billing day, the days of the fee and the days of usage, as a person would write them."""
    fee = f"{due.share.days}/{due.share.of_days}" if due.bills_fee else "none"
    usage = "none" if due.charges.is_empty else f"{due.charges.start:%m-%d} to {due.charges.end:%m-%d}"
    return due.billing_date.isoformat(), fee, usage


def test_the_start_bills_the_rest_of_the_first_period_and_no_usage() -> None:
    where = standing("2026-01-15T10:00")

    [due] = dues.due(where, as_of=at("2026-01-15T10:00"), catch_up=False)

    assert told(due) == ("2026-01-15", "17/31", "none")  # 15..31 January
    assert due.fee == Period(at("2026-01-15T00:00"), at("2026-02-01T00:00"))
    assert due.is_first
    assert dues.next_billing_date(where, as_of=at("2026-01-15T10:00")) == date(2026, 2, 1)


def test_a_renewal_bills_the_coming_fee_and_the_elapsed_usage() -> None:
    where = standing("2026-01-15T10:00")
    first = dues.due(where, as_of=at("2026-01-15T10:00"), catch_up=True)
    later = moved_on(where, "2026-01-15T10:00")

    [due] = dues.due(later, as_of=at("2026-02-01T00:00"), catch_up=True, billed=billed(first))

    assert told(due) == ("2026-02-01", "28/28", "01-15 to 02-01")
    assert due.fee == Period(at("2026-02-01T00:00"), at("2026-03-01T00:00"))
    assert due.charges.start == at("2026-01-15T10:00")
    assert not due.is_first
    again = dues.due(later, as_of=at("2026-02-01T01:00"), catch_up=True, billed=billed([*first, due]))
    assert again == []


def test_a_start_that_waited_for_its_job_is_billed_late_also_without_catching_up() -> None:
    where = standing("2026-01-15T10:00", created="2026-01-01T00:00")

    [due] = dues.due(where, as_of=at("2026-01-17T00:00"), catch_up=False)

    assert told(due) == ("2026-01-15", "17/31", "none")


@pytest.mark.parametrize(
    ("bills", "expected"),
    [
        (False, [("2026-04-01", "30/30", "03-01 to 04-01")]),
        (
            True,
            [
                ("2026-01-15", "17/31", "none"),
                ("2026-02-01", "28/28", "01-15 to 02-01"),
                ("2026-03-01", "31/31", "02-01 to 03-01"),
                ("2026-04-01", "30/30", "03-01 to 04-01"),
            ],
        ),
    ],
)
def test_backdated_periods_are_billed_when_it_is_agreed(bills: bool, expected: list[tuple[str, str, str]]) -> None:
    where = standing("2026-01-15T10:00", created="2026-03-10T00:00", bills_backdated=bills)

    assert [told(due) for due in dues.due(where, as_of=at("2026-04-01T00:00"), catch_up=True)] == expected


def test_a_trial_puts_the_fee_off_to_its_end() -> None:
    where = standing("2026-03-05T12:12", trial_ends_at=at("2026-03-15T12:12"))

    assert where.next_billing_date == date(2026, 4, 1)
    assert dues.due(where, as_of=at("2026-03-15T12:11"), catch_up=True) == []
    [due] = dues.due(where, as_of=at("2026-03-15T12:12"), catch_up=False)

    assert told(due) == ("2026-03-15", "17/31", "none")  # 15..31 March
    assert due.fee == Period(at("2026-03-15T00:00"), at("2026-04-01T00:00"))
    assert due.is_first
    over = replace(where, trial_is_over=True)
    assert dues.due(over, as_of=at("2026-03-20T00:00"), catch_up=True, billed=billed([due])) == []
    # A draft of it that was voided is due again.
    back = replace(over, next_billing_date=date(2026, 3, 15))
    assert dues.due(back, as_of=at("2026-03-20T00:00"), catch_up=False, billed=billed([due], released=True)) == [due]


def test_usage_is_billed_during_a_trial_over_a_renewal() -> None:
    where = standing("2026-01-20T00:00", trial_ends_at=at("2026-02-11T00:00"))

    found = dues.due(where, as_of=at("2026-03-01T00:00"), catch_up=True)

    assert [told(due) for due in found] == [
        ("2026-02-01", "none", "01-20 to 02-01"),
        ("2026-02-11", "18/28", "none"),  # 11..28 February
        ("2026-03-01", "31/31", "02-01 to 03-01"),
    ]


def test_a_trial_that_ends_on_a_billing_day_leaves_the_fee_to_it() -> None:
    where = standing("2026-01-20T10:00", trial_ends_at=at("2026-02-01T10:00"))

    found = dues.due(where, as_of=at("2026-02-01T11:00"), catch_up=False)

    assert [told(due) for due in found] == [("2026-02-01", "28/28", "01-20 to 02-01")]


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        ("2026-01-11T08:00", [("2026-02-01", "21/31", "01-01 to 02-01"), ("2026-03-01", "28/28", "02-01 to 03-01")]),
        ("2026-02-01T00:00", [("2026-02-01", "none", "01-01 to 02-01"), ("2026-03-01", "28/28", "02-01 to 03-01")]),
        ("2026-02-15T00:00", [("2026-02-01", "none", "01-01 to 02-01"), ("2026-03-01", "14/28", "02-01 to 03-01")]),
    ],
)
def test_in_arrears_the_days_of_a_trial_are_free(trial: str, expected: list[tuple[str, str, str]]) -> None:
    where = standing("2026-01-01T00:00", pays_in_advance=False, trial_ends_at=at(trial))

    assert [told(due) for due in dues.due(where, as_of=at("2026-03-01T00:00"), catch_up=True)] == expected


def test_a_year_in_arrears_bills_usage_monthly_and_the_fee_at_its_end() -> None:
    where = standing(
        "2026-01-31T08:00", interval="yearly", billing_time="anniversary", pays_in_advance=False, charges_monthly=True
    )

    found = dues.due(where, as_of=at("2027-02-28T00:00"), catch_up=True)

    assert [told(due) for due in found[:3]] == [
        ("2026-02-28", "none", "01-31 to 02-28"),
        ("2026-03-31", "none", "02-28 to 03-31"),
        ("2026-04-30", "none", "03-31 to 04-30"),
    ]
    assert [told(due) for due in found[11:]] == [
        ("2027-01-31", "365/365", "12-31 to 01-31"),
        ("2027-02-28", "none", "01-31 to 02-28"),
    ]
    assert found[0].fee == Period(at("2026-01-31T00:00"), at("2027-01-31T00:00"))


def test_a_half_year_in_advance_bills_usage_monthly_and_each_fee_when_it_starts() -> None:
    where = standing("2026-05-20T00:00", interval="semiannual", charges_monthly=True)

    found = dues.due(where, as_of=at("2026-08-01T00:00"), catch_up=True)

    # 20 May to 30 June are 42 days of the 181 of the half-year
    assert [told(due) for due in found] == [
        ("2026-05-20", "42/181", "none"),
        ("2026-06-01", "none", "05-20 to 06-01"),
        ("2026-07-01", "184/184", "06-01 to 07-01"),
        ("2026-08-01", "none", "07-01 to 08-01"),
    ]


def ended(where: Standing, found: list[Due], clock: str) -> list[Due]:
    over = replace(where, ends_at=at(clock), is_terminated=True)
    return dues.due(over, as_of=at(clock), catch_up=True, billed=billed(found))


def test_the_end_in_advance_bills_usage_alone_and_makes_an_invoice_even_of_nothing() -> None:
    where = standing("2026-01-01T00:00")
    found = dues.due(where, as_of=at("2026-02-01T00:00"), catch_up=True)

    [last] = ended(moved_on(where, "2026-02-01T00:00"), found, "2026-02-10T08:00")

    assert told(last) == ("2026-02-10", "none", "02-01 to 02-10")
    assert last.is_last
    assert last.even_of_nothing


def test_the_end_on_a_billing_day_in_advance_bills_no_coming_fee() -> None:
    where = standing("2026-01-05T00:00", billing_time="anniversary")
    found = dues.due(where, as_of=at("2026-01-05T00:00"), catch_up=True)

    [last] = ended(moved_on(where, "2026-01-05T00:00"), found, "2026-02-05T02:00")

    assert told(last) == ("2026-02-05", "none", "01-05 to 02-05")
    assert last.charges.end == at("2026-02-05T02:00")
    # Where the day was billed before, its fee is: the end bills the hours since.
    renewed = dues.due(where, as_of=at("2026-02-05T01:00"), catch_up=True)
    [after] = ended(moved_on(where, "2026-02-05T01:00"), renewed, "2026-02-05T02:00")
    assert after.charges == Period(at("2026-02-05T00:00"), at("2026-02-05T02:00"))


def test_an_end_at_the_very_start_in_advance_is_said_once() -> None:
    where = standing("2026-01-05T10:00")
    found = dues.due(where, as_of=at("2026-01-05T10:00"), catch_up=True)
    later = moved_on(where, "2026-01-05T10:00")

    [last] = ended(later, found, "2026-01-05T10:00")

    assert told(last) == ("2026-01-05", "none", "none")
    assert last.even_of_nothing
    assert ended(later, [*found, last], "2026-01-05T10:00") == []
    in_arrears = standing("2026-01-05T10:00", pays_in_advance=False)
    assert ended(in_arrears, [], "2026-01-05T10:00") == []


def test_without_a_last_invoice_the_day_of_the_end_bills_no_coming_fee() -> None:
    where = standing("2026-01-01T00:00", ends_at=at("2026-03-01T09:00"), bills_end=False)

    found = dues.due(where, as_of=at("2026-03-01T09:00"), catch_up=True)

    assert [told(due) for due in found] == [
        ("2026-01-01", "31/31", "none"),
        ("2026-02-01", "28/28", "01-01 to 02-01"),
        ("2026-03-01", "none", "02-01 to 03-01"),
    ]


def test_the_end_of_a_year_with_monthly_usage_on_an_open_billing_day() -> None:
    where = standing("2026-01-01T00:00", interval="yearly", pays_in_advance=False, charges_monthly=True)
    found = dues.due(where, as_of=at("2026-02-01T00:00"), catch_up=True)

    [last] = ended(moved_on(where, "2026-02-01T00:00"), found, "2026-03-01T06:00")

    assert told(last) == ("2026-03-01", "60/365", "02-01 to 03-01")  # 31 + 28 + 1 days of the year
    assert last.charges.end == at("2026-03-01T06:00")


def test_an_end_during_the_trial_bills_usage_alone() -> None:
    for in_advance in (True, False):
        where = standing("2026-01-01T00:00", pays_in_advance=in_advance, trial_ends_at=at("2026-01-20T12:00"))

        [last] = ended(where, [], "2026-01-20T11:00")

        assert told(last) == ("2026-01-20", "none", "01-01 to 01-20")


@settings(max_examples=80, deadline=None)
@given(
    schedule=schedules.SCHEDULES,
    billing_time=st.sampled_from(BillingTime),
    interval=st.sampled_from(Interval),
    hours=st.integers(0, 23),
    steps=st.lists(st.integers(0, 150), min_size=1, max_size=5),
    in_advance=st.booleans(),
    monthly=st.booleans(),
    trial_days=st.none() | st.integers(1, 120),
)
def test_fees_and_usage_tile_whenever_runs_happen(
    schedule: periods.Schedule,
    billing_time: BillingTime,
    interval: Interval,
    hours: int,
    steps: list[int],
    in_advance: bool,
    monthly: bool,
    trial_days: int | None,
) -> None:
    """Neither fees nor usage overlap or leave a gap, and fees begin on the first day that is paid."""
    schedule = replace(schedule, interval=interval, billing_time=billing_time)
    started_at = periods.period_on(schedule, schedule.anchor).period.start + timedelta(hours=hours)
    schedule = periods.schedule(
        interval=interval, billing_time=billing_time, subscription_at=started_at, timezone=schedule.timezone
    )
    where = Standing(
        schedule=schedule,
        started_at=started_at,
        next_billing_date=date.min,
        pays_in_advance=in_advance,
        charges_monthly=monthly,
        trial_ends_at=None if trial_days is None else started_at + timedelta(days=trial_days),
    )
    where = replace(
        where, next_billing_date=first_day(where, started_at.replace(tzinfo=None).isoformat(), bills_backdated=True)
    )
    done: list[Due] = []
    clock = started_at
    for step in steps:
        clock += timedelta(days=step, hours=7)
        done += dues.due(where, as_of=clock, catch_up=True, billed=billed(done))
        where = replace(where, next_billing_date=dues.next_billing_date(where, as_of=clock) or date.min)
    fees = [due.fee for due in done if due.bills_fee]
    usage = [due.charges for due in done if not due.charges.is_empty]
    for spans in (fees, usage):
        for first, second in itertools.pairwise(spans):
            assert first.end == second.start
    if fees:
        assert fees[0].first_day(schedule.timezone) == where.first_paid_day
    if usage:
        assert usage[0].start == started_at
    assert dues.due(where, as_of=clock, catch_up=True, billed=billed(done)) == []

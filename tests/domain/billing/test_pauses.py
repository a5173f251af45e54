"""Pauses as rules: the fee at the pause, the first paid day after it, and days that were paid before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from billing.domain import dues, held_time, pauses
from billing.domain.pauses import InvalidPause, PauseFee
from billing.domain.periods import Schedule
from billing.domain.standing import Billed, Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel.dates import Period

ZONE = ZoneInfo("UTC")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def paused(
    ends: str, *, started: str = "2026-01-01", whole: bool = False, in_advance: bool = False, trial: str | None = None
) -> Standing:
    schedule = Schedule(Interval.MONTHLY, BillingTime.CALENDAR, at(started).date(), ZONE)
    return Standing(
        schedule=schedule,
        started_at=at(started),
        next_billing_date=date(2026, 2, 1),
        ends_at=at(ends),
        is_terminated=True,
        pays_in_advance=in_advance,
        trial_ends_at=None if trial is None else at(trial),
        is_replaced=True,
        is_paused=True,
        pauses_whole=whole,
    )


def due(where: Standing, *, as_of: str, billed: list[Billed] | None = None) -> list[tuple[str, str, int, int, bool]]:
    found = dues.due(where, as_of=at(as_of), catch_up=True, billed=billed or [])
    return [
        (f"{one.fee.start:%m-%d}", f"{one.fee.end:%m-%dT%H}", one.share.days, one.share.of_days, one.is_last)
        for one in found
        if one.bills_fee
    ]


def test_the_fee_at_a_pause_by_days() -> None:
    # The day of the pause is the last one paid: 1 to 10 January.
    assert due(paused("2026-01-10T12:00"), as_of="2026-01-10T12:00") == [("01-01", "01-10T12", 10, 31, True)]


def test_the_fee_at_a_pause_by_whole_periods() -> None:
    whole = paused("2026-01-10T12:00", whole=True)
    assert due(whole, as_of="2026-01-10T12:00") == [("01-01", "02-01T00", 31, 31, True)]
    # From the start on: 6 to 31 January.
    begun = paused("2026-01-10T12:00", started="2026-01-06T09:00", whole=True)
    assert due(begun, as_of="2026-01-10T12:00") == [("01-06", "02-01T00", 26, 31, True)]


def test_the_first_day_of_a_period_belongs_to_it() -> None:
    assert due(paused("2026-02-01T12:00"), as_of="2026-02-01T12:00") == [
        ("01-01", "02-01T00", 31, 31, False),
        ("02-01", "02-01T12", 1, 28, True),
    ]
    # In advance the period is billed, and what is not used of it credited.
    found = due(paused("2026-02-01T12:00", in_advance=True), as_of="2026-02-01T12:00")
    assert found == [("02-01", "03-01T00", 28, 28, False)]


def test_a_trial_that_ends_after_the_pause_bills_nothing() -> None:
    where = paused("2026-01-10T12:00", in_advance=True, trial="2026-01-10T18:00")
    assert due(where, as_of="2026-01-12") == []
    assert due(replace(where, trial_ends_at=at("2026-01-10T09:00")), as_of="2026-01-12") == [
        ("01-10", "02-01T00", 22, 31, False)
    ]


def first_paid_day(before: Standing, fee: str, resumed_on: str) -> date:
    """Return it as the pause and the resume find it together."""
    unpaid_from = pauses.unpaid_from(before=before, fee=PauseFee(fee))
    return pauses.fee_from(
        schedule=before.schedule,
        fee=PauseFee(fee),
        unpaid_from=unpaid_from,
        resumed_on=date.fromisoformat(resumed_on),
    )


@pytest.mark.parametrize(
    ("fee", "paused_at", "resumed_on", "expected"),
    [
        # By days: from the resume on, but never the day of the pause again.
        ("prorated", "2026-01-10T12:00", "2026-01-10", "2026-01-11"),
        ("prorated", "2026-01-10T12:00", "2026-01-11", "2026-01-11"),
        ("prorated", "2026-01-10T12:00", "2026-03-05", "2026-03-05"),
        # Whole periods: the next one in the same period, else all of the period of the resume.
        ("whole", "2026-01-10T12:00", "2026-01-10", "2026-02-01"),
        ("whole", "2026-01-10T12:00", "2026-01-31", "2026-02-01"),
        ("whole", "2026-01-10T12:00", "2026-02-20", "2026-02-01"),
        ("whole", "2026-01-10T12:00", "2026-03-20", "2026-03-01"),
    ],
)
def test_the_first_paid_day(fee: str, paused_at: str, resumed_on: str, expected: str) -> None:
    found = first_paid_day(paused(paused_at), fee, resumed_on)
    assert found == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("fee", "resumed_on", "expected"),
    [
        # What an earlier pause paid stays paid.
        ("prorated", "2026-01-12", "2026-02-01"),
        ("whole", "2026-01-12", "2026-02-01"),
        ("whole", "2026-03-12", "2026-03-01"),
    ],
)
def test_what_was_paid_before_an_earlier_pause(fee: str, resumed_on: str, expected: str) -> None:
    before = replace(paused("2026-01-11T12:00"), fee_from=date(2026, 2, 1))
    found = first_paid_day(before, fee, resumed_on)
    assert found == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("fee", "resumed_on", "expected"),
    [
        ("whole", "2026-01-10", "2026-01-13"),
        ("whole", "2026-01-20", "2026-01-13"),
        ("whole", "2026-02-20", "2026-02-01"),
        ("prorated", "2026-01-20", "2026-01-20"),
    ],
)
def test_days_of_a_trial_are_free(fee: str, resumed_on: str, expected: str) -> None:
    before = paused("2026-01-05T12:00", trial="2026-01-13")
    found = first_paid_day(before, fee, resumed_on)
    assert found == date.fromisoformat(expected)


def test_a_resumed_subscription_ends_like_any_other() -> None:
    schedule = Schedule(Interval.MONTHLY, BillingTime.CALENDAR, date(2026, 1, 1), ZONE)
    where = Standing(
        schedule=schedule,
        started_at=at("2026-02-20T12:00"),
        next_billing_date=date(2026, 3, 1),
        ends_at=at("2026-02-25T12:00"),
        is_terminated=True,
        paused_at=at("2026-01-10T12:00"),
        fee_from=date(2026, 2, 1),
    )
    # Whole periods: 1 to 25 February; by days 20 to 25.
    assert due(where, as_of="2026-02-25T12:00") == [("02-01", "02-25T12", 25, 28, True)]
    by_days = replace(where, fee_from=date(2026, 2, 20))
    assert due(by_days, as_of="2026-02-25T12:00") == [("02-20", "02-25T12", 6, 28, True)]


def test_days_of_usage_leave_out_the_day_of_the_pause() -> None:
    where = replace(
        paused("2026-02-25"),
        started_at=at("2026-01-10T18:00"),
        paused_at=at("2026-01-10T12:00"),
    )
    time = Period(at("2026-01-10T18:00"), at("2026-02-01"))
    later = Period(at("2026-02-01"), at("2026-03-01"))

    assert pauses.share(where, where.schedule, time).days == 21  # 11 to 31 January
    assert pauses.share(where, where.schedule, later).days == 28
    held = held_time.of(where.schedule, time, skips_first_day=pauses.skips_first_day(where, time))
    assert held.first_day == date(2026, 1, 11)
    natural = held.natural
    assert pauses.billed_before(where, natural, is_recurring=True, is_prorated=False)
    assert not pauses.billed_before(where, natural, is_recurring=True, is_prorated=True)
    assert not pauses.had_begun(where, held_time.of(where.schedule, later).natural)


@pytest.mark.parametrize(
    ("resume_on", "is_refused"),
    [(None, False), ("2026-01-10", True), ("2026-01-11", False), ("2026-05-31", False), ("2026-06-01", True)],
)
def test_a_day_to_resume_on(resume_on: str | None, is_refused: bool) -> None:
    day = None if resume_on is None else date.fromisoformat(resume_on)
    refused = []
    try:
        pauses.check_resume(resume_on=day, today=date(2026, 1, 10), last_day=date(2026, 6, 1))
    except InvalidPause as refusal:
        refused.append(refusal.details)

    assert refused == ([{"resume_on": ["invalid_date"]}] if is_refused else [])

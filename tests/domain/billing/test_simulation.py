"""Playing a contract: which time counts, and how it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.domain import simulation
from billing.domain.periods import Schedule
from billing.domain.rating import ItemKind
from billing.domain.simulation import Frame, InvalidFrame, Played, PlayedLine, PlayedPeriod
from billing.domain.standing import Standing
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")
ZONES = [BERLIN, TOKYO, ZoneInfo("UTC"), ZoneInfo("America/Los_Angeles")]


def standing(
    start: str,
    *,
    interval: Interval = Interval.MONTHLY,
    in_advance: bool = False,
    zone: ZoneInfo = BERLIN,
    billing_time: BillingTime = BillingTime.CALENDAR,
    end: datetime | None = None,
) -> Standing:
    """Return a contract at its beginning, elapsed periods included."""
    started_at = dates.start_of_day(date.fromisoformat(start), zone)
    where = Standing(
        schedule=Schedule(interval, billing_time, date.fromisoformat(start), zone),
        started_at=started_at,
        next_billing_date=date.fromisoformat(start),
        ends_at=end,
        is_terminated=end is not None,
        pays_in_advance=in_advance,
    )
    return simulation.begun(where, created_at=started_at, bills_backdated=True)


def fees(where: Standing, frame: Frame) -> list[tuple[str, int, int]]:
    """Return of each fee the local day on which its time starts, and its share."""
    zone = where.schedule.timezone
    return [
        (due.fee.first_day(zone).isoformat(), due.share.days, due.share.of_days)
        for due in simulation.stretches(where, frame=frame)
        if due.bills_fee
    ]


def usage(where: Standing, frame: Frame) -> list[tuple[str, str]]:
    """Return the first and the last local day of each time of usage."""
    zone = where.schedule.timezone
    return [
        (due.charges.first_day(zone).isoformat(), due.charges.last_day(zone).isoformat())
        for due in simulation.stretches(where, frame=frame)
        if not due.charges.is_empty
    ]


QUARTER = Frame(date(2026, 2, 1), date(2026, 4, 1))


@pytest.mark.parametrize("in_advance", [False, True])
def test_time_counts_where_it_starts_whenever_it_is_paid(in_advance: bool) -> None:
    where = standing("2026-01-10", in_advance=in_advance)
    assert fees(where, QUARTER) == [("2026-02-01", 28, 28), ("2026-03-01", 31, 31)]
    assert usage(where, QUARTER) == [("2026-02-01", "2026-02-28"), ("2026-03-01", "2026-03-31")]


@pytest.mark.parametrize("in_advance", [False, True])
def test_the_first_period_is_a_part(in_advance: bool) -> None:
    where = standing("2026-03-11", in_advance=in_advance)
    assert fees(where, QUARTER) == [("2026-03-11", 21, 31)]
    assert usage(where, QUARTER) == [("2026-03-11", "2026-03-31")]


def test_a_period_that_starts_before_does_not_count() -> None:
    where = standing("2026-01-15", billing_time=BillingTime.ANNIVERSARY)
    assert [day for day, *_ in fees(where, QUARTER)] == ["2026-02-15", "2026-03-15"]


def test_an_end_is_the_last_that_is_played() -> None:
    end = dates.start_of_day(date(2026, 3, 11), BERLIN)
    where = standing("2026-01-01", end=end)
    # The day of the end is used: 11 of 31.
    assert fees(where, QUARTER) == [("2026-02-01", 28, 28), ("2026-03-01", 11, 31)]
    assert usage(where, QUARTER)[-1] == ("2026-03-01", "2026-03-10")


def test_what_begins_after_or_ended_before_comes_to_nothing() -> None:
    assert simulation.stretches(standing("2026-05-01"), frame=QUARTER) == []
    ended = standing("2025-01-01", end=datetime(2025, 6, 1, tzinfo=UTC))
    assert simulation.stretches(ended, frame=QUARTER) == []


@given(
    st.sampled_from(ZONES),
    st.sampled_from(Interval),
    st.sampled_from(BillingTime),
    st.booleans(),
    st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    st.integers(1, 14),
)
def test_frames_tile(
    zone: ZoneInfo, interval: Interval, billing_time: BillingTime, in_advance: bool, start: date, months: int
) -> None:
    """Played month by month, a contract comes to the time that it comes to at once: nothing twice, nothing left out."""
    where = standing(start.isoformat(), interval=interval, billing_time=billing_time, in_advance=in_advance, zone=zone)
    first = start.replace(day=1)
    whole = Frame(first, dates.add_months(first, months))
    parts = [Frame(month, dates.add_months(month, 1)) for month in whole.months]
    at_once = fees(where, whole), usage(where, whole)
    assert (
        [fee for part in parts for fee in fees(where, part)],
        [time for part in parts for time in usage(where, part)],
    ) == at_once


@pytest.mark.parametrize(
    ("given_days", "expected"),
    [
        ({}, ("2026-02-01", "2026-05-01")),
        ({"months": 1}, ("2026-04-01", "2026-05-01")),
        ({"months": 2, "ahead": True}, ("2026-05-01", "2026-07-01")),
        ({"first": date(2026, 1, 10)}, ("2026-01-10", "2026-04-10")),
        ({"end": date(2026, 1, 10), "months": 1}, ("2025-12-10", "2026-01-10")),
        ({"first": date(2026, 1, 10), "end": date(2026, 1, 11)}, ("2026-01-10", "2026-01-11")),
    ],
)
def test_frames(given_days: dict[str, object], expected: tuple[str, str]) -> None:
    asked: dict[str, object] = {"months": None, "first": None, "end": None, "ahead": False, **given_days}
    found = simulation.frame(today=date(2026, 5, 20), **asked)  # type: ignore[arg-type]
    assert (found.first.isoformat(), found.end.isoformat()) == expected


@pytest.mark.parametrize(
    "given_days",
    [
        {"months": 0},
        {"months": 121},
        {"first": date(2026, 2, 1), "end": date(2026, 2, 1)},
        {"first": date(2026, 2, 1), "end": date(2026, 3, 1), "months": 1},
        {"first": date(9999, 12, 1)},
        {"end": date(1, 1, 1)},
        {"first": date(2000, 1, 1), "end": date(2026, 1, 1)},
    ],
)
def test_frames_that_are_refused(given_days: dict[str, object]) -> None:
    asked: dict[str, object] = {"months": None, "first": None, "end": None, "ahead": False, **given_days}
    with pytest.raises(InvalidFrame):
        simulation.frame(today=date(2026, 5, 20), **asked)  # type: ignore[arg-type]


def test_sums_by_period_and_month() -> None:
    def line(kind: ItemKind, amount: str) -> PlayedLine:
        return PlayedLine(kind, "c", "C", Decimal(1), 0, Money(amount, "EUR"))

    weeks = [
        PlayedPeriod(date(2026, 1, day), date(2026, 1, day + 6), (line(ItemKind.SUBSCRIPTION, "7"),)) for day in (5, 12)
    ]
    february = PlayedPeriod(date(2026, 2, 2), date(2026, 2, 8), (line(ItemKind.CHARGE, "0.25"),))
    played = Played("EUR", (*weeks, february))
    assert played.total == Decimal("14.25")
    assert played.by_month == {date(2026, 1, 1): Decimal(14), date(2026, 2, 1): Decimal("0.25")}
    assert (february.fees, february.total) == (Decimal(0), Decimal("0.25"))

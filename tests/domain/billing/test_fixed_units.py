"""Units of fixed charges over time: which number counts, and for how many days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import fixed_units, held_time
from billing.domain.fixed_units import UnitsHeld, UnitsWritten
from config.kernel.dates import Period
from tests.domain.billing import schedules

D = Decimal
AUGUST = Period(datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC))


def at(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def written(*numbers: tuple[str, str]) -> list[UnitsWritten]:
    return [UnitsWritten(D(units), at(day)) for units, day in numbers]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([("10", "2026-08-01")], "10"),
        ([("10", "2026-08-01"), ("15", "2026-08-20")], "15"),
        ([("10", "2026-08-01"), ("15", "2026-09-01")], "10"),  # counts from the next period on
        ([("10", "2026-08-01"), ("15", "2026-08-31T23:59:59")], "15"),
        # Planned for September, then another one today: the plan is dropped.
        ([("10", "2026-08-01"), ("20", "2026-09-01"), ("5", "2026-08-10")], "5"),
        # Written later for an earlier day: what was there for later is overruled.
        ([("10", "2026-08-01"), ("20", "2026-08-20"), ("5", "2026-08-10")], "5"),
        ([], "0"),
    ],
)
def test_units_of_a_period_are_the_last_number_before_its_end(numbers: list[tuple[str, str]], expected: str) -> None:
    assert fixed_units.until(written(*numbers), AUGUST.end) == D(expected)


def test_a_number_of_today_drops_what_was_planned() -> None:
    history = written(("10", "2026-08-01"), ("20", "2026-09-01"), ("5", "2026-08-10"))
    assert fixed_units.until(history, at("2026-10-01")) == 5
    assert fixed_units.coming(history, at("2026-08-11")) is None
    assert fixed_units.coming(history[:2], at("2026-08-11")) == UnitsWritten(D(20), at("2026-09-01"))


@pytest.mark.parametrize(
    ("numbers", "period", "expected"),
    [
        # A day of change has the new number: 10 days of 10, 21 of 20.
        ([("10", "2026-08-01"), ("20", "2026-08-11T15:00")], AUGUST, [("10", 10), ("20", 21)]),
        # Two on one day: only the second is there.
        (
            [("10", "2026-08-01"), ("50", "2026-08-11T09:00"), ("20", "2026-08-11T15:00")],
            AUGUST,
            [("10", 10), ("20", 21)],
        ),
        # Started on the 19th: 13 days, the first one included.
        ([("5", "2026-08-19T12:12")], Period(at("2026-08-19T12:12"), AUGUST.end), [("5", 13)]),
        # Ended on the 10th, which counts, also at midnight.
        ([("5", "2026-08-01")], Period(AUGUST.start, at("2026-08-10T08:00")), [("5", 10)]),
        ([("5", "2026-08-01")], Period(AUGUST.start, at("2026-08-10")), [("5", 10)]),
        # Added to the plan in the midst: the days before have none.
        ([("5", "2026-08-30")], AUGUST, [("5", 2)]),
        ([("5", "2026-09-01")], AUGUST, []),
    ],
)
def test_units_are_held_by_local_days(
    numbers: list[tuple[str, str]], period: Period, expected: list[tuple[str, int]]
) -> None:
    time = held_time.of(schedules.of("monthly", "calendar", date(2026, 1, 1)), period)
    found = fixed_units.held(written(*numbers), time)
    assert found == tuple(UnitsHeld(D(units), days) for units, days in expected)


@pytest.mark.parametrize(
    ("end", "days"),
    [
        # The hours before the change count as a day; the day that it comes at the start of is the new plan's alone.
        ("2026-08-10T08:00", 10),
        ("2026-08-10", 9),
    ],
)
def test_a_change_of_plan_ends_units_with_the_last_day_they_were_there(end: str, days: int) -> None:
    schedule = schedules.of("monthly", "calendar", date(2026, 1, 1))
    time = held_time.of(schedule, Period(AUGUST.start, at(end)), upgraded=True)
    assert fixed_units.held(written(("5", "2026-08-01")), time) == (UnitsHeld(D(5), days),)


def test_days_are_local_ones() -> None:
    tokyo = schedules.of("monthly", "calendar", date(2026, 1, 1), "Asia/Tokyo")
    period = Period(at("2026-07-31T15:00"), at("2026-08-31T15:00"))
    # 10 August 20:00 UTC is the 11th in Tokyo.
    found = fixed_units.held(written(("1", "2026-07-31T15:00"), ("2", "2026-08-10T20:00")), held_time.of(tokyo, period))
    assert found == (UnitsHeld(D(1), 10), UnitsHeld(D(2), 21))


def test_each_part_is_rounded_to_six_places() -> None:
    parts = (UnitsHeld(D(10), 10), UnitsHeld(D(20), 21))
    # 100 / 31 = 3.2258064… → 3.225806, 420 / 31 = 13.5483870… → 13.548387
    assert fixed_units.prorated(parts, of_days=31) == D("16.774193")


def test_a_period_opens_with_what_was_agreed_before() -> None:
    start = at("2026-09-01")
    history = [UnitsWritten(D(10), at("2026-08-01")), UnitsWritten(D(20), start)]
    within = UnitsWritten(D(30), start + timedelta(hours=1), at_once=True)
    assert fixed_units.at_opening([*history, within], start) == 20
    assert fixed_units.at_opening([*history, UnitsWritten(D(30), start, at_once=True)], start) == 20
    # Planned for a midnight that is some hours later where the customer lives now.
    assert fixed_units.at_opening(history, start - timedelta(hours=9)) == 20
    assert fixed_units.at_opening(history, start - timedelta(days=5)) == 10


def test_the_same_number_again_changes_nothing() -> None:
    history = written(("10", "2026-08-01"), ("20", "2026-09-01"))
    assert fixed_units.is_known(history, units=D(20), moment=at("2026-09-01"))
    assert not fixed_units.is_known(history, units=D(10), moment=at("2026-08-10"))  # 20 is planned
    assert fixed_units.is_known(history[:1], units=D(10), moment=at("2026-08-10"))


@given(
    numbers=st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 31 * 24)).map(
            lambda pair: UnitsWritten(D(pair[0]), AUGUST.start + timedelta(hours=pair[1]))
        ),
        max_size=8,
    )
)
def test_days_of_all_numbers_tile_the_time_from_the_first_on(numbers: list[UnitsWritten]) -> None:
    history = [UnitsWritten(D(7), AUGUST.start), *numbers]
    time = held_time.of(schedules.of("monthly", "calendar", date(2026, 1, 1)), AUGUST)
    parts = fixed_units.held(history, time)

    assert sum(part.days for part in parts) == 31
    # The last number of each day, counted one day after the other.
    plain = Fraction(0)
    for day in range(31):
        end = AUGUST.start + timedelta(days=day + 1, microseconds=-1)
        plain += Fraction(fixed_units.at(history, end)) / 31
    assert abs(plain - Fraction(fixed_units.prorated(parts, of_days=31))) <= Fraction(len(parts), 2 * 10**6)

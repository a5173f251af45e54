"""Supposed usage: growth and season by month, shared out by days, and what a person may write."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import aggregation, held_time, simulation_usage
from billing.domain.held_time import HeldTime
from billing.domain.periods import Schedule
from billing.domain.simulation_usage import InvalidUsage, Supposed
from catalog.domain.intervals import BillingTime, Interval
from catalog.domain.metrics import Aggregation
from config.kernel.dates import Period

UTC_ZONE = ZoneInfo("UTC")
JANUARY = date(2026, 1, 1)


def time(start: str, end: str, interval: Interval = Interval.MONTHLY) -> HeldTime:
    """Return a time billed between two days, in periods of the calendar."""
    schedule = Schedule(interval, BillingTime.CALENDAR, JANUARY, UTC_ZONE)
    instants = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end)]
    return held_time.of(schedule, Period(*instants))


def units(supposed: Supposed, kind: Aggregation, where: HeldTime, *, recurring: bool = False) -> Decimal:
    """Return the units in a time, the first month being January."""
    found = simulation_usage.usage(
        supposed,
        aggregation_type=kind,
        is_recurring=recurring,
        time=where,
        counts_time=kind is Aggregation.WEIGHTED_SUM,
        since=JANUARY,
        values_limit=0,
        group={},
    )
    return aggregation.units(facts=found.facts)


@pytest.mark.parametrize(
    ("text", "month", "factor"),
    [
        ("m=1", date(2026, 7, 1), "1"),
        ("m=1,growth=5%", date(2026, 1, 1), "1"),
        ("m=1,growth=5%", date(2026, 3, 1), "1.1025"),  # 1.05 ²
        ("m=1,growth=-50%", date(2026, 3, 1), "0.25"),  # 0.5 ²
        ("m=1,growth=-100%", date(2026, 2, 1), "0"),
        ("m=1,season=30%", date(2026, 12, 1), "1.3"),  # the peak
        ("m=1,season=30%", date(2026, 6, 1), "0.7"),  # half a year away
        ("m=1,season=30%", date(2026, 3, 1), "1"),  # a quarter away
        ("m=1,season=30%,peak=6", date(2026, 6, 1), "1.3"),
        ("m=1,season=30%,peak=1", date(2026, 11, 1), "1.1"),  # two of six months away: 1 + 0.3 × (1 − 4 / 6)
    ],
)
def test_months(text: str, month: date, factor: str) -> None:
    [supposed] = simulation_usage.parse(text)
    found = simulation_usage.factor(supposed, month=month, since=JANUARY)
    assert abs(found - Decimal(factor)) < Decimal("1E-50")


@pytest.mark.parametrize(
    ("kind", "start", "end", "interval", "expected"),
    [
        (Aggregation.COUNT, "2026-01-01", "2026-02-01", Interval.MONTHLY, "310"),
        (Aggregation.COUNT, "2026-01-16", "2026-02-01", Interval.MONTHLY, "160"),  # 310 × 16 / 31
        (Aggregation.SUM, "2026-01-01", "2026-04-01", Interval.QUARTERLY, "1026.1"),  # 310 × (1 + 1.1 + 1.21)
        (Aggregation.COUNT, "2026-01-26", "2026-02-02", Interval.WEEKLY, "72"),  # 310 × (6 / 31 + 1.1 / 28) = 72.18
        (Aggregation.MAX, "2026-01-01", "2026-04-01", Interval.QUARTERLY, "375.1"),  # March: 310 × 1.21
        (Aggregation.LATEST, "2026-02-01", "2026-03-01", Interval.MONTHLY, "341"),  # 310 × 1.1
        (Aggregation.UNIQUE_COUNT, "2026-03-01", "2026-04-01", Interval.MONTHLY, "375"),  # 375.1, whole
        (Aggregation.WEIGHTED_SUM, "2026-01-01", "2026-02-01", Interval.MONTHLY, "310"),
        (Aggregation.WEIGHTED_SUM, "2026-02-15", "2026-03-01", Interval.MONTHLY, "170.5"),  # 341 for half of February
    ],
)
def test_units_of_a_time(kind: Aggregation, start: str, end: str, interval: Interval, expected: str) -> None:
    [supposed] = simulation_usage.parse("m=310,growth=10%")
    assert units(supposed, kind, time(start, end, interval)) == Decimal(expected)


def test_recurring_units_are_a_level() -> None:
    [supposed] = simulation_usage.parse("m=310,growth=10%")
    assert units(supposed, Aggregation.SUM, time("2026-01-01", "2026-04-01", Interval.QUARTERLY), recurring=True) == (
        Decimal("375.1")
    )


@given(st.integers(0, 10**6), st.lists(st.integers(1, 90), min_size=1, max_size=5))
def test_parts_of_a_year_sum_to_it(amount: int, lengths: list[int]) -> None:
    """However a time is cut into days, sums of its parts are the sum of the whole."""
    supposed = Supposed("m", Decimal(amount), growth=Decimal("0.07"), season=Decimal("0.2"))
    ordinals = [JANUARY.toordinal()]
    for length in lengths:
        ordinals.append(ordinals[-1] + length)
    days = [date.fromordinal(ordinal).isoformat() for ordinal in ordinals]

    def of(start: str, end: str) -> Decimal:
        return units(supposed, Aggregation.SUM, time(start, end, Interval.YEARLY))

    parts = [of(start, end) for start, end in itertools.pairwise(days) if end <= "2027-01-01"]
    whole = of(days[0], days[len(parts)]) if parts else Decimal(0)
    assert abs(sum(parts, Decimal(0)) - whole) <= Decimal("0.00001")


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "requests", "requests=", "=5", "requests=abc", "requests=1e9", "requests=-1", "requests=5,growth=5",
        "requests=5,growth=500%", "requests=5,peak=13", "requests=5,peak=0", "requests=5,foo=2",
        "requests=5;requests=6", "requests=5,growth=1%,growth=2%", "requests=NaN", "requests=٥",
        "requests=5,season=-5%",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InvalidUsage) as refused:
        simulation_usage.parse(text)
    assert refused.value.code == "invalid_synthetic_usage"


def test_several_metrics_are_read() -> None:
    found = simulation_usage.parse("requests=10000,growth=5%; seats=12 ,season=30%,peak=6,events=3,amount=2.5")
    assert found == (
        Supposed("requests", Decimal(10000), growth=Decimal("0.05")),
        Supposed("seats", Decimal(12), season=Decimal("0.3"), peak=6, events=Decimal(3), amount=Decimal("2.5")),
    )


def test_values_of_events_are_of_one_size_and_bounded() -> None:
    [supposed] = simulation_usage.parse("m=100,events=4")
    given_time = time("2026-01-01", "2026-02-01")

    def found(limit: int | None, what: Supposed = supposed) -> tuple[Decimal, ...]:
        return simulation_usage.usage(
            what,
            aggregation_type=Aggregation.SUM,
            is_recurring=False,
            time=given_time,
            counts_time=False,
            since=JANUARY,
            values_limit=limit,
            group={},
        ).values

    assert found(None) == (Decimal(25),) * 4
    assert found(3) == (Decimal(25),) * 3
    assert found(0) == ()
    with pytest.raises(InvalidUsage):
        found(None, simulation_usage.parse("m=100,events=100001")[0])

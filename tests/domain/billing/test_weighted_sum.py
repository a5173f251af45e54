"""Average levels over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import weighted_sum
from billing.domain.weighted_sum import NoCommonPeriod, Weighted

D = Decimal
START = datetime(2023, 8, 1, tzinfo=UTC)
END = datetime(2023, 9, 1, tzinfo=UTC)
SECONDS = D(31 * 86_400)
HOUR = timedelta(hours=1)


def held(*changes: tuple[timedelta, str], before: str = "0", start: datetime = START, end: datetime = END) -> Weighted:
    return weighted_sum.held(
        changes=[(START + after, D(value)) for after, value in changes],
        start=start,
        end=end,
        seconds=SECONDS,
        before=D(before),
    )


@pytest.mark.parametrize(
    ("facts", "units", "level"),
    [
        (held((0 * HOUR, "1000")), "1000", "1000"),  # held all the time
        (held(before="1000"), "1000", "1000"),  # carried, and nothing changed
        (held((372 * HOUR, "1000")), "500", "1000"),  # half of 744 hours
        (held((372 * HOUR, "-1000"), before="1000"), "500", "0"),
        (held((186 * HOUR, "8"), (372 * HOUR, "-8")), "2", "0"),  # a quarter of the time
        (held((-HOUR, "1000")), "1000", "1000"),  # what came before counts from the start
        # 744 hours of the month, billed for the first 24 of them: 31 × 24 / 744
        (held(before="31", end=START + 24 * HOUR), "1", "31"),
        (held((timedelta(seconds=0.5), "1"), end=START + timedelta(seconds=1)), "0.00000018667861409797", "1"),
    ],
)
def test_levels(facts: Weighted, units: str, level: str) -> None:
    assert (weighted_sum.value(facts), facts.level) == (D(units), D(level))


def test_an_average_is_rounded_up_to_twenty_places() -> None:
    # 2 for two hours, 1 for 742: 746 / 744 = 1.00268817…
    value = weighted_sum.value(held((0 * HOUR, "2"), (2 * HOUR, "-1")))
    assert value == D("1.00268817204301075269")


def test_no_events_hold_nothing() -> None:
    assert weighted_sum.value(Weighted()) == 0
    assert weighted_sum.merge(Weighted(), held((0 * HOUR, "3"))) == held((0 * HOUR, "3"))


def test_levels_of_different_periods_do_not_add_up() -> None:
    with pytest.raises(NoCommonPeriod):
        weighted_sum.merge(held(), Weighted(1, D(1), D(1), D(86_400)))


def test_a_period_has_a_length() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        Weighted(1, D(1), D(1), D(0))


CHANGES = st.lists(st.tuples(st.integers(0, 744 * 3600), st.decimals(-1000, 1000, places=3)), max_size=10)


@given(changes=CHANGES, cut=st.integers(0, 10))
def test_parts_add_up(changes: list[tuple[int, Decimal]], cut: int) -> None:
    moved = [(timedelta(seconds=after), str(value)) for after, value in changes]
    whole = held(*moved)
    assert weighted_sum.merge(held(*moved[:cut]), held(*reversed(moved[cut:]))) == whole


@given(changes=CHANGES)
def test_the_average_is_the_running_level_times_its_time(changes: list[tuple[int, Decimal]]) -> None:
    in_time = sorted(changes)
    level, area = D(0), D(0)
    for place, (after, value) in enumerate(in_time):
        level += value
        until = in_time[place + 1][0] if place + 1 < len(in_time) else int(SECONDS)
        area += level * (until - after)
    assert held(*[(timedelta(seconds=after), str(value)) for after, value in changes]).area == area

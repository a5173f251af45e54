"""Units that count for the days that they are there."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import prorated_usage
from billing.domain.prorated_usage import DaysChange, Held, Prorated
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import graduated, values
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.tiers import Tier
from config.kernel import money

D = Decimal
FIRST, LAST = date(2023, 5, 1), date(2023, 5, 31)


def of_sum(*changes: tuple[int | None, str] | tuple[int, str, str]) -> list[Held]:
    found = [
        DaysChange(None if change[0] is None else FIRST + timedelta(days=change[0] - 1), D(change[1]), D(change[-1]))
        for change in changes
    ]
    return list(prorated_usage.of_sum(changes=found, first_day=FIRST, last_day=LAST))


def prorated(*held: Held) -> Prorated:
    return Prorated(Aggregation.SUM, len(held), sum((one.units for one in held), D(0)), held, 31)


@pytest.mark.parametrize(
    ("changes", "held", "value"),
    [
        ([(30, "10")], [Held(D(10), 2)], "0.64517"),  # 10 × 2 / 31, up
        ([(None, "10")], [Held(D(10), 31)], "10"),  # carried: all days
        ([(1, "10")], [Held(D(10), 31)], "10"),
        ([(31, "31")], [Held(D(31), 1)], "1"),
        ([(None, "10"), (17, "-10")], [Held(D(10), 31), Held(D(-10), 15)], "5.16130"),  # 160 / 31, up
        ([(32, "10")], [Held(D(10), 0)], "0"),  # hours after the last day count for no day
        ([(5, "0")], [], "0"),
    ],
)
def test_sums(changes: list[tuple[int | None, str]], held: list[Held], value: str) -> None:
    assert of_sum(*changes) == held
    assert prorated_usage.value(prorated(*held)) == D(value)


def test_the_peak_of_a_day_is_reached_though_it_costs_nothing() -> None:
    # 20 came and 18 went on the 17th: 2 count for 15 days, and the level was 20
    assert of_sum((17, "2", "20")) == [Held(D(20), 15), Held(D(-18), 15)]
    assert prorated_usage.value(prorated(*of_sum((17, "2", "20")))) == prorated_usage.value(prorated(Held(D(2), 15)))
    assert of_sum((17, "-4", "-4")) == [Held(D(-4), 15)]


@pytest.mark.parametrize(
    ("operations", "stays"),
    [
        ([], []),
        ([(10, "add")], [(10, None)]),
        ([(10, ""), (11, "add")], [(10, None)]),  # adding it again changes nothing
        ([(10, "remove"), (12, "add")], [(12, None)]),  # nothing was there to be removed
        ([(10, "add"), (12, "remove"), (13, "remove")], [(10, 12)]),
        ([(10, "add"), (12, "remove"), (14, "add")], [(10, 12), (14, None)]),
        ([(10, "add"), (12, "remove"), (12, "add")], [(10, None)]),  # back on the same day: it never left
        ([(10, "add"), (12, "remove"), (12, "add"), (12, "remove")], [(10, 12)]),
        ([(10, "add"), (10, "remove"), (10, "add"), (20, "remove")], [(10, 20)]),
        ([(10, "add"), (12, "remove"), (13, "add"), (13, "remove")], [(10, 12), (13, 13)]),
    ],
)
def test_stays(operations: list[tuple[int, str]], stays: list[tuple[int, int | None]]) -> None:
    found = prorated_usage.stays([(date(2023, 5, day), operation) for day, operation in operations])
    assert [(first.day, None if last is None else last.day) for first, last in found] == stays


OPERATIONS = st.lists(st.tuples(st.integers(1, 31), st.sampled_from(["add", "remove"])), max_size=12)


@given(operations=OPERATIONS)
def test_stays_are_apart_and_in_order(operations: list[tuple[int, str]]) -> None:
    found = prorated_usage.stays([(date(2023, 5, day), operation) for day, operation in sorted(operations)])
    ends = [last or LAST + timedelta(days=1) for _, last in found]
    assert all(first <= end for (first, _), end in zip(found, ends, strict=True))
    assert all(end < following for end, (following, _) in zip(ends[:-1], found[1:], strict=True))


def test_a_period_has_days() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        Prorated(Aggregation.SUM, 1, D(1), (), 0)


def test_days_are_put_together_where_order_does_not_matter() -> None:
    held = (Held(D(1), 20), Held(D(-1), 0), Held(D(2), 31), Held(D(3), 20), Held(D(5), 4), Held(D(-5), 4))
    assert prorated_usage.by_days(held) == (Held(D(2), 31), Held(D(4), 20))


TIERS = Graduated(
    (
        Tier(D(0), D(5), D(10), D(100)),
        Tier(D(6), D(15), D(5), D(50)),
        Tier(D(16), None, D(2), D(0)),
    )
)


def priced(*held: Held) -> Decimal:
    usage = prorated(*held)
    movements = prorated_usage.movements(held=usage.held, of_days=usage.of_days)
    terms = values.Usage(prorated_usage.value(usage), full_units=usage.full_units, movements=movements)
    return graduated.price(properties=TIERS, usage=terms).amount


def rounded(value: Decimal) -> Decimal:
    return money.round_half_up(value, 10)


def test_removals_make_room_in_the_tiers() -> None:
    # Five for all days, one of them gone after 10 days, one new for 15: 5 × 10 + 10 × 15 / 31, in the first tier
    five, gone, new = Held(D(5), 31), Held(D(-1), 0), Held(D(1), 15)
    assert rounded(priced(five, gone, new)) == rounded(150 + D(10) * 15 / 31)
    # Had it not gone, the new one would be the sixth and open the second tier: 50 + 5 × 15 / 31
    assert rounded(priced(five, new)) == rounded(200 + D(5) * 15 / 31)


def test_what_counts_for_no_day_opens_no_tier() -> None:
    assert priced(Held(D(5), 31), Held(D(20), 0)) == 150


SUMS = st.lists(st.tuples(st.integers(1, 31), st.decimals(-20, 20, places=2)), max_size=8)


@given(changes=SUMS)
def test_a_prorated_sum_is_the_average_of_the_levels_at_the_end_of_days(changes: list[tuple[int, Decimal]]) -> None:
    held = of_sum(*[(day, str(value)) for day, value in sorted(changes)])
    levels = [sum((value for at, value in changes if at <= day), D(0)) for day in range(1, 32)]
    assert sum((one.units * one.days for one in held), D(0)) == sum(levels)

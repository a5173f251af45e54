"""Events in advance in another order, and again: what may change, and what may not."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import advance
from billing.domain.advance import Level
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties
from config.kernel import money

D = Decimal
RANGES = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "0.3", "rate": "10", "flat_amount": "1"},
    {"from_value": 10, "to_value": None, "per_unit_amount": "0.1", "rate": "5", "flat_amount": "2"},
]
# Prices of which no first events are free: there the order of events that add units does not matter.
WHATEVER_ORDER = [
    ("standard", {"amount": "0.333"}),
    ("graduated", {"graduated_ranges": RANGES}),
    ("graduated_percentage", {"graduated_percentage_ranges": RANGES}),
    ("package", {"amount": "3", "package_size": 7, "free_units": 4}),
    ("percentage", {"rate": "1.5", "fixed_amount": "0.2"}),
    ("percentage", {"rate": "50", "per_transaction_min_amount": "2", "per_transaction_max_amount": "4"}),
]
AMOUNTS = st.decimals(min_value="0.01", max_value=40, places=2)


def fees(price: tuple[str, dict[str, Any]], found: Sequence[D]) -> tuple[D, Level]:
    """Return the sum of the events' fees, to 12 decimals, and the level that they leave."""
    terms = properties.parse(model=price[0], raw=price[1])
    level, total = Level(), D(0)
    for value in found:
        by = advance.change(kind=Aggregation.SUM, value=value, adds=True, is_there=False)
        step = advance.step(level=level, by=by, terms=terms, kind=Aggregation.SUM)
        total += advance.price(step=step, terms=terms, kind=Aggregation.SUM).amount
        level = step.after
    return money.round_half_up(total, 12), level


@given(price=st.sampled_from(WHATEVER_ORDER), found=st.lists(AMOUNTS, max_size=8), data=st.data())
@settings(max_examples=120, deadline=None)
def test_the_order_of_what_is_added_does_not_change_the_sum(
    price: tuple[str, dict[str, Any]], found: list[D], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(found))
    assert fees(price, found)[0] == fees(price, other)[0]


def test_which_events_are_free_depends_on_their_order() -> None:
    price = ("percentage", {"rate": "10", "free_units_per_events": 1})
    assert fees(price, [D(10), D(50)])[0] == 5  # the first one is free, 10 % of 50
    assert fees(price, [D(50), D(10)])[0] == 1


@given(found=st.lists(st.decimals(min_value=-40, max_value=40, places=2), max_size=8), data=st.data())
@settings(max_examples=80, deadline=None)
def test_with_units_taken_back_the_sum_is_the_highest_level_and_the_units_are_the_same(
    found: list[D], data: st.DataObject
) -> None:
    for some in (found, data.draw(st.permutations(found))):
        total, level = fees(("standard", {"amount": "2"}), some)
        highest = max([D(0), *(sum(some[: number + 1], D(0)) for number in range(len(some)))])
        assert total == 2 * highest
        assert level.units == sum(found, D(0))


@given(operations=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=10))
@settings(max_examples=80, deadline=None)
def test_a_unique_value_that_comes_again_costs_nothing(operations: list[tuple[str, bool]]) -> None:
    terms = properties.parse(model="standard", raw={"amount": "29"})
    kind = Aggregation.UNIQUE_COUNT
    totals = []
    for repeats in (1, 2):
        level, there, total = Level(), set[str](), D(0)
        for value, adds in operations:
            for _ in range(repeats):
                by = advance.change(kind=kind, value=None, adds=adds, is_there=value in there)
                step = advance.step(level=level, by=by, terms=terms, kind=kind)
                total += advance.price(step=step, terms=terms, kind=kind).amount
                there = there | {value} if adds else there - {value}
                level = step.after
        totals.append((total, level.units, level.peak))
    assert totals[0] == totals[1]


def test_the_details_of_a_percentage_are_the_events_own() -> None:
    terms = properties.parse(model="percentage", raw={"rate": "1", "fixed_amount": "0.5", "free_units_per_events": 1})
    level, found = Level(), []
    for value in (D(100), D(300)):
        by = advance.change(kind=Aggregation.SUM, value=value, adds=True, is_there=False)
        step = advance.step(level=level, by=by, terms=terms, kind=Aggregation.SUM)
        found.append(advance.price(step=step, terms=terms, kind=Aggregation.SUM).details)
        level = step.after
    assert found[0]["free_units"] == "100"
    # The second one: 300 × 1 % and 0.50 of its own, nothing free any more.
    assert found[1] == {
        "units": "300",
        "free_units": "0",
        "free_events": 0,
        "paid_units": "300",
        "rate": "1",
        "per_unit_total_amount": "3",
        "paid_events": 1,
        "fixed_fee_unit_amount": "0.5",
        "fixed_fee_total_amount": "0.5",
        "min_max_adjustment_total_amount": "0",
    }


def test_other_models_tell_no_details_of_single_events() -> None:
    for price in WHATEVER_ORDER[:4]:
        terms = properties.parse(model=price[0], raw=price[1])
        by = advance.change(kind=Aggregation.SUM, value=D(3), adds=True, is_there=False)
        step = advance.step(level=Level(), by=by, terms=terms, kind=Aggregation.SUM)
        assert advance.price(step=step, terms=terms, kind=Aggregation.SUM).details == {}

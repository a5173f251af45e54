"""What one event adds to what was billed: differences of prices, the high-water mark, days, and what is free."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import advance
from billing.domain.advance import Level
from billing.domain.proration import Share
from catalog.domain.filters import Filter
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import models, properties, values
from config.kernel import money

D = Decimal
GRADUATED = {
    "graduated_ranges": [
        {"from_value": 0, "to_value": 5, "flat_amount": "0.01", "per_unit_amount": "0.02"},
        {"from_value": 6, "to_value": None, "flat_amount": "0.01", "per_unit_amount": "0.01"},
    ]
}
SHARES = {
    "graduated_percentage_ranges": [
        {"from_value": 0, "to_value": 10, "flat_amount": "1", "rate": "10"},
        {"from_value": 11, "to_value": None, "flat_amount": "2", "rate": "5"},
    ]
}


def fees(
    model: str,
    raw: dict[str, Any],
    found: Sequence[str],
    *,
    kind: Aggregation = Aggregation.SUM,
    base: str = "0",
    share: Share | None = None,
) -> list[tuple[str, str]]:
    """Bill values one after another; return the new units and the amount of each, unrounded."""
    terms = properties.parse(model=model, raw=raw)
    level = advance.opened(D(base))
    billed = []
    for value in found:
        by = advance.change(kind=kind, value=D(value), adds=True, is_there=False)
        step = advance.step(level=level, by=by, terms=terms, kind=kind, share=share)
        amount = advance.price(step=step, terms=terms, kind=kind).amount
        billed.append((f"{step.new_units.normalize():f}", f"{amount.normalize():f}"))
        level = step.after
    return billed


@pytest.mark.parametrize(
    ("model", "raw", "found", "expected"),
    [
        # Each flat amount once, when its range opens: 0.01 + 3 × 0.02, then 0.02, then 0.02 + 0.01 + 0.01.
        ("graduated", GRADUATED, ["3", "1", "2"], [("3", "0.07"), ("1", "0.02"), ("2", "0.04")]),
        # A value of nothing opens no range.
        ("graduated", GRADUATED, ["0", "1"], [("0", "0"), ("1", "0.03")]),
        # 10 × 10 % + 1; then 10 × 5 % + 2.
        ("graduated_percentage", SHARES, ["10", "10"], [("10", "2"), ("10", "2.5")]),
        # Packages of 10 at 3, the first 5 units free: 5 free; then 1 begins a package; then 9 more fit in it.
        (
            "package",
            {"amount": "3", "package_size": 10, "free_units": 5},
            ["5", "1", "9", "1"],
            [("5", "0"), ("1", "3"), ("9", "0"), ("1", "3")],
        ),
        # 1 % + 0.50, held between 1.75 and 2.00: 1.50 → 1.75; 10.50 → 2.00.
        (
            "percentage",
            {
                "rate": "1",
                "fixed_amount": "0.5",
                "per_transaction_min_amount": "1.75",
                "per_transaction_max_amount": "2",
            },
            ["100", "1000"],
            [("100", "1.75"), ("1000", "2")],
        ),
        # The first two events free, then 1 % + 0.50 each.
        (
            "percentage",
            {"rate": "1", "fixed_amount": "0.5", "free_units_per_events": 2},
            ["100", "100", "100", "300"],
            [("100", "0"), ("100", "0"), ("100", "1.5"), ("300", "3.5")],
        ),
        # The first 150 are free: of the second event 50 are not, and it pays for itself as an event as well.
        (
            "percentage",
            {"rate": "1", "fixed_amount": "0.5", "free_units_per_total_aggregation": "150"},
            ["100", "100", "100"],
            [("100", "0"), ("100", "1"), ("100", "1.5")],
        ),
        # Free events and a limit together: each event is priced alone once nothing is free any more.
        (
            "percentage",
            {"rate": "1", "free_units_per_events": 1, "per_transaction_max_amount": "2"},
            ["500", "500", "100"],
            [("500", "0"), ("500", "2"), ("100", "1")],
        ),
    ],
)
def test_an_event_costs_the_difference_of_two_prices(
    model: str, raw: dict[str, Any], found: list[str], expected: list[tuple[str, str]]
) -> None:
    assert fees(model, raw, found) == expected


def test_what_was_taken_back_is_not_refunded_and_what_comes_again_is_free() -> None:
    # Levels 10, 5, 7, 12: only 10 and then the 2 above it are new.
    billed = fees("standard", {"amount": "3"}, ["10", "-5", "2", "5"])
    assert billed == [("10", "30"), ("0", "0"), ("0", "0"), ("2", "6")]


def test_a_first_event_below_nothing_costs_nothing() -> None:
    assert fees("standard", {"amount": "3"}, ["-5", "3", "4"]) == [("0", "0"), ("0", "0"), ("2", "6")]


def test_units_carried_over_are_billed_already() -> None:
    # 10 were there when the period began; 8 after the removal of 5 and 3 more; only 12 is above.
    billed = fees("standard", {"amount": "3"}, ["-5", "3", "4"], base="10")
    assert billed == [("0", "0"), ("0", "0"), ("2", "6")]


def test_new_units_are_paid_for_the_days_that_are_left() -> None:
    # 2 × 20 / 30 = 1.333333… → 1.33334 × 30; the units are shown in full.
    billed = fees("standard", {"amount": "30"}, ["2", "-1", "1"], share=Share(20, 30))
    assert billed == [("2", "40.0002"), ("0", "0"), ("0", "0")]


def test_a_unique_value_is_new_above_the_mark_only() -> None:
    terms = properties.parse(model="standard", raw={"amount": "29"})
    level, there, billed = Level(), set[str](), []
    for value, adds in [("a", False), ("a", True), ("a", True), ("a", False), ("b", True), ("c", True)]:
        by = advance.change(kind=Aggregation.UNIQUE_COUNT, value=None, adds=adds, is_there=value in there)
        step = advance.step(level=level, by=by, terms=terms, kind=Aggregation.UNIQUE_COUNT)
        billed.append(int(advance.price(step=step, terms=terms, kind=Aggregation.UNIQUE_COUNT).amount))
        there = there | {value} if adds else there - {value}
        level = step.after
    # Removed before it came: 0; new: 29; there: 0; removed: 0; another in its place: 0; a second one: 29.
    assert billed == [0, 29, 0, 0, 0, 29]
    assert (level.units, level.peak, level.events_count) == (2, 2, 6)


def test_an_event_taken_back_leaves_the_peak() -> None:
    terms = properties.parse(model="standard", raw={"amount": "3"})
    by = advance.change(kind=Aggregation.SUM, value=D(10), adds=True, is_there=False)
    level = advance.step(level=Level(), by=by, terms=terms, kind=Aggregation.SUM).after
    level = advance.taken_back(level=level, by=by)
    assert (level.units, level.peak, level.events_count) == (0, 10, 0)
    again = advance.change(kind=Aggregation.SUM, value=D(12), adds=True, is_there=False)
    step = advance.step(level=level, by=again, terms=terms, kind=Aggregation.SUM)
    assert advance.price(step=step, terms=terms, kind=Aggregation.SUM).amount == 6  # 12 are there, 10 were paid


def test_the_filter_with_most_properties_takes_the_event_and_the_first_of_several() -> None:
    wide = Filter("wide", {"region": frozenset({"eu", "us"})})
    other = Filter("other", {"region": frozenset({"eu"})})
    exact = Filter("exact", {"region": frozenset({"eu"}), "tier": frozenset({"gold"})})

    def chosen(**found: str) -> object:
        filter_ = advance.choose_filter(filters=[wide, other, exact], properties=found)
        return None if filter_ is None else filter_.id

    assert chosen(region="eu") == "wide"
    assert chosen(region="eu", tier="gold") == "exact"
    assert chosen(region="asia") is None


PRICES = [
    ("standard", {"amount": "0.333"}),
    ("graduated", GRADUATED),
    ("graduated_percentage", SHARES),
    ("package", {"amount": "3", "package_size": 7, "free_units": 4}),
    ("percentage", {"rate": "1.5", "fixed_amount": "0.2", "free_units_per_events": 3}),
    ("percentage", {"rate": "1.5", "fixed_amount": "0.2", "free_units_per_total_aggregation": "20"}),
    ("percentage", {"rate": "50", "per_transaction_min_amount": "2", "per_transaction_max_amount": "4"}),
]


@given(
    price=st.sampled_from(PRICES),
    found=st.lists(st.decimals(min_value=0, max_value=40, places=2), min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_the_fees_of_events_sum_to_the_price_of_all_of_them(price: tuple[str, dict[str, Any]], found: list[D]) -> None:
    model, raw = price
    terms = properties.parse(model=model, raw=raw)
    level, billed = Level(), D(0)
    for value in found:
        by = advance.change(kind=Aggregation.SUM, value=value, adds=True, is_there=False)
        step = advance.step(level=level, by=by, terms=terms, kind=Aggregation.SUM)
        amount = advance.price(step=step, terms=terms, kind=Aggregation.SUM).amount
        assert amount >= 0
        billed += amount
        level = step.after
    whole = values.Usage(units=sum(found, D(0)), events_count=len(found), values=tuple(found))
    expected = models.price(properties=terms, usage=whole).amount if whole.units else D(0)
    if not (model == "percentage" and "per_transaction_min_amount" in raw and D(0) in found):
        # An event of nothing before any unit costs nothing on its own, and its minimum among others.
        assert money.round_half_up(billed, 12) == money.round_half_up(expected, 12)

"""Percentages: free value, free events, limits per event, and ranges of percentages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.pricing import percentage, values
from tests.domain.catalog import prices

D = Decimal


def price_events(raw: dict[str, Any], events: list[str]) -> values.PriceResult:
    figures = tuple(map(D, events))
    return prices.price_of("percentage", raw, sum(figures, D(0)), events_count=len(figures), values=figures)


@pytest.mark.parametrize(
    ("free", "events", "expected"),
    [
        ({}, ["50", "100"], "5.95"),  # 150 x 1.3 % + 2 x 2
        # 250 free: (800 - 250) x 1.3 % = 7.15, the two events that stay below are free: 2 x 2
        ({"free_units_per_total_aggregation": "250"}, ["50", "100", "250", "400"], "11.15"),
        # three free events hold 400, less than 500: 400 x 1.3 % = 5.2 and 1 x 2
        (
            {"free_units_per_events": 3, "free_units_per_total_aggregation": "500"},
            ["50", "100", "250", "400"],
            "7.2",
        ),
        ({"free_units_per_events": 5}, ["100", "100", "100", "100"], "0"),
        ({"free_units_per_events": 2}, ["100", "100", "100"], "3.3"),  # 100 x 1.3 % + 1 x 2
    ],
)
def test_free_value_and_free_events(free: dict[str, Any], events: list[str], expected: str) -> None:
    assert price_events({"rate": "1.3", "fixed_amount": "2", **free}, events).amount == D(expected)


@pytest.mark.parametrize(
    ("extra", "events", "expected"),
    [
        ({}, ["10", "80", "10000"], "16.142"),  # at least 1.75, 80 x 2.99 % = 2.392, at most 12
        # 10 is free, 20 of 80 too: 60 x 2.99 % = 1.794, and 12
        ({"free_units_per_total_aggregation": "30"}, ["10", "80", "10000"], "13.794"),
        ({"free_units_per_events": 2}, ["10", "80", "10000"], "12"),
        ({"free_units_per_events": 1, "free_units_per_total_aggregation": "1000"}, ["10", "80"], "2.392"),
    ],
)
def test_each_event_is_held_between_its_limits(extra: dict[str, Any], events: list[str], expected: str) -> None:
    limits = {"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "12"}
    result = price_events({"rate": "2.99", "fixed_amount": "0", **limits, **extra}, events)
    assert result.amount == D(expected)
    assert values.total(result.steps) == result.amount


def test_events_that_cancel_out_owe_no_fixed_amount() -> None:
    assert price_events({"rate": "2", "fixed_amount": "3"}, ["100", "-100"]).amount == 0


def test_the_order_of_values_cannot_be_guessed() -> None:
    with pytest.raises(percentage.ValuesMissing):
        prices.price_of("percentage", {"rate": "2", "free_units_per_events": 1}, "100", events_count=3)


def test_details() -> None:
    result = price_events({"rate": "1.2", "fixed_amount": "0.5", "free_units_per_events": 2}, ["100", "100", "100"])
    assert result.amount == D("1.7")  # 100 x 1.2 % + 1 x 0.5
    assert result.details == {
        "units": "300",
        "free_units": "200",
        "free_events": 2,
        "paid_units": "100",
        "rate": "1.2",
        "per_unit_total_amount": "1.2",
        "paid_events": 1,
        "fixed_fee_unit_amount": "0.5",
        "fixed_fee_total_amount": "0.5",
        "min_max_adjustment_total_amount": "0",
    }


@given(events=st.lists(st.decimals("0.01", 1000, places=2), min_size=1, max_size=6), free=st.integers(1, 8))
def test_limits_that_do_not_bite_change_nothing(events: list[Decimal], free: int) -> None:
    raw = {"rate": "1.5", "fixed_amount": "0.25", "free_units_per_events": free}
    loose = {**raw, "per_transaction_min_amount": "0", "per_transaction_max_amount": "1000000"}
    texts = [str(event) for event in events]
    assert price_events(loose, texts).amount == price_events(raw, texts).amount


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("0", "200"),  # the first flat amount
        ("1", "200.01"),
        ("12", "500.14"),  # 10 x 1 % + 200 + 2 x 2 % + 300
        ("10.5", "500.11"),  # 10 x 1 % + 200 + 0.5 x 2 % + 300
    ],
)
def test_graduated_percentages(units: str, expected: str) -> None:
    raw = {
        "graduated_percentage_ranges": [
            {"from_value": 0, "to_value": 10, "rate": "1", "flat_amount": "200"},
            {"from_value": 11, "to_value": None, "rate": "2", "flat_amount": "300"},
        ]
    }
    assert prices.price_of("graduated_percentage", raw, units).amount == D(expected)

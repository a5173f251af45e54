"""Graduated prices, whole and prorated."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.pricing.values import Movement
from config.kernel import money
from tests.domain.catalog import prices

D = Decimal


def tiers(*rows: tuple[Any, Any, str, str]) -> dict[str, Any]:
    keys = ("from_value", "to_value", "per_unit_amount", "flat_amount")
    return {"graduated_ranges": [dict(zip(keys, row, strict=True)) for row in rows]}


TWO = tiers((0, 10, "1", "2"), (11, None, "0.5", "3"))


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("0", "2"),  # the first flat amount is due for nothing too
        ("1", "3"),  # 1 x 1 + 2
        ("10", "12"),  # 10 x 1 + 2
        ("10.5", "15.25"),  # 12 + 0.5 x 0.5 + 3
        ("11", "15.5"),  # 12 + 1 x 0.5 + 3
        ("110", "65"),  # 12 + 100 x 0.5 + 3
    ],
)
def test_units_pay_the_price_of_their_range(units: str, expected: str) -> None:
    assert prices.price_of("graduated", TWO, units).amount == D(expected)


@pytest.mark.parametrize(
    ("units", "expected"),
    [("0.05", "0.5"), ("0.1", "1"), ("0.6", "3.5"), ("1", "5.5"), ("3", "9.5")],  # 0.1 x 10 + 0.5 x 5, ... + 2 x 2
)
def test_ranges_may_be_adjacent_decimals(units: str, expected: str) -> None:
    raw = tiers((0, "0.1", "10", "0"), ("0.1", 1, "5", "0"), (1, None, "2", "0"))
    assert prices.price_of("graduated", raw, units).amount == D(expected)


@given(raw=prices.ranges(), units=prices.QUANTITIES)
def test_whole_number_and_adjacent_bounds_mean_the_same(raw: list[dict[str, Any]], units: Decimal) -> None:
    ends = [0, *(row["to_value"] for row in raw)]
    adjacent = [{**row, "from_value": end} for row, end in zip(raw, ends[:-1], strict=True)]
    whole = prices.price_of("graduated", {"graduated_ranges": raw}, units)
    assert prices.price_of("graduated", {"graduated_ranges": adjacent}, units).amount == whole.amount


@given(raw=prices.ranges(), units=prices.QUANTITIES, step=st.decimals("0.001", "0.5", places=3))
def test_without_flat_amounts_the_price_has_no_jumps(raw: list[dict[str, Any]], units: Decimal, step: Decimal) -> None:
    raw = [{**row, "flat_amount": "0"} for row in raw]
    dearest = max(D(row["per_unit_amount"]) for row in raw)
    low = prices.price_of("graduated", {"graduated_ranges": raw}, units).amount
    high = prices.price_of("graduated", {"graduated_ranges": raw}, units + step).amount
    assert 0 <= high - low <= step * dearest


def test_details_name_the_ranges_used_and_no_others() -> None:
    result = prices.price_of("graduated", tiers((0, 10, "1", "2"), (11, 20, "0.5", "3"), (21, None, "0", "0")), 12)
    assert result.details == {
        "graduated_ranges": [
            {
                "from_value": "0",
                "to_value": "10",
                "flat_unit_amount": "2",
                "per_unit_amount": "1",
                "units": "10",
                "per_unit_total_amount": "10",
                "total_with_flat_amount": "12",
            },
            {
                "from_value": "11",
                "to_value": "20",
                "flat_unit_amount": "3",
                "per_unit_amount": "0.5",
                "units": "2",
                "per_unit_total_amount": "1",
                "total_with_flat_amount": "4",
            },
        ]
    }
    assert money.round_half_up(result.unit_amount, 6) == D("1.333333")  # 16 / 12


PRORATED = tiers((0, 5, "10", "100"), (6, None, "5", "50"))


@pytest.mark.parametrize(
    ("movements", "full_units", "expected"),
    [
        # 3.5 x 10, then the next five in the second range: 2.66667 x 5 + 2 x 5 - 2.2 x 5, flat 100 + 50
        ([("5", "3.5"), ("5", "2.66667"), ("10", "2"), ("-6", "-2.2")], "14", "197.33335"),
        # the four units above three fall half into either range: -0.8 x 5 - 0.8 x 10, later 0.4 x 10 + 1.6 x 5
        ([("5", "3.5"), ("2", "1"), ("-4", "-1.6"), ("10", "2")], "13", "190"),
        ([("1", "0.7")], "1", "107"),  # 0.7 x 10 + 100
        # what counts for no day opens no range
        ([("1", "0.7"), ("50", "0")], "1", "107"),
    ],
)
def test_changes_of_a_quantity_are_split_by_the_full_quantity(
    movements: list[tuple[str, str]], full_units: str, expected: str
) -> None:
    changes = tuple(Movement(D(full), D(prorated)) for full, prorated in movements)
    units = sum((change.prorated_units for change in changes), D(0))
    result = prices.price_of("graduated", PRORATED, units, full_units=D(full_units), movements=changes)
    assert result.amount == D(expected)


@given(changes=st.lists(st.integers(1, 20), min_size=1, max_size=6))
def test_changes_that_count_in_full_cost_what_their_sum_costs(changes: list[int]) -> None:
    movements = tuple(Movement(D(change), D(change)) for change in changes)
    units = D(sum(changes))
    result = prices.price_of("graduated", PRORATED, units, full_units=units, movements=movements)
    assert result.amount == prices.price_of("graduated", PRORATED, units).amount

"""Volume prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.domain.catalog import prices

D = Decimal
RAW = {
    "volume_ranges": [
        {"from_value": 0, "to_value": 100, "per_unit_amount": "2", "flat_amount": "10"},
        {"from_value": 101, "to_value": 200, "per_unit_amount": "1", "flat_amount": "0"},
        {"from_value": 201, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "50"},
    ]
}


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("0", "10"),  # the flat amount of the first range
        ("1", "12"),
        ("100", "210"),
        ("100.5", "100.5"),  # above 100 everything costs 1
        ("101", "101"),
        ("200", "200"),
        ("210", "155"),  # 210 x 0.5 + 50
    ],
)
def test_one_range_prices_everything(units: str, expected: str) -> None:
    assert prices.price_of("volume", RAW, units).amount == D(expected)


def test_full_units_choose_the_range_and_prorated_units_are_priced() -> None:
    result = prices.price_of("volume", RAW, "60", full_units=D(150))
    assert result.amount == 60  # 60 x 1, not 60 x 2 + 10
    assert result.unit_amount == D("0.4")  # 60 / 150


def test_details() -> None:
    assert prices.price_of("volume", RAW, 210).details == {
        "flat_unit_amount": "50",
        "per_unit_amount": "0.5",
        "per_unit_total_amount": "105",
    }

"""Price tables and curves: the numbers of units that matter, at the prices that bills have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from catalog.domain.pricing import models, properties, samples, values

TIERS = [
    {"from_value": 0, "to_value": 1000, "per_unit_amount": "0.02", "flat_amount": "5"},
    {"from_value": 1000, "to_value": None, "per_unit_amount": "0.01", "flat_amount": "0"},
]


def parsed(model: str, **raw: Any) -> models.Properties:
    return properties.parse(model=model, raw=raw)


@pytest.mark.parametrize(
    ("model", "raw", "units", "amount"),
    [
        ("standard", {"amount": "0.10"}, 1000, "100"),
        ("graduated", {"graduated_ranges": TIERS}, 1001, "25.01"),  # 5 + 1000 x 0.02 + 1 x 0.01
        ("volume", {"volume_ranges": TIERS}, 1001, "10.01"),  # 1001 x 0.01
        ("package", {"amount": "7", "package_size": 100, "free_units": 50}, 151, "14"),  # 101 above the free ones
        ("percentage", {"rate": "1.5", "fixed_amount": "0.3"}, 1000, "15.3"),  # one event of 1000
        (
            "graduated_percentage",
            {"graduated_percentage_ranges": [{"from_value": 0, "to_value": None, "rate": "2", "flat_amount": "1"}]},
            1000,
            "21",
        ),
    ],
)
def test_a_row_is_the_price_of_a_bill(model: str, raw: dict[str, Any], units: int, amount: str) -> None:
    terms = parsed(model, **raw)
    found = samples.at(properties=terms, units=Decimal(units))
    assert found.amount == Decimal(amount)
    usage = values.Usage(units=Decimal(units), events_count=1, values=(Decimal(units),))
    assert found.amount == models.price(properties=terms, usage=usage).amount


def test_a_table_has_both_sides_of_each_border() -> None:
    found = [row.units for row in samples.table(properties=parsed("graduated", graduated_ranges=TIERS))]
    assert found == [0, 1, 10, 100, 1000, 1001, 5000, 10000]


def test_no_units_cost_what_the_first_tier_says() -> None:
    first = samples.table(properties=parsed("graduated", graduated_ranges=TIERS))[0]
    assert (first.units, first.amount, first.average) == (0, 5, 0)  # its flat amount


def test_a_curve_fills_its_square() -> None:
    found = samples.curve(properties=parsed("volume", volume_ranges=TIERS))
    assert found is not None
    assert found.right == 1500  # half as far again as the last border
    assert found.points[0][0] == 0
    assert found.points[-1][0] == 1
    assert max(height for _, height in found.points) == 1
    assert [place for place, _ in found.points] == sorted(place for place, _ in found.points)


def test_what_is_free_is_flat() -> None:
    found = samples.curve(properties=parsed("standard", amount="0"))
    assert found is not None
    assert {height for _, height in found.points} == {Decimal(0)}


def test_events_that_carry_the_price_have_no_table() -> None:
    assert samples.table(properties=parsed("dynamic")) == ()
    assert samples.curve(properties=parsed("dynamic")) is None


def test_very_many_tiers_stay_readable() -> None:
    ranges = [
        {"from_value": number, "to_value": number + 1, "per_unit_amount": "1", "flat_amount": "0"}
        for number in range(200)
    ]
    ranges.append({"from_value": 200, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"})
    assert len(samples.table(properties=parsed("graduated", graduated_ranges=ranges))) <= samples.MAX_ROWS

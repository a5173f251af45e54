"""All charge models against a second implementation, and what holds for each of them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.pricing import models, properties, values
from tests.domain.catalog import prices

D = Decimal


@given(priced=prices.priced(), units=prices.WHOLE, events=st.integers(0, 5))
def test_whole_units_cost_what_they_cost_one_by_one(priced: tuple[str, Any], units: int, events: int) -> None:
    model, raw = priced
    result = prices.price_of(model, raw, units, events_count=events)
    assert Fraction(result.amount) == prices.plainly(model, raw, units, events)


@given(priced=prices.priced(), units=prices.QUANTITIES, events=st.integers(0, 5))
def test_steps_sum_to_the_amount(priced: tuple[str, Any], units: Decimal, events: int) -> None:
    model, raw = priced
    result = prices.price_of(model, raw, units, events_count=events)
    assert sum((Fraction(step.total) for step in result.steps), Fraction(0)) == Fraction(result.amount)
    assert result.amount >= 0


@given(priced=prices.priced(), units=prices.QUANTITIES, more=prices.QUANTITIES)
def test_more_units_never_cost_less_but_by_volume(priced: tuple[str, Any], units: Decimal, more: Decimal) -> None:
    model, raw = priced
    if model == "volume":
        return  # a cheaper range makes the whole quantity cheaper: that is what volume prices are for
    assert prices.price_of(model, raw, units + more).amount >= prices.price_of(model, raw, units).amount


@given(priced=prices.priced(), first=prices.QUANTITIES, second=prices.QUANTITIES)
def test_how_prices_of_parts_compare_to_the_price_of_the_whole(
    priced: tuple[str, Any], first: Decimal, second: Decimal
) -> None:
    model, raw = priced
    whole = prices.price_of(model, raw, first + second).amount
    parts = prices.price_of(model, raw, first).amount + prices.price_of(model, raw, second).amount
    match model:
        case "standard" | "percentage":
            assert whole == parts  # every unit costs the same
        case "package":
            # Either part may begin a package and use free units of its own.
            size, free = D(raw["package_size"]), D(raw["free_units"])
            bound = (1 + -(-free // size)) * D(raw["amount"])
            assert -bound <= whole - parts <= bound
        case "graduated":
            # The second part's units may all be in dearer or cheaper ranges than if they came alone, no more than that.
            tiers = raw["graduated_ranges"]
            dearest = max(D(row["per_unit_amount"]) for row in tiers)
            flats = sum(D(row["flat_amount"]) for row in tiers)
            assert abs(whole - parts) <= min(first, second) * dearest + flats
        case _:
            assert whole >= 0


ONE_RANGE = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "9"}]


@pytest.mark.parametrize(
    ("model", "raw"),
    [
        ("standard", {"amount": "5"}),
        ("graduated", {"graduated_ranges": ONE_RANGE}),
        ("volume", {"volume_ranges": ONE_RANGE}),
        ("package", {"amount": "5", "package_size": 10, "free_units": 0}),
        ("percentage", {"rate": "5", "fixed_amount": "1"}),
    ],
)
def test_fewer_than_no_units_earn_nothing(model: str, raw: dict[str, Any]) -> None:
    result = prices.price_of(model, raw, "-3", events_count=2)
    assert (result.amount, result.unit_amount, result.steps) == (0, 0, ())


@given(priced=prices.priced())
def test_written_properties_are_read_as_the_same(priced: tuple[str, Any]) -> None:
    model, raw = priced
    terms = properties.parse(model=model, raw=raw)
    assert properties.parse(model=model, raw=properties.written(terms)) == terms


def test_dynamic_prices_come_with_the_events() -> None:
    terms = properties.parse(model="dynamic", raw={})
    result = models.price(properties=terms, usage=values.Usage(units=D(4), given_amount=D("12.346")))
    assert (result.amount, result.unit_amount) == (D("12.346"), D("3.0865"))
    nothing = models.price(properties=terms, usage=values.Usage(units=D(0), given_amount=D("0.402")))
    assert nothing.amount == 0

"""Prices in the seller's own units: rounded in the unit first, then converted, and told so that it can be followed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import pricing_units, rating, trace, verification, worked_sum
from billing.domain.pricing_units import PricingUnit
from config.kernel import money
from tests.domain.billing import contracts

CREDITS = PricingUnit("u-1", "credits", "CR", Decimal("0.03"))


@pytest.mark.parametrize(
    ("amount", "rate", "worth"),
    [
        ("12.345", "0.01", "0.1235"),  # 12.345 -> 12.35 x 0.01
        ("12.344", "0.01", "0.1234"),
        ("0.005", "100", "1"),  # half a hundredth is one: 0.01 x 100
        ("0.0049", "100", "0"),
        ("7", "1.5", "10.5"),
    ],
)
def test_an_amount_is_rounded_in_the_unit_before_it_is_converted(amount: str, rate: str, worth: str) -> None:
    found = pricing_units.in_money(amount=Decimal(amount), conversion_rate=Decimal(rate))
    assert found == Decimal(worth)


def rated(amount: str, units: str) -> rating.RatedItem:
    charge = contracts.charge(properties={"amount": amount}, usage=[contracts.usage(3, units)], pricing_unit=CREDITS)
    [item] = rating.rate(contracts.contract(charges=[charge]))
    return item


def test_a_line_says_what_it_is_in_the_unit_and_in_money() -> None:
    item = rated("0.333", "5")  # 5 x 0.333 = 1.665 -> 1.67 CR; 1.67 x 0.03 = 0.0501 -> 0.05

    assert item.precise_amount == Decimal("0.0501")
    assert item.amount.amount == Decimal("0.05")
    assert item.unit_amount == Decimal("0.00999")  # 0.333 x 0.03
    assert item.pricing_unit == {
        "id": "u-1",
        "code": "credits",
        "short_name": "CR",
        "amount": "1.67",
        "precise_amount": "1.665",
        "unit_amount": "0.33",
        "precise_unit_amount": "0.333",
        "conversion_rate": "0.03",
    }


def test_the_worked_sum_goes_through_the_unit() -> None:
    lines = [(one.label, one.formula, one.result) for one in worked_sum.sentences(rated("0.333", "5").trace)]
    assert lines[2:] == [
        ("Units", "5 × 0.333", "1.665"),
        ("Rounded in the pricing unit", "1.665", "1.67 CR"),
        ("Converted", "1.67 × 0.03", "0.0501"),
        ("Rounded half up", "0.0501", "0.05 EUR"),
    ]


def test_a_price_in_money_says_nothing_of_units() -> None:
    charge = contracts.charge(usage=[contracts.usage(1, "1")])
    [item] = rating.rate(contracts.contract(charges=[charge]))
    assert item.pricing_unit is None
    assert "conversion" not in item.trace
    assert "pricing_unit" not in item.trace["inputs"]


@given(
    amount=st.decimals(0, 1000, places=6),
    units=st.decimals(0, 10_000, places=3),
    rate=st.decimals("0.0001", 100, places=4),
)
def test_what_is_verified_is_what_was_billed(amount: Decimal, units: Decimal, rate: Decimal) -> None:
    unit = PricingUnit("u", "credits", "CR", rate)
    charge = contracts.charge(
        properties={"amount": format(amount, "f")}, usage=[contracts.usage(1, format(units, "f"))], pricing_unit=unit
    )
    for item in rating.rate(contracts.contract(charges=[charge])):
        told = Decimal(item.pricing_unit["amount"]) if item.pricing_unit else None
        found = verification.verify(trace=item.trace, sha256=trace.digest(item.trace), amount=item.amount.amount)
        assert found.is_right
        assert told is not None
        assert money.quantize(told * rate, currency="EUR") == item.amount.amount

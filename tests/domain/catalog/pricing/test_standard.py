"""Standard prices."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.domain.catalog import prices

D = Decimal


@pytest.mark.parametrize(
    ("amount", "units", "expected"),
    [
        ("5", "10", "50"),
        ("0.05", "1000", "50"),
        ("0.000000000000001", "1", "0.000000000000001"),
        ("0.1", "0.3", "0.03"),
        ("999999999999999.999999999999999", "1000000", "999999999999999999999.999999999"),
    ],
)
def test_units_times_amount(amount: str, units: str, expected: str) -> None:
    assert prices.price_of("standard", {"amount": amount}, units).amount == D(expected)


def test_the_unit_amount_spreads_over_full_units() -> None:
    result = prices.price_of("standard", {"amount": "5.12345"}, "10", full_units=D(100))
    assert (result.amount, result.unit_amount) == (D("51.2345"), D("0.512345"))  # 51.2345 / 100


def test_no_units_have_no_unit_amount() -> None:
    result = prices.price_of("standard", {"amount": "5"}, 0)
    assert (result.amount, result.unit_amount) == (0, 0)

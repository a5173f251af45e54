"""Package prices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import money
from tests.domain.catalog import prices

D = Decimal
RAW = {"amount": "5", "package_size": 1000, "free_units": 100}


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ("0", "0"),
        ("100", "0"),  # all free
        ("100.001", "5"),  # a package begun is a package
        ("101", "5"),
        ("1100", "5"),
        ("1101", "10"),
    ],
)
def test_packages_begun_are_paid(units: str, expected: str) -> None:
    assert prices.price_of("package", RAW, units).amount == D(expected)


@given(paid=st.integers(1, 5000), size=st.integers(1, 300), free=st.integers(0, 300))
def test_the_price_steps_up_only_after_a_full_package(paid: int, size: int, free: int) -> None:
    raw = {"amount": "7", "package_size": size, "free_units": free}
    before = prices.price_of("package", raw, free + paid - 1).amount
    after = prices.price_of("package", raw, free + paid).amount
    assert after - before == (7 if (paid - 1) % size == 0 else 0)


def test_the_unit_amount_is_that_of_a_paid_unit() -> None:
    result = prices.price_of("package", {"amount": "100", "package_size": 10, "free_units": 10}, 121)
    assert result.amount == 1200  # 111 paid units are 12 packages
    assert money.round_half_up(result.unit_amount, 6) == D("10.810811")  # 1200 / 111
    assert result.details == {
        "free_units": "10",
        "paid_units": "111",
        "per_package_size": "10",
        "per_package_unit_amount": "100",
    }


def test_unused_free_units_are_not_shown_as_used() -> None:
    details = prices.price_of("package", RAW, 40).details
    assert (details["free_units"], details["paid_units"]) == ("40", "0")

"""Rounding, minor units and splitting of money."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import moneyed
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import errors, money

D = Decimal
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, allow_infinity=False, places=15)


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.125", "EUR", "0.13"),  # a tie goes up, where banker's rounding says 0.12
        ("0.115", "EUR", "0.12"),
        ("-0.125", "EUR", "-0.13"),  # away from zero
        ("0.1249999999999999999999999999999999", "EUR", "0.12"),
        ("1.5", "JPY", "2"),
        ("2.5", "JPY", "3"),
        ("0.0005", "BHD", "0.001"),
        ("1", "CLF", "1.0000"),
        ("1E+3", "EUR", "1000.00"),
        ("-0", "EUR", "0.00"),
    ],
)
def test_a_line_is_rounded_half_up_to_the_exponent_of_its_currency(amount: str, currency: str, expected: str) -> None:
    assert money.quantize(D(amount), currency=currency) == D(expected)
    assert money.rounded(Money(amount, currency)) == Money(expected, currency)


@given(amount=AMOUNTS, currency=st.sampled_from(["JPY", "EUR", "BHD", "CLF"]))
@settings(deadline=None, max_examples=100)
def test_rounding_agrees_with_fractions(amount: Decimal, currency: str) -> None:
    unit = 10 ** money.exponent(currency)
    doubled = abs(Fraction(amount)) * unit * 2
    nearest = (doubled.numerator // doubled.denominator + 1) // 2
    assert Fraction(money.quantize(amount, currency=currency)) == Fraction(nearest, unit) * (-1 if amount < 0 else 1)


def test_currencies_have_the_exponents_of_iso_4217() -> None:
    assert {code: money.exponent(code) for code in ("JPY", "ISK", "HUF", "EUR", "KWD", "CLF")} == {
        "JPY": 0,
        "ISK": 0,
        "HUF": 2,
        "EUR": 2,
        "KWD": 3,
        "CLF": 4,
    }
    assert set(money.currencies()) <= set(moneyed.CURRENCIES)


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "DEM", "eur", "", "EURO"])
def test_what_nobody_invoices_in_is_no_currency(code: str) -> None:
    assert not money.known(code)
    with pytest.raises(errors.Invalid) as refusal:
        money.exponent(code)
    assert refusal.value.details == {"currency": ["invalid_currency"]}


@pytest.mark.parametrize(
    ("value", "places", "up", "ceiling", "floor"),
    [
        ("123.456", 2, "123.46", "123.46", "123.45"),
        ("-123.456", 2, "-123.46", "-123.45", "-123.46"),
        ("1250", -2, "1300", "1300", "1200"),
        ("-2.5", 0, "-3", "-2", "-3"),
        ("5", -1, "10", "10", "0"),
        ("7", 3, "7", "7", "7"),
    ],
)
def test_rounding_to_places(value: str, places: int, up: str, ceiling: str, floor: str) -> None:
    assert money.round_half_up(D(value), places) == D(up)
    assert money.ceil_to(D(value), places) == D(ceiling)
    assert money.floor_to(D(value), places) == D(floor)


def test_figures_beyond_all_money_are_refused() -> None:
    with pytest.raises(money.ValueOutOfRange):
        money.quantize(D("1E+70"), currency="EUR")


def test_minor_units() -> None:
    assert money.to_minor(Money("12.30", "EUR")) == 1230
    assert money.to_minor(Money("-5", "JPY")) == -5
    assert money.to_minor(Money("1.0010", "BHD")) == 1001
    assert money.from_minor(1001, "BHD") == Money("1.001", "BHD")
    assert money.zero("EUR") == Money(0, "EUR")


def test_minor_units_of_an_unrounded_amount_are_refused() -> None:
    with pytest.raises(errors.Invalid, match="finer"):
        money.to_minor(Money("0.005", "EUR"))


@given(minor=st.integers(-(10**18), 10**18), currency=st.sampled_from(["JPY", "EUR", "BHD"]))
@settings(deadline=None, max_examples=50)
def test_minor_units_come_back(minor: int, currency: str) -> None:
    assert money.to_minor(money.from_minor(minor, currency)) == minor


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("10.00", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),  # 333 each, the cent left goes to the first
        ("-10.00", ["1", "1", "1"], ["-3.34", "-3.33", "-3.33"]),
        ("0.05", ["0.7", "0.3"], ["0.04", "0.01"]),  # 3.5 and 1.5: the same remainder, the first one wins
        ("1.00", ["0", "1", "0"], ["0.00", "1.00", "0.00"]),
        ("100.00", ["3", "-1"], ["150.00", "-50.00"]),
        ("0.00", ["0", "0"], ["0.00", "0.00"]),
        ("0.01", ["1", "2", "2"], ["0.00", "0.01", "0.00"]),  # 0.2, 0.4 and 0.4 of a cent
    ],
)
def test_splitting_goes_by_largest_remainder(total: str, weights: list[str], parts: list[str]) -> None:
    found = money.allocate(Money(total, "EUR"), [D(weight) for weight in weights])
    assert found == [Money(part, "EUR") for part in parts]


@given(
    minor=st.integers(-(10**9), 10**9),
    weights=st.lists(st.decimals(0, 10**6, places=5), min_size=1, max_size=12),
    currency=st.sampled_from(["JPY", "EUR", "BHD"]),
)
@settings(deadline=None, max_examples=100)
def test_parts_sum_to_the_whole_and_are_fair(minor: int, weights: list[Decimal], currency: str) -> None:
    if not sum(weights):
        return
    total = money.from_minor(minor, currency)
    parts = [money.to_minor(part) for part in money.allocate(total, weights)]
    assert sum(parts) == minor
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if not weight)
    whole = sum(map(Fraction, weights))
    exact = [Fraction(minor) * Fraction(weight) / whole for weight in weights]
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
    mirrored = [money.to_minor(part) for part in money.allocate(-total, weights)]
    assert mirrored == [-part for part in parts]


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        money.allocate(Money("1.00", "EUR"), [D(0), D(0)])
    with pytest.raises(errors.Invalid):
        money.allocate(Money("1.005", "EUR"), [D(1)])

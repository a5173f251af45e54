"""Figures in the conventions of each language. Expected texts use a plain space for every kind of space."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import errors, money
from invoicing.domain.document_formats import Formats


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ")


@pytest.mark.parametrize(
    ("conventions", "amount", "currency", "expected"),
    [
        ("de", "1234.56", "EUR", "1.234,56 €"),
        ("de", "-1234.50", "EUR", "-1.234,50 €"),
        ("fr", "1234.56", "EUR", "1 234,56 €"),
        ("es", "12345.60", "EUR", "12.345,60 €"),
        ("it", "1234.56", "EUR", "1.234,56 €"),
        ("sv", "1234.56", "SEK", "1 234,56 kr"),
        ("pt_BR", "1234.56", "BRL", "R$ 1.234,56"),
        ("en_US", "1234.56", "USD", "$1,234.56"),
        ("en_GB", "1234.56", "GBP", "£1,234.56"),
        ("en_US", "1234", "JPY", "¥1,234"),
        ("de", "1234", "JPY", "1.234 ¥"),
        ("en_US", "1234.567", "BHD", "BHD 1,234.567"),
        ("en_US", "12", "CHF", "CHF 12.00"),
        ("de_CH", "1234.5", "CHF", "CHF 1’234.50"),
        # The CLDR shows no decimals for these, because nobody pays them in cash; an invoice has them.
        ("en_US", "12.5", "HUF", "HUF 12.50"),
        ("en_US", "12.5", "COP", "COP 12.50"),
        ("en_US", "0", "EUR", "€0.00"),
    ],
)
def test_money(conventions: str, amount: str, currency: str, expected: str) -> None:
    assert plain(Formats(conventions).money(Money(amount, currency))) == expected


def test_money_that_is_not_rounded_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        Formats("en_US").money(Money("1.234", "EUR"))


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("0.00012", "EUR", "0,00012 €"),
        ("0.000120000000000", "EUR", "0,00012 €"),
        ("49", "EUR", "49,00 €"),
        ("0.1", "EUR", "0,10 €"),
        ("0.000000000001", "EUR", "0,000000000001 €"),
        ("0.5", "JPY", "0,5 ¥"),
        ("5", "JPY", "5 ¥"),
        ("1.2", "BHD", "1,200 BHD"),
        # An average of a third has more digits than a price can have.
        ("0.333333333333333", "EUR", "0,333333 €"),
        ("0.666666666666667", "EUR", "0,666667 €"),
    ],
)
def test_the_price_of_a_unit_keeps_its_digits(amount: str, currency: str, expected: str) -> None:
    assert plain(Formats("de").price(Decimal(amount), currency=currency)) == expected


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("111.11103", "EUR", "111,111 €"),
        ("1.23456", "EUR", "1,2346 €"),
        ("0.00005", "EUR", "0,0001 €"),  # half up
        ("10", "EUR", "10,00 €"),
        ("1.255", "JPY", "1,26 ¥"),
    ],
)
def test_a_part_of_a_sum_has_two_decimals_more(amount: str, currency: str, expected: str) -> None:
    assert plain(Formats("de").part(Decimal(amount), currency=currency)) == expected


@pytest.mark.parametrize(
    ("conventions", "value", "expected"),
    [
        ("de", "1334567.000000000000000", "1.334.567"),
        ("de", "8765.432100", "8.765,4321"),
        ("en_US", "10", "10"),
        ("en_US", "0", "0"),
        ("fr", "12345.5", "12 345,5"),
        ("en_US", "1234567890123456789012345.123456789012345", "1,234,567,890,123,456,789,012,345.123456789012345"),
    ],
)
def test_units(conventions: str, value: str, expected: str) -> None:
    assert plain(Formats(conventions).units(Decimal(value))) == expected


@pytest.mark.parametrize(
    ("conventions", "fraction", "expected"),
    [("de", "0.19", "19 %"), ("en_US", "0.0725", "7.25%"), ("fr", "0.055", "5,5 %"), ("en_GB", "0", "0%")],
)
def test_rates(conventions: str, fraction: str, expected: str) -> None:
    assert plain(Formats(conventions).rate(Decimal(fraction))) == expected


@pytest.mark.parametrize(
    ("conventions", "expected"),
    [
        ("de", "15.06.2026"),
        ("en_US", "Jun 15, 2026"),
        ("en_GB", "15 Jun 2026"),
        ("fr", "15 juin 2026"),
        ("it", "15 giu 2026"),
    ],
)
def test_days(conventions: str, expected: str) -> None:
    assert plain(Formats(conventions).day(date(2026, 6, 15))) == expected


@pytest.mark.parametrize(
    ("conventions", "first", "last", "expected"),
    [
        ("de", date(2026, 5, 1), date(2026, 5, 31), "1.–31. Mai 2026"),
        ("en_US", date(2026, 5, 1), date(2026, 5, 31), "May 1 – 31, 2026"),
        ("en_GB", date(2025, 12, 15), date(2026, 1, 14), "15 Dec 2025 – 14 Jan 2026"),
        ("fr", date(2026, 5, 1), date(2026, 5, 1), "1 mai 2026"),
    ],
)
def test_stretches_of_days(conventions: str, first: date, last: date, expected: str) -> None:
    assert plain(Formats(conventions).days(first, last)) == expected


@given(minor=st.integers(-(10**15), 10**15), currency=st.sampled_from(["EUR", "JPY", "BHD", "CLF", "HUF"]))
def test_no_digit_of_an_amount_is_lost(minor: int, currency: str) -> None:
    """The digits of what is written are those of the minor units."""
    written = Formats("de").money(money.from_minor(minor, currency))
    digits = "".join(letter for letter in written if letter.isdigit())
    assert int(digits) == abs(minor)
    assert written.startswith("-") == (minor < 0)

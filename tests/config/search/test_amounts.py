"""Amounts as people write them, and everything that is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.search import amounts
from config.search.amounts import Amount


@pytest.mark.parametrize(
    ("text", "values", "currency"),
    [
        ("1,234.50", ["1234.50"], None),
        ("1234,50 EUR", ["1234.50"], "EUR"),
        ("€1.234,50", ["1234.50"], "EUR"),
        ("eur 12", ["12"], "EUR"),
        ("12.5chf", ["12.5"], "CHF"),
        ("$ 49", ["49"], None),  # whose dollar it is, nobody knows
        ("¥1,235", ["1235", "1.235"], None),
        ("£0.07", ["0.07"], "GBP"),
        ("1 234,50", ["1234.50"], None),
        ("1\u202f234\u202f567", ["1234567"], None),
        ("1'234.50", ["1234.50"], None),
        ("1.234.567,89", ["1234567.89"], None),
        ("1,234,567", ["1234567"], None),
        ("1.234", ["1234", "1.234"], None),  # thousands, or dinars
        ("1234.567 BHD", ["1234.567"], "BHD"),
        ("2026", ["2026"], None),
        (" 49.00 ", ["49.00"], None),
    ],
)
def test_what_is_an_amount(text: str, values: list[str], currency: str | None) -> None:
    assert amounts.read(text) == Amount(tuple(map(Decimal, values)), currency)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "€", "EUR", "abc", "12 XYZ", "EUR 12 USD", "1,2,3", "12,34.56", "1.234,5.6", "1,23,456.7", "-12",
        "1e5", "١٢", "12..5", ".5", "5.", "1 23", "0x10", "%", "'", "' OR 1=1", "\x00", "12\x00", "NaN", "Infinity",
        "9" * 16, "1" * 10_000, "1,234.56789", "LUM-001-002", "12 EUR EUR",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert amounts.read(text) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_reading_survives_anything(text: str) -> None:
    found = amounts.read(text)
    assert found is None or all(value.is_finite() and value >= 0 for value in found.values)


@settings(max_examples=200, deadline=None)
@given(st.decimals(min_value=0, max_value=Decimal(10) ** 12, places=2))
def test_what_is_written_is_read(value: Decimal) -> None:
    english = f"{value:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    for text in (english, german, f"€{english}", f"{german} EUR", f"{value}"):
        found = amounts.read(text)
        assert found is not None
        assert found.values == (value,)

"""Prices as text that can be changed in place: written, read back, and refused where they are not of the form."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms

from billing.admin import price_text

TIERS = [
    {"from_value": 0, "to_value": "10", "per_unit_amount": "1", "flat_amount": "5"},
    {"from_value": "10", "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
]
PRICES: list[tuple[str, dict[str, Any], str]] = [
    ("standard", {"amount": "0.5"}, "0.5"),
    ("package", {"amount": "10", "package_size": 100, "free_units": 5}, "10; 100; 5"),
    ("percentage", {"rate": "1.5", "fixed_amount": "0.1"}, "1.5; 0.1"),
    ("graduated", {"graduated_ranges": TIERS}, "10; 1; 5\n; 0.5; 0"),
    ("volume", {"volume_ranges": TIERS}, "10; 1; 5\n; 0.5; 0"),
]


@pytest.mark.parametrize(("model", "properties", "text"), PRICES)
def test_a_price_is_written_and_read_back(model: str, properties: dict[str, Any], text: str) -> None:
    assert price_text.write(model, properties) == text
    assert price_text.read(model, text, properties) == properties


def test_what_the_text_does_not_show_stays() -> None:
    before = {"rate": "1", "free_units_per_events": 3, "pricing_group_keys": ["region"]}
    assert price_text.read("percentage", "2", before) == {**before, "rate": "2"}
    assert price_text.write("dynamic", {}) == ""


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("standard", "1; 2"),
        ("standard", ""),
        ("package", "10"),
        ("package", "10; many"),
        ("graduated", "10"),
        ("volume", "10; ; 1"),
    ],
)
def test_what_is_not_of_the_form_is_refused(model: str, text: str) -> None:
    with pytest.raises(forms.ValidationError):
        price_text.read(model, text, {})

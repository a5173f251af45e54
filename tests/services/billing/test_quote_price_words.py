"""Prices by use in words: each model, in the digits of the currency and the words of the language."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from billing.services import quote_price_words
from config.kernel import errors
from invoicing.domain.document_formats import Formats

TIERS = [
    {"from_value": 0, "to_value": 100, "per_unit_amount": "0", "flat_amount": "5"},
    {"from_value": 101, "to_value": 1000, "per_unit_amount": "0.5", "flat_amount": "0"},
    {"from_value": 1001, "to_value": None, "per_unit_amount": "0.00012", "flat_amount": "0"},
]
RATES = [
    {"from_value": 0, "to_value": 100, "rate": "1.5", "flat_amount": "2"},
    {"from_value": 100, "to_value": None, "rate": "1", "flat_amount": "0"},
]
CASES: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("standard", {"amount": "0.00012"}, ["€0.00012 a unit"], ""),
    ("standard", {"amount": "0"}, ["included"], ""),
    (
        "package",
        {"amount": "5", "package_size": 1000, "free_units": 100},
        ["the first 100: included", "for each 1,000: €5.00"],
        "",
    ),
    (
        "percentage",
        {
            "rate": "1.5",
            "fixed_amount": "0.1",
            "free_units_per_events": 3,
            "free_units_per_total_aggregation": "50",
            "per_transaction_min_amount": "1",
            "per_transaction_max_amount": "20",
        },
        [
            "the first 3 events: included",
            "the first €50.00: included",
            "1.5% of the amount + €0.10 for each event",
            "at least: €1.00 for each event",
            "at most: €20.00 for each event",
        ],
        "",
    ),
    (
        "graduated",
        {"graduated_ranges": TIERS},
        ["up to 100: included + €5.00", "above 100 up to 1,000: €0.50 a unit", "above 1,000: €0.00012 a unit"],
        "each range at its own price",
    ),
    (
        "volume",
        {"volume_ranges": TIERS},
        ["up to 100: included + €5.00", "above 100 up to 1,000: €0.50 a unit", "above 1,000: €0.00012 a unit"],
        "all units at the price of the range that is reached",
    ),
    (
        "graduated_percentage",
        {"graduated_percentage_ranges": RATES},
        ["up to 100: 1.5% + €2.00", "above 100: 1%"],
        "each range at its own price",
    ),
    ("dynamic", {}, ["by the price of each event"], ""),
]


@pytest.mark.parametrize(("model", "properties", "said", "how"), CASES)
def test_each_model(model: str, properties: dict[str, Any], said: list[str], how: str) -> None:
    with translation.override("en"):
        found = quote_price_words.price(model=model, properties=properties, currency="EUR", formats=Formats("en_GB"))
        assert [str(one) for one in found] == said
        assert quote_price_words.how(model=model, properties=properties) == how


def test_the_currency_and_the_language_decide_about_figures_and_words() -> None:
    with translation.override("de"):
        (yen,) = quote_price_words.price(
            model="standard", properties={"amount": "12"}, currency="JPY", formats=Formats("de")
        )
        (dinar,) = quote_price_words.price(
            model="standard", properties={"amount": "1.5"}, currency="BHD", formats=Formats("de")
        )
        assert (str(yen), str(dinar)) == ("12\u00a0¥ je Einheit", "1,500\u00a0BHD je Einheit")
        every = [quote_price_words.every("9 €", interval) for interval in ("weekly", "monthly", "quarterly", "yearly")]
        assert every == ["9 € je Woche", "9 € im Monat", "9 € im Quartal", "9 € im Jahr"]


def test_a_price_that_is_none_is_refused() -> None:
    with pytest.raises(errors.Invalid):
        quote_price_words.price(model="standard", properties={"amount": "-1"}, currency="EUR", formats=Formats("en_GB"))


def test_a_price_in_a_unit_of_the_seller_is_no_money() -> None:
    with translation.override("en"):
        found = quote_price_words.price(
            model="graduated",
            properties={"graduated_ranges": TIERS},
            currency="EUR",
            formats=Formats("en_GB"),
            unit="CR",
        )
    assert [one.price for one in found] == ["included + 5\u00a0CR", "0.5\u00a0CR a unit", "0.00012\u00a0CR a unit"]

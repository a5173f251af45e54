"""Rates of VAT: which is in force, and that the list that comes with the product is whole."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from catalog.domain import vat_rates
from catalog.domain.vat_rates import Rate

PACKAGED = Path(vat_rates.__file__).parents[1] / "data" / "vat_rates.json"
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()


def test_the_newest_rate_that_has_begun_is_in_force() -> None:
    rates = [
        Rate("DE", "", "Germany", Decimal(rate), date.fromisoformat(day))
        for day, rate in (("2007-01-01", "0.19"), ("2020-07-01", "0.16"), ("2021-01-01", "0.19"))
    ]
    for day, rate in (("2020-06-30", "0.19"), ("2020-07-01", "0.16"), ("2020-12-31", "0.16"), ("2021-01-01", "0.19")):
        (found,) = vat_rates.in_force(rates=rates, on=date.fromisoformat(day))
        assert found.rate == Decimal(rate)
    assert vat_rates.in_force(rates=rates, on=date(2006, 12, 31)) == []


def test_the_packaged_list_has_a_rate_of_every_country_on_every_day_of_late() -> None:
    rates = vat_rates.parse(json.loads(PACKAGED.read_text(encoding="utf-8")))
    for day in (date(2020, 1, 1), date(2024, 5, 6), date(2026, 1, 1)):
        found = {rate.country: rate.rate for rate in vat_rates.in_force(rates=rates, on=day) if not rate.territory}
        assert sorted(found) == EU
        assert all(Decimal("0.15") <= rate <= Decimal("0.27") for rate in found.values())


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("FI", "2024-08-31", "0.24"),
        ("FI", "2024-09-01", "0.255"),
        ("SK", "2024-12-31", "0.20"),
        ("SK", "2025-01-01", "0.23"),
        ("EE", "2025-07-01", "0.24"),
        ("RO", "2025-08-01", "0.21"),
        ("LU", "2023-06-01", "0.16"),
        ("IE", "2020-12-24", "0.21"),
    ],
)
def test_packaged_changes_of_rates(country: str, day: str, rate: str) -> None:
    rates = vat_rates.parse(json.loads(PACKAGED.read_text(encoding="utf-8")))
    found = vat_rates.in_force(rates=rates, on=date.fromisoformat(day))
    assert [one.rate for one in found if (one.country, one.territory) == (country, "")] == [Decimal(rate)]


def _row(**changed: Any) -> dict[str, Any]:
    row = {
        "country": "DE",
        "territory": "",
        "name": "Germany",
        "rate": "0.19",
        "postcodes": "",
        "for_companies": False,
        "effective_from": "2021-01-01",
        "source": "a law",
    }
    return {**row, **changed}


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"format": "other/1", "rates": [_row()]},
        {"format": "vat-rates/1", "rates": []},
        {"format": "vat-rates/1", "rates": [None]},
        {"format": "vat-rates/1", "rates": [_row(rate="19")]},
        {"format": "vat-rates/1", "rates": [_row(rate="a lot")]},
        {"format": "vat-rates/1", "rates": [_row(effective_from="soon")]},
        {"format": "vat-rates/1", "rates": [_row(territory="island")]},
        {"format": "vat-rates/1", "rates": [_row(territory="island", postcodes="(")]},
        {"format": "vat-rates/1", "rates": [_row(country="Germany")]},
        {"format": "vat-rates/1", "rates": [_row(), _row(rate="0.16")]},
    ],
)
def test_a_list_that_is_not_understood_is_refused(content: Any) -> None:
    with pytest.raises(vat_rates.InvalidRates):
        vat_rates.parse(content)

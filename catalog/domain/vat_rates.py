"""Rates of VAT in the European Union as values: which is in force on a day, and the codes of their taxes.

Owns reading a published list of rates too. Which customer is charged which is decided by another app. Codes are those
that clients know: `lago_eu_de_standard`, `lago_eu_es_exception_canary_islands`, `lago_eu_reverse_charge`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from config.kernel import errors

FORMAT = "vat-rates/1"
PREFIX = "lago_eu_"
REVERSE_CHARGE = "lago_eu_reverse_charge"
EXEMPT = "lago_eu_tax_exempt"

_TERRITORY = re.compile(r"[a-z][a-z_]{1,62}")


class InvalidRates(errors.Invalid):
    """A list of rates cannot be read."""


@dataclass(frozen=True)
class Rate:
    """A rate from a day on: of a country, or of a ``territory`` in it by its ``postcodes``. ``rate`` is a fraction.

    ``postcodes`` is a regular expression over a whole postcode without blanks. A territory ``for_companies`` alone is
    taxed like its country where a consumer buys.
    """

    country: str
    territory: str
    name: str
    rate: Decimal
    effective_from: date
    postcodes: str = ""
    for_companies: bool = False
    source: str = ""

    @property
    def code(self) -> str:
        """Return the code of its tax."""
        country = self.country.lower()
        return f"{PREFIX}{country}_exception_{self.territory}" if self.territory else standard(self.country)


def standard(country: str) -> str:
    """Return the code of a country's standard rate."""
    return f"{PREFIX}{country.lower()}_standard"


def is_managed(code: str) -> bool:
    """Say whether a tax is one of those that the product keeps itself."""
    return code.startswith(PREFIX)


def in_force(*, rates: Iterable[Rate], on: date) -> list[Rate]:
    """Return the rate of each country and territory that is in force on a day, the newest that has begun."""
    found: dict[tuple[str, str], Rate] = {}
    for rate in sorted(rates, key=lambda one: one.effective_from):
        if rate.effective_from <= on:
            found[rate.country, rate.territory] = rate
    return list(found.values())


def parse(content: Any) -> list[Rate]:
    """Read a list of rates as it is published: `{"format": "vat-rates/1", "rates": [{"country": "DE", …}]}`.

    Raises InvalidRates, with the place, for anything that is not understood: a rate is never guessed.
    """
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise InvalidRates("invalid_format", f"This is no list of rates: its format is not {FORMAT}.")
    rows = content.get("rates")
    if not isinstance(rows, list) or not rows:
        raise InvalidRates("invalid_format", "The list has no rates.")
    found = [_rate(number, row) for number, row in enumerate(rows)]
    keys = {(rate.country, rate.territory, rate.effective_from) for rate in found}
    if len(keys) < len(found):
        raise InvalidRates("value_is_duplicated", "A country or territory has two rates from the same day on.")
    return found


def _rate(number: int, row: Any) -> Rate:
    try:
        rate = Rate(
            country=row["country"],
            territory=row["territory"],
            name=row["name"],
            rate=Decimal(row["rate"]),
            effective_from=date.fromisoformat(row["effective_from"]),
            postcodes=row["postcodes"],
            for_companies=row["for_companies"],
            source=row["source"],
        )
        re.compile(rate.postcodes)
    except (KeyError, TypeError, ValueError, InvalidOperation, re.error) as error:
        raise InvalidRates("invalid_value", f"The rate at place {number} cannot be read: {error}.") from error
    is_place = re.fullmatch("[A-Z]{2}", rate.country) and (not rate.territory or _TERRITORY.fullmatch(rate.territory))
    if not is_place or not 0 <= rate.rate <= 1 or bool(rate.territory) != bool(rate.postcodes):
        raise InvalidRates("invalid_value", f"The rate at place {number} is of no place, or none from 0 to 1.")
    return rate

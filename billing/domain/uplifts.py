"""The price uplift of a renewal: new prices from old ones and a rate. Owns which figures of a price list rise and how
each is rounded, once; the terms they make are written by services.

Fees and minimums are amounts of money and come in whole minor units, rounded half up. A price of a unit is no amount
that anybody pays: it keeps more digits, so that the uplift of a small one is not lost.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from catalog.domain import decimals
from config.kernel import errors, money

MOST_RATE = Decimal(10)
_MOST_PLACES = 12
_MORE_THAN_MONEY, _MORE_THAN_BEFORE = 4, 2
_PRICES = frozenset(
    {
        "amount",
        "per_unit_amount",
        "flat_amount",
        "fixed_amount",
        "per_transaction_min_amount",
        "per_transaction_max_amount",
    }
)


class InvalidUplift(errors.Invalid):
    """The uplift is no rate that a contract can have."""


class Scope(StrEnum):
    """Which prices rise."""

    FEE = "fee"
    ALL = "all"


def check(rate: Decimal) -> None:
    """Demand a rate between minus 100 % (not included) and plus 1000 %. Raises InvalidUplift (`uplift_rate`)."""
    if not -1 < rate <= MOST_RATE:
        raise InvalidUplift(
            "value_is_out_of_range",
            "The uplift lies between -100 % and 1000 %.",
            {"uplift_rate": ["value_is_out_of_range"]},
        )


def amount(*, before: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return a fee or minimum after the uplift, in major units, rounded half up to the currency."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return money.quantize(before * (1 + rate), currency=currency)


def unit_price(*, before: Decimal, rate: Decimal, currency: str) -> Decimal:
    """Return a price of a unit after the uplift, in major units.

    Rounded half up once: to four digits more than the currency has, or two more than the price had, twelve at most.
    """
    own = len(decimals.text(before).partition(".")[2])
    places = min(_MOST_PLACES, max(money.exponent(currency) + _MORE_THAN_MONEY, own + _MORE_THAN_BEFORE))
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return money.round_half_up(before * (1 + rate), places)


def properties(*, before: Mapping[str, Any], rate: Decimal, currency: str) -> dict[str, Any]:
    """Return the properties of a charge with all their prices after the uplift; rates, tiers and free units stay."""
    return {key: _raised(key, value, rate, currency) for key, value in before.items()}


def _raised(key: str, value: Any, rate: Decimal, currency: str) -> Any:
    if isinstance(value, Mapping):
        return properties(before=value, rate=rate, currency=currency)
    if isinstance(value, list):
        return [_raised("", one, rate, currency) for one in value]
    if key not in _PRICES or value is None or value == "":
        return value
    return decimals.text(unit_price(before=Decimal(str(value)), rate=rate, currency=currency))

"""Prices in a unit of account of the seller's own, such as credits. Owns the way from such an amount to money.

The amount is rounded to the unit's own two decimals first, as a statement in that unit shows it, then converted and
rounded to the currency. So what a line says in the unit times the rate is what it says in money.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from catalog.domain import decimals
from config.kernel import money

DIGITS = 2


@dataclass(frozen=True, slots=True)
class PricingUnit:
    """A unit of account, and what one of it is worth in major units of the plan's currency."""

    id: str
    code: str
    short_name: str
    conversion_rate: Decimal


def amount_digits(*, currency: str, unit: PricingUnit | None) -> int:
    """Return the decimals of the amounts that events carry in minor units: the unit's where the price is in one."""
    return money.exponent(currency) if unit is None else DIGITS


def carried(*, amount: Decimal, digits: int) -> Decimal:
    """Return an amount that events carry in minor units in major ones, of the unit or of the currency; unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount.scaleb(-digits)


def rounded(amount: Decimal) -> Decimal:
    """Round an amount in a pricing unit to two decimals, half up."""
    return money.round_half_up(amount, DIGITS)


def in_money(*, amount: Decimal, conversion_rate: Decimal) -> Decimal:
    """Return what an amount in a pricing unit is worth: rounded to the unit's decimals, then converted.

    In major units of the currency, not rounded to it yet.
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return rounded(amount) * conversion_rate


def unit_price(*, amount: Decimal, conversion_rate: Decimal) -> Decimal:
    """Return what the price of one unit of usage is worth, in major units of the currency, unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount * conversion_rate


def details(*, unit: PricingUnit, amount: Decimal, unit_amount: Decimal) -> dict[str, str]:
    """Return what a line tells of an amount in a pricing unit, decimals as text; both amounts come unrounded."""
    return {
        "id": unit.id,
        "code": unit.code,
        "short_name": unit.short_name,
        "amount": decimals.text(rounded(amount)),
        "precise_amount": decimals.text(amount),
        "unit_amount": decimals.text(rounded(unit_amount)),
        "precise_unit_amount": decimals.text(unit_amount),
        "conversion_rate": decimals.text(unit.conversion_rate),
    }


def written(unit: PricingUnit) -> dict[str, str]:
    """Return what a trace stores of a pricing unit."""
    return {
        "id": unit.id,
        "code": unit.code,
        "short_name": unit.short_name,
        "conversion_rate": decimals.text(unit.conversion_rate),
    }


def conversion(*, unit: PricingUnit, amount: Decimal) -> dict[str, Any]:
    """Return the steps from an unrounded amount in a pricing unit to money, as a trace tells them."""
    return {
        "unrounded": decimals.text(amount),
        "digits": DIGITS,
        "amount": decimals.text(rounded(amount)),
        "total": decimals.text(in_money(amount=amount, conversion_rate=unit.conversion_rate)),
    }


def converted_again(*, stored: Mapping[str, Any] | None, amount: Decimal) -> Decimal:
    """Return the money of an amount by the pricing unit that a trace stored; without one it is money already."""
    if stored is None:
        return amount
    return in_money(amount=amount, conversion_rate=Decimal(stored["conversion_rate"]))

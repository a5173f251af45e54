"""Taxes of a line: which apply, and what they come to. Owns resolution and the rounding of one line.

The totals of an invoice are next door in `totals`. Rates are fractions (0.19 for 19 %).
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from config.kernel import money


@dataclass(frozen=True)
class TaxRate:
    """A tax as it stands at the moment of billing. ``rate`` is a fraction."""

    id: int
    code: str
    name: str
    rate: Decimal
    description: str = ""


@dataclass(frozen=True)
class TaxRow:
    """One tax on one line: ``precise`` in major units before rounding, ``amount`` rounded to the currency."""

    tax: TaxRate
    precise: Decimal
    amount: Money


@dataclass(frozen=True)
class LineTaxes:
    """All taxes of a line. ``amount`` is the sum rounded once, so it may differ from the sum of the rounded rows."""

    rows: tuple[TaxRow, ...]
    rate: Decimal
    precise: Decimal
    amount: Money


def resolve(
    *, own: Sequence[TaxRate], of_customer: Sequence[TaxRate], of_seller: Sequence[TaxRate]
) -> tuple[TaxRate, ...]:
    """Return the taxes of the first level that has any: the line's own, else the customer's, else the seller's."""
    return tuple(own or of_customer or of_seller)


def on_line(*, net: Money, taxes: Sequence[TaxRate]) -> LineTaxes:
    """Tax one line. Each row is rounded to the currency, and the line's tax is the unrounded sum rounded once."""
    currency = net.currency.code
    rows = tuple(_row(net, tax) for tax in taxes)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = sum((row.precise for row in rows), Decimal(0))
        rate = sum((tax.rate for tax in taxes), Decimal(0))
    return LineTaxes(rows=rows, rate=rate, precise=precise, amount=_money(precise, currency))


def _row(net: Money, tax: TaxRate) -> TaxRow:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = net.amount * tax.rate
    return TaxRow(tax=tax, precise=precise, amount=_money(precise, net.currency.code))


def _money(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)

"""Taxes of a line: which apply, and what they come to. Owns resolution and the rounding of one line.

A price is net unless its seller agreed on a gross one, which includes its taxes. The totals of an invoice are next door
in `totals`. Rates are fractions (0.19 for 19 %).
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

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


class Basis(StrEnum):
    """Whose taxes a line has."""

    NONE = ""
    PRICE = "price"
    CUSTOMER = "customer"
    SELLER = "seller"
    EXEMPT = "exempt"
    ENGINE = "engine"


@dataclass(frozen=True)
class Resolved:
    """The taxes of a line, and whose they are. A customer that is exempt has none."""

    rates: tuple[TaxRate, ...]
    basis: Basis


def resolve(
    *, own: Sequence[TaxRate], of_customer: Sequence[TaxRate], of_seller: Sequence[TaxRate], is_exempt: bool = False
) -> Resolved:
    """Return the taxes of the first level that has any: the line's own, else the customer's, else the seller's.

    A customer that is exempt pays none of them, whatever the level.
    """
    if is_exempt:
        return Resolved((), Basis.EXEMPT)
    for rates, basis in ((own, Basis.PRICE), (of_customer, Basis.CUSTOMER), (of_seller, Basis.SELLER)):
        if rates:
            return Resolved(tuple(rates), basis)
    return Resolved((), Basis.NONE)


def net_of(*, gross: Decimal, taxes: Sequence[TaxRate]) -> Decimal:
    """Return what is left of an amount that includes these taxes without them, unrounded: gross / (1 + Σ rates)."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return gross / (1 + sum((tax.rate for tax in taxes), Decimal(0)))


def gross_left(*, gross: Money, net: Money, left: Money) -> Money:
    """Return what is left of an agreed gross amount where its net amount was lowered to ``left``, rounded half up.

    A coupon takes off net, and with it the tax on it, in proportion. Nothing is left where nothing is left of the net.
    """
    if left == net or not net:
        return gross
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return _money(gross.amount * left.amount / net.amount, gross.currency.code)


def on_line(*, net: Money, taxes: Sequence[TaxRate], gross: Money | None = None) -> LineTaxes:
    """Tax one line. Each row is rounded to the currency, and the line's tax is the unrounded sum rounded once.

    ``net`` may be finer than the currency: it is what the line's share of coupons leaves of its amount.
    Where the price includes its taxes, ``gross`` is what is to be paid: the tax is the difference, and the rows add up
    to it, split by their rates.
    """
    currency = net.currency.code
    if gross is not None:
        return _included(net, taxes, gross)
    rows = tuple(_row(net, tax) for tax in taxes)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = sum((row.precise for row in rows), Decimal(0))
        rate = sum((tax.rate for tax in taxes), Decimal(0))
    return LineTaxes(rows=rows, rate=rate, precise=precise, amount=_money(precise, currency))


def _included(net: Money, taxes: Sequence[TaxRate], gross: Money) -> LineTaxes:
    currency = net.currency.code
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        rate = sum((tax.rate for tax in taxes), Decimal(0))
        precise = gross.amount - net.amount if rate else Decimal(0)
        parts = [precise * tax.rate / rate if rate else Decimal(0) for tax in taxes]
    amount = _money(precise, currency)
    shares = money.allocate(amount, [tax.rate for tax in taxes])
    rows = tuple(TaxRow(tax, part, share) for tax, part, share in zip(taxes, parts, shares, strict=True))
    return LineTaxes(rows=rows, rate=rate, precise=precise, amount=amount)


def _row(net: Money, tax: TaxRate) -> TaxRow:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = net.amount * tax.rate
    return TaxRow(tax=tax, precise=precise, amount=_money(precise, net.currency.code))


def _money(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)

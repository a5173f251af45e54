"""Totals of an invoice: net, tax by tax group, gross. Owns the rounding of an invoice; knows no table.

A tax group is all lines that have a tax. Its base is their net sum; its row is rounded once. The invoice's tax is the
unrounded sum over the groups rounded once, so the rows may differ from it by a minor unit.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain.tax import TaxRate


class MixedCurrencies(errors.Invalid):
    """Lines of one invoice are in several currencies."""


@dataclass(frozen=True)
class Taxed:
    """A net amount, its tax and their sum. It cannot be wrong: anything that does not add up is refused."""

    net: Money
    tax: Money
    gross: Money

    def __post_init__(self) -> None:
        currencies = {part.currency.code for part in (self.net, self.tax, self.gross)}
        if len(currencies) != 1:
            raise ValueError(f"A taxed amount has one currency, not {sorted(currencies)}.")
        if self.net + self.tax != self.gross:
            raise ValueError(f"{self.net} and {self.tax} do not make {self.gross}.")

    @classmethod
    def of(cls, *, net: Money, tax: Money) -> Taxed:
        """Add a tax to its net amount."""
        return cls(net=net, tax=tax, gross=net + tax)


@dataclass(frozen=True)
class TaxGroup:
    """One tax over all lines that have it. Both amounts are rounded to the currency."""

    tax: TaxRate
    base: Money
    amount: Money


@dataclass(frozen=True)
class Totals:
    """What an invoice comes to. ``groups`` are in the order in which the taxes first appear on the lines."""

    amount: Taxed
    groups: tuple[TaxGroup, ...]


def total(*, lines: Sequence[tuple[Money, Sequence[TaxRate]]], currency: str) -> Totals:
    """Add up an invoice of lines, each its rounded net amount and its taxes.

    Rounds once per tax group and once for the tax of the invoice, half up. Raises MixedCurrencies when a line is in
    another currency, and Invalid (`unrounded_amount`) when a line is finer than the currency.
    """
    net = money.zero(currency)
    bases: dict[int, Money] = {}
    taxes: dict[int, TaxRate] = {}
    for amount, rates in lines:
        if amount.currency.code != currency:
            raise MixedCurrencies(
                "currencies_does_not_match",
                f"A line in {amount.currency.code} cannot be on an invoice in {currency}.",
                {"currency": ["currencies_does_not_match"]},
            )
        money.to_minor(amount)
        net += amount
        for tax in rates:
            taxes.setdefault(tax.id, tax)
            bases[tax.id] = bases.get(tax.id, money.zero(currency)) + amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = {tax_id: bases[tax_id].amount * tax.rate for tax_id, tax in taxes.items()}
        whole = sum(precise.values(), Decimal(0))
    groups = tuple(
        TaxGroup(tax=tax, base=bases[tax_id], amount=_money(precise[tax_id], currency)) for tax_id, tax in taxes.items()
    )
    return Totals(amount=Taxed.of(net=net, tax=_money(whole, currency)), groups=groups)


def _money(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)

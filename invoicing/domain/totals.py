"""Totals of an invoice: net, tax by tax group, gross. Owns the rounding of an invoice; knows no table.

A tax group is all lines that have a tax. Its base is their net sum, less their shares of coupons; its row is rounded
once. The invoice's tax is the unrounded sum over the groups rounded once, so the rows may differ from it by a minor
unit.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain import tax
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


@dataclass(frozen=True)
class Reduction:
    """What coupons take off an invoice: a rounded ``amount``, and the unrounded share of each line in major units."""

    amount: Money
    shares: tuple[Decimal, ...]


def total(
    *,
    lines: Sequence[tuple[Money, Sequence[TaxRate]]],
    currency: str,
    coupons: Reduction | None = None,
    gross: Sequence[Money | None] = (),
) -> Totals:
    """Add up an invoice of lines, each its rounded net amount and its taxes, less ``coupons``.

    Taxed is what is left of each line, unrounded. Rounds once per tax group, its base and its tax, and once for the
    tax of the invoice, half up. ``gross`` is, for each line whose price includes its taxes, what is to be paid of it:
    its tax is the difference, the invoice comes to the sum of these prices, and its groups add up to its tax. Raises
    MixedCurrencies when a line is in another currency, and Invalid (`unrounded_amount`) when a line is finer than the
    currency.
    """
    net = money.zero(currency)
    bases: dict[int, Money] = {}
    taxes: dict[int, TaxRate] = {}
    shares = (Decimal(0),) * len(lines) if coupons is None else coupons.shares
    for (amount, rates), share in zip(lines, shares, strict=True):
        if amount.currency.code != currency:
            raise MixedCurrencies(
                "currencies_does_not_match",
                f"A line in {amount.currency.code} cannot be on an invoice in {currency}.",
                {"currency": ["currencies_does_not_match"]},
            )
        money.to_minor(amount)
        net += amount
        for rate in rates:
            taxes.setdefault(rate.id, rate)
            bases[rate.id] = bases.get(rate.id, money.zero(currency)) + amount - Money(share, currency)
    included = _included(lines, gross, shares)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        precise = {tax_id: bases[tax_id].amount * rate.rate for tax_id, rate in taxes.items()}
        for tax_id, (base, within) in included.items():
            precise[tax_id] += within - base * taxes[tax_id].rate
        whole = _money(sum(precise.values(), Decimal(0)), currency)
    parts = [_money(part, currency) for part in precise.values()]
    if included and sum(parts, money.zero(currency)) != whole:
        parts = money.allocate(whole, list(precise.values()))
    groups = tuple(
        TaxGroup(tax=rate, base=money.rounded(bases[tax_id]), amount=part)
        for (tax_id, rate), part in zip(taxes.items(), parts, strict=True)
    )
    if coupons is not None:
        net -= coupons.amount
    return Totals(amount=Taxed.of(net=net, tax=whole), groups=groups)


def _included(
    lines: Sequence[tuple[Money, Sequence[TaxRate]]], gross: Sequence[Money | None], shares: Sequence[Decimal]
) -> dict[int, tuple[Decimal, Decimal]]:
    """Return, by tax, the net bases and the taxes of the lines whose prices include them, unrounded."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for (net, rates), share, price in zip(lines, shares, gross or [None] * len(lines), strict=True):
        if price is None:
            continue
        left = net - Money(share, net.currency)
        taxes = tax.on_line(net=left, taxes=rates, gross=tax.gross_left(gross=price, net=net, left=left))
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            for row in taxes.rows:
                base, amount = found.get(row.tax.id, (Decimal(0), Decimal(0)))
                found[row.tax.id] = base + left.amount, amount + row.precise
    return found


def _money(amount: Decimal, currency: str) -> Money:
    return Money(money.quantize(amount, currency=currency), currency)

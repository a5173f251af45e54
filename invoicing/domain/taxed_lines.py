"""Lines with the taxes that apply to them. Owns the step from an agreed gross price to the net line that is written.

What a tax comes to is next door in `tax`, what an invoice comes to in `totals`.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from moneyed import Money

from config.kernel import money
from invoicing.domain import tax, totals
from invoicing.domain.specs import LineSpec
from invoicing.domain.tax import Basis, LineTaxes, Resolved, TaxRate
from invoicing.domain.totals import Totals


@dataclass(frozen=True)
class TaxedLine:
    """A line whose amounts are net, the taxes on it, and whose they are.

    ``gross`` is the agreed price where that includes the taxes: net and tax add up to it.
    """

    spec: LineSpec
    rates: tuple[TaxRate, ...]
    basis: Basis
    gross: Money | None = None

    @property
    def gross_left(self) -> Money | None:
        """Return what is to be paid of a price that includes its taxes, without what was billed progressively."""
        if self.gross is None:
            return None
        return tax.gross_left(gross=self.gross, net=self.spec.amount, left=self.spec.net)

    @property
    def taxes(self) -> LineTaxes:
        """Return what the taxes come to; see `tax.on_line`."""
        return tax.on_line(net=self.spec.net, taxes=self.rates, gross=self.gross_left)


@dataclass(frozen=True)
class TaxedPrice:
    """An amount of usage as a line of it would be taxed. ``gross`` is the agreed price where that includes taxes."""

    net: Money
    taxes: LineTaxes
    gross: Money | None = None


def price(*, amount: Money, rates: Sequence[TaxRate], is_tax_inclusive: bool) -> TaxedPrice:
    """Tax a rounded amount as a line of it: of a price that includes its taxes the net is what is left, half up."""
    if not is_tax_inclusive:
        return TaxedPrice(amount, tax.on_line(net=amount, taxes=rates))
    net = _net(amount, rates)
    return TaxedPrice(net, tax.on_line(net=net, taxes=rates, gross=amount), gross=amount)


def taxed(*, spec: LineSpec, found: Resolved) -> TaxedLine:
    """Return a line with its taxes. Of a price that includes them the net is what is left, rounded once, half up.

    The figures before rounding, and the price of a unit, are net then too.
    """
    if not spec.is_tax_inclusive:
        return TaxedLine(spec, found.rates, found.basis)
    currency = spec.amount.currency.code
    net = replace(
        spec,
        amount=_net(spec.amount, found.rates),
        precise_amount=tax.net_of(gross=spec.precise_amount, taxes=found.rates),
        unit_amount=tax.net_of(gross=spec.unit_amount, taxes=found.rates),
        progressive_credit=None if spec.progressive_credit is None else _net(spec.progressive_credit, found.rates),
    )
    return TaxedLine(net, found.rates, found.basis, gross=Money(spec.amount.amount, currency))


def total(*, lines: Sequence[TaxedLine], currency: str) -> Totals:
    """Add up lines; see `totals.total`."""
    return totals.total(
        lines=[(line.spec.net, line.rates) for line in lines],
        currency=currency,
        gross=[line.gross_left for line in lines] if any(line.gross is not None for line in lines) else (),
    )


def net_share(*, amount: Decimal, gross: Decimal | None, net: Decimal) -> Decimal:
    """Return the net part of an amount in the terms of a line's agreed price, unrounded, in major units.

    ``gross`` is that price where it includes taxes, ``net`` the line's amount. Elsewhere the amount is net already.
    """
    if gross is None or not gross:
        return amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return amount * net / gross


def _net(gross: Money, rates: Sequence[TaxRate]) -> Money:
    currency = gross.currency.code
    return Money(money.quantize(tax.net_of(gross=gross.amount, taxes=rates), currency=currency), currency)

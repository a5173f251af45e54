"""Prices of a quote as values: what a plan asks for, as it is on the price list, as it was agreed, and as it is quoted.

Owns the value objects and how deep the discount of one product is. Amounts are in major units; the totals that they
make are `quote_totals`'.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.domain import recurring_revenue
from billing.domain.quote_values import DiscountScope
from catalog.domain.pricing import models, properties, samples, values
from config.kernel import errors, money

MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class UnitPrices:
    """A fixed charge: so many units at the price of its model, each ``interval``. ``key`` is its id over versions."""

    key: str
    code: str
    name: str
    units: Decimal
    model: str
    properties: Mapping[str, Any]
    interval: str

    @property
    def amount(self) -> Decimal:
        """Return what the units cost in an interval, unrounded. Raises InvalidProperties for what does not price."""
        terms = properties.parse(model=self.model, raw=self.properties)
        return models.price(properties=terms, usage=values.Usage(units=self.units)).amount


@dataclass(frozen=True, slots=True)
class FilterPrices:
    """Another price of a usage charge for some values of the events' properties."""

    values: Mapping[str, tuple[str, ...]]
    properties: Mapping[str, Any]
    name: str = ""


@dataclass(frozen=True, slots=True)
class UsagePrices:
    """A usage charge: its price is shown, and not counted in any total. ``minimum`` is of a period.

    With a ``unit`` the figures of the price are in the seller's own unit of account, of which one is worth
    ``unit_rate`` of the currency; the minimum is money all the same.
    """

    key: str
    code: str
    name: str
    metric_name: str
    model: str
    properties: Mapping[str, Any]
    interval: str
    minimum: Decimal = Decimal(0)
    filters: tuple[FilterPrices, ...] = ()
    unit: str = ""
    unit_rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PlanPrices:
    """All prices of a plan's version with own terms in it. ``minimum`` is what a whole interval costs at least."""

    plan_code: str
    plan_name: str
    version: int
    currency: str
    interval: str
    fee: Decimal
    pay_in_advance: bool = False
    trial_days: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    fixed: tuple[UnitPrices, ...] = ()
    usage: tuple[UsagePrices, ...] = ()
    tax_inclusive: bool = False


def months_of(interval: str) -> Decimal:
    """Return how many months an interval has, unrounded: a week is 7 of the mean month's 30.44 days."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        if interval == "weekly":
            return recurring_revenue.DAYS_OF_WEEK / recurring_revenue.DAYS_OF_MONTH
        return Decimal(recurring_revenue.MONTHS[interval])


def billed_months(*, prices: PlanPrices, months: Decimal) -> Decimal:
    """Return for how many of so many months the fee is billed: not in the trial. Unrounded, never below nothing."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return max(months - prices.trial_days / recurring_revenue.DAYS_OF_MONTH, Decimal(0))


def deepest_discount(*, listed: PlanPrices, agreed: PlanPrices, rate: Decimal, scope: str, months: Decimal) -> Decimal:
    """Return the deepest discount of one phase off the price list, as a fraction between 0 and 1, to eight places.

    ``agreed`` are the prices with own terms and without the discount, which is ``rate``; a longer trial counts as a
    discount of the fee, a lower price of usage at any number of units that price tables look at. What cannot be
    compared, as another plan's charge, is no discount.
    """
    of_rest = rate if scope == DiscountScope.ALL else Decimal(0)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        whole = listed.fee * billed_months(prices=listed, months=months)
        left = agreed.fee * billed_months(prices=agreed, months=months)
        found = [_both(_drop(whole, left), rate)] if listed.fee or agreed.fee else []
        fixed = {one.key: one for one in listed.fixed}
        drops = [_drop(fixed[one.key].amount, one.amount) for one in agreed.fixed if one.key in fixed]
        usage = {one.key: one for one in listed.usage}
        drops += [_usage_drop(usage[one.key], one) for one in agreed.usage if one.key in usage]
        found += [_both(one, of_rest) for one in drops]
        return money.round_half_up(max(found, default=Decimal(0)), 8)


def combined(*, first: Decimal, second: Decimal) -> Decimal:
    """Return the discount that two make one after the other: 10 % and then 20 % are 28 %. Unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return _both(first, second)


def drop(*, before: Decimal, after: Decimal) -> Decimal:
    """Return by which fraction a price is lower than before; 0 where it is not, or was nothing. Unrounded."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return _drop(before, after)


def _drop(before: Decimal, after: Decimal) -> Decimal:
    return max((before - after) / before, Decimal(0)) if before > 0 else Decimal(0)


def _both(first: Decimal, second: Decimal) -> Decimal:
    return 1 - (1 - first) * (1 - second)


def _usage_drop(listed: UsagePrices, agreed: UsagePrices) -> Decimal:
    found = _properties_drop(listed.model, listed.properties, agreed.model, agreed.properties)
    by_values = {_key(part): part for part in listed.filters}
    for part in agreed.filters:
        before = by_values.get(_key(part))
        base = listed.properties if before is None else before.properties
        found = max(found, _properties_drop(listed.model, base, agreed.model, part.properties))
    return found


def _key(part: FilterPrices) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((name, tuple(sorted(chosen))) for name, chosen in part.values.items()))


def _properties_drop(model: str, before: Mapping[str, Any], own_model: str, own: Mapping[str, Any]) -> Decimal:
    if before == own:
        return Decimal(0)
    try:
        first, second = properties.parse(model=model, raw=before), properties.parse(model=own_model, raw=own)
        rows = {one.units for one in (*samples.table(properties=first), *samples.table(properties=second))}
        pairs = [
            (samples.at(properties=first, units=units).amount, samples.at(properties=second, units=units).amount)
            for units in sorted(rows)
        ]
    except errors.DomainError:
        return Decimal(0)
    return max((_drop(one, other) for one, other in pairs), default=Decimal(0))

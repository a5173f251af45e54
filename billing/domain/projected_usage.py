"""Projected usage: what the usage of a running period comes to at its end, if it goes on as so far. Owns the rule.

Days are local, today counts in full, and the period is the time that is billed. Units grow with the days and are
rounded to two decimals; models that price units price the projected ones, of the others the amount grows. What lasts
over periods, or is a level held until the end, stays as it is. What is billed already stays billed.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.domain import pricing_units
from billing.domain.pricing_units import PricingUnit
from catalog.domain.pricing import models, properties, values
from catalog.domain.pricing.models import ChargeModel
from config.kernel import dates, money
from config.kernel.dates import Period

_PLACES = 2
_INSTANT = timedelta(microseconds=1)
_PRICE_UNITS = frozenset({ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME, ChargeModel.PACKAGE})


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How many days of a period have begun."""

    days: int
    of_days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= self.of_days:
            raise ValueError(f"{self.days} of {self.of_days} days have not begun.")

    def projected(self, figure: Decimal) -> Decimal:
        """Return what a figure grows to by the end, unrounded."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return figure * self.of_days / self.days


def elapsed(*, period: Period, at: datetime, timezone: ZoneInfo) -> Elapsed:
    """Return how many local days of a period have begun: at least the first one, at most all."""
    first = dates.local_date(period.start, timezone)
    of_days = dates.days_between(first, dates.local_date(period.end - _INSTANT, timezone)) + 1
    days = dates.days_between(first, dates.local_date(at, timezone)) + 1
    return Elapsed(min(max(days, 1), of_days), of_days)


def units(*, current: Decimal, elapsed: Elapsed) -> Decimal:
    """Return projected units, rounded half up to two decimals."""
    return money.round_half_up(elapsed.projected(current), _PLACES)


def amount(
    *,
    model: ChargeModel,
    raw: Mapping[str, object],
    projected_units: Decimal,
    current: Decimal,
    elapsed: Elapsed,
    pricing_unit: PricingUnit | None,
    currency: str,
    billed: Decimal | None = None,
) -> Decimal:
    """Return the projected amount in major units, rounded to the currency.

    `raw` are the properties of the price, `current` is its unrounded amount so far, in the pricing unit if there is
    one. `billed` is what is billed already, in major units, where that stays billed: the amount is never less. Raises
    InvalidProperties for properties that do not price.
    """
    if model in _PRICE_UNITS:
        terms = properties.parse(model=model, raw=raw)
        precise = models.price(properties=terms, usage=values.Usage(units=projected_units)).amount
    else:
        precise = elapsed.projected(current)
    if pricing_unit is not None:
        precise = pricing_units.in_money(amount=precise, conversion_rate=pricing_unit.conversion_rate)
    found = money.quantize(precise, currency=currency)
    return found if billed is None else max(found, billed)

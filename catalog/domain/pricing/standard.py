"""Standard price: every unit costs the same. Owns its formula and the properties it needs."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from catalog.domain.pricing import values


@dataclass(frozen=True, slots=True)
class Standard:
    """A price per unit, in major units."""

    amount: Decimal


def price(*, properties: Standard, usage: values.Usage) -> values.PriceResult:
    """Price units x amount, in major units, unrounded. The unit amount spreads it over units that are not prorated."""
    steps = (values.Step(values.StepKind.UNITS, quantity=usage.units, price=properties.amount),)
    amount = values.total(steps)
    return values.PriceResult(amount, values.average(amount, usage.counted_units), steps)

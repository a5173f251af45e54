"""Dynamic price: the events carry their own amounts. Owns its formula."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain.pricing import values


@dataclass(frozen=True, slots=True)
class Dynamic:
    """No terms: the sender prices each event."""


def price(*, properties: Dynamic, usage: values.Usage) -> values.PriceResult:
    """Return the amount that the events carried, in major units, unrounded; nothing is owed for zero units."""
    if not usage.units:
        return values.PriceResult(values.ZERO, values.ZERO)
    step = values.Step(values.StepKind.GIVEN, quantity=values.ONE, price=usage.given_amount)
    return values.PriceResult(step.total, values.average(step.total, usage.units), (step,))

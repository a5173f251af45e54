"""Graduated percentage: each unit of value costs the percentage of the range it falls into. Owns its formula."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain import decimals
from catalog.domain.pricing import tiers, values
from catalog.domain.pricing.tiers import Tier


@dataclass(frozen=True, slots=True)
class GraduatedPercentage:
    """Ranges whose price is a percentage (2.5 for 2.5 %), with a flat amount in major units."""

    ranges: tuple[Tier, ...]


def price(*, properties: GraduatedPercentage, usage: values.Usage) -> values.PriceResult:
    """Sum, over the ranges reached, units x rate / 100 + flat amount, in major units, unrounded.

    The flat amount of the first range is due for zero units too.
    """
    split = tiers.units_within(tiers=properties.ranges, level=usage.units)
    reached = tiers.holding(tiers=properties.ranges, level=usage.units)
    steps = tuple(
        values.Step(
            values.StepKind.TIER,
            quantity=split[position],
            price=tier.price,
            per=values.HUNDRED,
            flat=tier.flat,
            from_value=tier.from_value,
            to_value=tier.to_value,
        )
        for position, tier in enumerate(properties.ranges[: reached + 1])
    )
    amount = values.total(steps)
    details = {
        "graduated_percentage_ranges": [
            {
                "from_value": values.optional_text(step.from_value),
                "to_value": values.optional_text(step.to_value),
                "flat_unit_amount": decimals.text(step.flat),
                "rate": decimals.text(step.price),
                "units": decimals.text(step.quantity),
                "per_unit_total_amount": decimals.text(step.units_total),
                "total_with_flat_amount": decimals.text(step.total),
            }
            for step in steps
        ]
    }
    return values.PriceResult(amount, values.average(amount, usage.counted_units), steps, details)

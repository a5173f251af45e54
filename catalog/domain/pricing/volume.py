"""Volume price: all units cost what the range says that the whole quantity falls into. Owns its formula."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.domain import decimals
from catalog.domain.pricing import tiers, values
from catalog.domain.pricing.tiers import Tier


@dataclass(frozen=True, slots=True)
class Volume:
    """Ranges with a price per unit and a flat amount, in major units; one range prices everything."""

    ranges: tuple[Tier, ...]


def price(*, properties: Volume, usage: values.Usage) -> values.PriceResult:
    """Price units x price + flat amount of the one range, in major units, unrounded.

    Zero units owe the flat amount too. Units that are not prorated choose the range, prorated units are priced.
    """
    tier = properties.ranges[tiers.holding(tiers=properties.ranges, level=usage.counted_units)]
    step = values.Step(
        values.StepKind.TIER,
        quantity=usage.units,
        price=tier.price,
        flat=tier.flat,
        from_value=tier.from_value,
        to_value=tier.to_value,
    )
    details = {
        "flat_unit_amount": decimals.text(step.flat),
        "per_unit_amount": decimals.text(step.price),
        "per_unit_total_amount": decimals.text(step.units_total),
    }
    return values.PriceResult(step.total, values.average(step.total, usage.counted_units), (step,), details)

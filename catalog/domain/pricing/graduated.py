"""Graduated price: each unit costs what the range says it falls into. Owns its formula, also for prorated
quantities."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.domain import decimals
from catalog.domain.pricing import tiers, values
from catalog.domain.pricing.tiers import Tier
from config.kernel import money


@dataclass(frozen=True, slots=True)
class Graduated:
    """Ranges with a price per unit and a flat amount for using the range at all, in major units."""

    ranges: tuple[Tier, ...]


def price(*, properties: Graduated, usage: values.Usage) -> values.PriceResult:
    """Sum, over the ranges reached, units x price + flat amount, in major units, unrounded.

    The flat amount of the first range is due for zero units too. Changes of a prorated quantity (`movements`) are
    split at the ranges by the full quantity; the flat amounts are due for every range that the full quantity ever
    reached.
    """
    if usage.movements:
        return _price_movements(properties.ranges, usage)
    split = tiers.units_within(tiers=properties.ranges, level=usage.units)
    reached = tiers.holding(tiers=properties.ranges, level=usage.units)
    return _result(properties.ranges, split, reached, usage.counted_units)


def _price_movements(ranges: Sequence[Tier], usage: values.Usage) -> values.PriceResult:
    quantities = [values.ZERO for _ in ranges]
    level = highest = values.ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for movement in usage.movements:
            # Units that come for no day open no range; units that go make room in one, though they cost nothing.
            if not movement.units or (movement.units > 0 and not movement.prorated_units):
                continue
            before = tiers.units_within(tiers=ranges, level=level)
            level += movement.units
            after = tiers.units_within(tiers=ranges, level=level)
            highest = max(highest, level)
            for position, (low, high) in enumerate(zip(before, after, strict=True)):
                quantities[position] += (high - low) * movement.prorated_units / movement.units
    reached = tiers.holding(tiers=ranges, level=highest)
    result = _result(ranges, quantities, reached, usage.counted_units)
    return result if result.amount >= 0 else values.PriceResult(values.ZERO, values.ZERO)


def _result(ranges: Sequence[Tier], split: Sequence[Decimal], reached: int, units: Decimal) -> values.PriceResult:
    steps = tuple(
        values.Step(
            values.StepKind.TIER,
            quantity=split[position],
            price=tier.price,
            flat=tier.flat,
            from_value=tier.from_value,
            to_value=tier.to_value,
        )
        for position, tier in enumerate(ranges[: reached + 1])
    )
    amount = values.total(steps)
    details = {
        "graduated_ranges": [
            {
                "from_value": values.optional_text(step.from_value),
                "to_value": values.optional_text(step.to_value),
                "flat_unit_amount": decimals.text(step.flat),
                "per_unit_amount": decimals.text(step.price),
                "units": decimals.text(step.quantity),
                "per_unit_total_amount": decimals.text(step.units_total),
                "total_with_flat_amount": decimals.text(step.total),
            }
            for step in steps
        ]
    }
    return values.PriceResult(amount, values.average(amount, units), steps, details)

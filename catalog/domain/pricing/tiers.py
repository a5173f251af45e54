"""Ranges of units. Owns how units fall into them, for all models that have ranges.

Ranges come as the catalogue writes them: either with whole numbers that leave a gap of one (0-10, 11-20), where the
11th unit opens the second range, or adjacent (0-0.5, 0.5-1). Both mean the same: a range holds what lies above the
end of the one before, up to its own end. So 10.5 units put half a unit into 11-20.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.domain.pricing.values import ZERO
from config.kernel import money


@dataclass(frozen=True, slots=True)
class Tier:
    """A range: its bounds as the catalogue writes them (no end in the last one), price of a unit, flat amount.

    The price is an amount in major units, or a percentage where the model says so.
    """

    from_value: Decimal
    to_value: Decimal | None
    price: Decimal
    flat: Decimal


def units_within(*, tiers: Sequence[Tier], level: Decimal) -> list[Decimal]:
    """Split a number of units over the ranges, from the first one up. Units beyond a closed last range are left out."""
    split = []
    below = ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for tier in tiers:
            top = level if tier.to_value is None else min(level, tier.to_value)
            split.append(max(top - below, ZERO))
            below = below if tier.to_value is None else tier.to_value
    return split


def holding(*, tiers: Sequence[Tier], level: Decimal) -> int:
    """Return the position of the range that holds this number of units: the first whose end they do not exceed.

    Zero units are in the first range, and units beyond a closed last range in the last.
    """
    for position, tier in enumerate(tiers):
        if tier.to_value is None or level <= tier.to_value:
            return position
    return len(tiers) - 1

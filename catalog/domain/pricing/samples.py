"""A price at chosen numbers of units, for people who look at it: the rows of a price table and the points of a curve.

Owns the choice of the numbers and the scale of the curve; the amounts are the models' own, in major units, unrounded.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalog.domain.pricing import models, values
from catalog.domain.pricing.dynamic import Dynamic
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.graduated_percentage import GraduatedPercentage
from catalog.domain.pricing.models import Properties
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.volume import Volume
from config.kernel import money

ROUND = tuple(Decimal(number) for number in (0, 1, 10, 100, 1_000, 5_000, 10_000))
"""Numbers of units that are always looked at."""

MAX_ROWS = 40
MAX_BORDERS = 12
POINTS = 48
_BEYOND = Decimal("1.5")


@dataclass(frozen=True, slots=True)
class Sample:
    """What a number of units costs, and one of them on the average."""

    units: Decimal
    amount: Decimal
    average: Decimal


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of a curve in a square of one by one, from the left; the edges stand for ``right`` and ``top``."""

    points: tuple[tuple[Decimal, Decimal], ...]
    right: Decimal
    top: Decimal


def at(*, properties: Properties, units: Decimal) -> Sample:
    """Return what a number of units costs. A percentage is of one event that is worth as much.

    Raises what the model's price raises.
    """
    events = 1 if units > 0 else 0
    usage = values.Usage(units=units, events_count=events, values=(units,) if events else ())
    found = models.price(properties=properties, usage=usage)
    return Sample(units, found.amount, values.average(found.amount, units))


def table(*, properties: Properties) -> tuple[Sample, ...]:
    """Return the rows of a price table: none, one, both sides of each border of tiers or packages, some thousands.

    Of very many borders the first ones. A price that the events carry has no table.
    """
    if isinstance(properties, Dynamic):
        return ()
    found = set(ROUND)
    for border in borders(properties)[:MAX_BORDERS]:
        found |= {border, border + 1}
    return tuple(at(properties=properties, units=units) for units in sorted(found)[:MAX_ROWS])


def borders(properties: Properties) -> list[Decimal]:
    """Return the numbers of units at which a price changes its slope."""
    match properties:
        case Graduated() | Volume() | GraduatedPercentage():
            return [tier.to_value for tier in properties.ranges if tier.to_value is not None]
        case Package():
            return [properties.free_units + properties.package_size * number for number in range(3)]
        case Percentage():
            return [properties.free_value] if properties.free_value else []
        case _:
            return []


def _steps(properties: Properties) -> list[Decimal]:
    """Return the borders, and of packages so many that a curve has each of its steps."""
    if isinstance(properties, Package):
        return [properties.free_units + properties.package_size * number for number in range(MAX_BORDERS)]
    return borders(properties)


def reach(properties: Sequence[Properties]) -> Decimal:
    """Return up to how many units curves of these prices are worth looking at: past the last border of all."""
    found = max((border for one in properties for border in borders(one)), default=Decimal(0))
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return found * _BEYOND if found > 0 else Decimal(1_000)


def grid(right: Decimal, *, count: int = POINTS) -> tuple[Decimal, ...]:
    """Return evenly spaced whole numbers of units from none to the right edge; fractions where that is narrow."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        if right < count:
            return tuple(right * number / count for number in range(count + 1))
        return tuple((right * number / count).to_integral_value() for number in range(count + 1))


def curve(*, properties: Properties) -> Curve | None:
    """Return the curve of a price over units, with the borders among its points; none where events carry the price."""
    if isinstance(properties, Dynamic):
        return None
    right = reach([properties])
    inside = [border for border in _steps(properties)[:MAX_BORDERS] if border < right]
    places = sorted({*grid(right), *inside, *(border + 1 for border in inside if border + 1 < right)})
    found = [at(properties=properties, units=units) for units in places]
    top = max(one.amount for one in found)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        points = tuple((one.units / right, one.amount / top if top else Decimal(0)) for one in found)
    return Curve(points, right, top)

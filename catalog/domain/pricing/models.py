"""The charge models. Owns their names and which formula prices which properties; the formulas are in files of their
own."""

from __future__ import annotations

from enum import StrEnum

from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import (
    dynamic,
    graduated,
    graduated_percentage,
    package,
    percentage,
    standard,
    values,
    volume,
)
from catalog.domain.pricing.dynamic import Dynamic
from catalog.domain.pricing.graduated import Graduated
from catalog.domain.pricing.graduated_percentage import GraduatedPercentage
from catalog.domain.pricing.package import Package
from catalog.domain.pricing.percentage import Percentage
from catalog.domain.pricing.standard import Standard
from catalog.domain.pricing.volume import Volume


class ChargeModel(StrEnum):
    """How units become an amount."""

    STANDARD = "standard"
    GRADUATED = "graduated"
    PACKAGE = "package"
    VOLUME = "volume"
    PERCENTAGE = "percentage"
    GRADUATED_PERCENTAGE = "graduated_percentage"
    DYNAMIC = "dynamic"


Properties = Standard | Graduated | Package | Volume | Percentage | GraduatedPercentage | Dynamic


def can_price(*, model: ChargeModel, aggregation: Aggregation) -> bool:
    """Say whether a model makes sense for what a metric counts.

    Percentages are of what the events add up to, not of the last of them; a dynamic price goes with a sum.
    """
    match model:
        case ChargeModel.PERCENTAGE | ChargeModel.GRADUATED_PERCENTAGE:
            return aggregation is not Aggregation.LATEST
        case ChargeModel.DYNAMIC:
            return aggregation is Aggregation.SUM
        case _:
            return True


def price(*, properties: Properties, usage: values.Usage) -> values.PriceResult:
    """Price usage by the model whose properties these are. Amounts in major units, unrounded.

    Usage never earns money: fewer than no units, or an amount below nothing, cost nothing. Raises what the model's own
    `price` raises.
    """
    if usage.units < 0 or usage.counted_units < 0:
        return values.PriceResult(values.ZERO, values.ZERO)
    result = _price(properties, usage)
    return result if result.amount >= 0 else values.PriceResult(values.ZERO, values.ZERO)


def _price(properties: Properties, usage: values.Usage) -> values.PriceResult:
    match properties:
        case Standard():
            return standard.price(properties=properties, usage=usage)
        case Graduated():
            return graduated.price(properties=properties, usage=usage)
        case Package():
            return package.price(properties=properties, usage=usage)
        case Volume():
            return volume.price(properties=properties, usage=usage)
        case Percentage():
            return percentage.price(properties=properties, usage=usage)
        case GraduatedPercentage():
            return graduated_percentage.price(properties=properties, usage=usage)
        case Dynamic():
            return dynamic.price(properties=properties, usage=usage)

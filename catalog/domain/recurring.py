"""What stays over periods. Owns which metrics may carry their units into the next period, and which prices may count
the days that units are there."""

from __future__ import annotations

from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel

_LASTING = (Aggregation.SUM, Aggregation.UNIQUE_COUNT, Aggregation.WEIGHTED_SUM)
_PRORATED_MODELS = (ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME)


def can_recur(aggregation: Aggregation) -> bool:
    """Say whether what a metric counts can be carried over: a level can, a number of events of a period cannot."""
    return aggregation in _LASTING


def can_prorate(*, model: str, aggregation: Aggregation, is_recurring: bool, pay_in_advance: bool = False) -> bool:
    """Say whether a charge can count days: of what stays, and not of a weighted sum, which counts time.

    In advance only a price per unit can: each event is billed for its own days, whatever the tiers come to later.
    """
    if not is_recurring or aggregation is Aggregation.WEIGHTED_SUM:
        return False
    return model == ChargeModel.STANDARD if pay_in_advance else model in _PRORATED_MODELS

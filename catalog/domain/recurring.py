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


def can_prorate(*, model: str, aggregation: Aggregation, is_recurring: bool) -> bool:
    """Say whether a charge in arrears can count days: of what stays, and not of a weighted sum, which counts time."""
    return is_recurring and aggregation is not Aggregation.WEIGHTED_SUM and model in _PRORATED_MODELS

"""What a metric does with the events it reads. Owns the kinds of aggregation and their input; the figures are
billing's."""

from __future__ import annotations

from enum import StrEnum


class Aggregation(StrEnum):
    """How the events of a period become units."""

    COUNT = "count_agg"
    SUM = "sum_agg"
    MAX = "max_agg"
    UNIQUE_COUNT = "unique_count_agg"
    LATEST = "latest_agg"
    WEIGHTED_SUM = "weighted_sum_agg"


def reads_field(aggregation: Aggregation) -> bool:
    """Say whether the aggregation reads a property of the event: all but the count do."""
    return aggregation is not Aggregation.COUNT


def reads_number(aggregation: Aggregation) -> bool:
    """Say whether that property must be a decimal; other events are not counted. Unique values may be any text."""
    return aggregation in (Aggregation.SUM, Aggregation.MAX, Aggregation.LATEST, Aggregation.WEIGHTED_SUM)

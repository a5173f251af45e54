"""Names and sizes of intervals, and what metrics read."""

from __future__ import annotations

import pytest

from catalog.domain import intervals, metrics
from catalog.domain.intervals import Interval
from catalog.domain.metrics import Aggregation


@pytest.mark.parametrize(
    ("interval", "months", "per_year", "splits"),
    [
        (Interval.WEEKLY, None, 52, False),
        (Interval.MONTHLY, 1, 12, False),
        (Interval.QUARTERLY, 3, 4, False),
        (Interval.SEMIANNUAL, 6, 2, True),
        (Interval.YEARLY, 12, 1, True),
    ],
)
def test_sizes(interval: Interval, months: int | None, per_year: int, splits: bool) -> None:
    assert intervals.months(interval) == months
    assert intervals.yearly_factor(interval) == per_year
    assert intervals.can_split_monthly(interval) is splits


def test_what_aggregations_read() -> None:
    assert [kind for kind in Aggregation if not metrics.reads_field(kind)] == [Aggregation.COUNT]
    assert {kind for kind in Aggregation if metrics.reads_number(kind)} == {
        Aggregation.SUM,
        Aggregation.MAX,
        Aggregation.LATEST,
        Aggregation.WEIGHTED_SUM,
    }

"""What a charge model is given of counted usage."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import priced_usage
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties
from catalog.domain.pricing.models import Properties

D = Decimal
VALUES = (D(100), D(50), D(70), D(30))


def terms(**raw: Any) -> Properties:
    return properties.parse(model="percentage", raw={"rate": "1", **raw})


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ({}, ()),
        ({"fixed_amount": "1"}, ()),  # only the number of events matters
        ({"free_units_per_events": 2}, VALUES[:2]),
        ({"free_units_per_events": 9}, VALUES),
        ({"free_units_per_total_aggregation": "120"}, VALUES[:2]),  # 100, then 150: the second uses it up
        ({"free_units_per_total_aggregation": "150"}, VALUES[:3]),  # 150 is not more than 150
        ({"free_units_per_events": 1, "free_units_per_total_aggregation": "150"}, VALUES[:1]),
        ({"free_units_per_events": 1, "per_transaction_max_amount": "2"}, VALUES),
    ],
)
def test_values_are_kept_as_far_as_they_matter(raw: dict[str, Any], kept: tuple[Decimal, ...]) -> None:
    usage = priced_usage.usage(
        terms=terms(**raw), aggregation=Aggregation.SUM, units=D(250), events_count=4, found=VALUES
    )
    assert (usage.values, usage.events_count) == (kept, 4)


def test_where_a_metric_counts_each_event_is_one_unit() -> None:
    counted = priced_usage.usage(
        terms=terms(free_units_per_events=2), aggregation=Aggregation.COUNT, units=D(4), events_count=4
    )
    assert counted.values == (1, 1)
    unique = priced_usage.usage(
        terms=terms(per_transaction_min_amount="1"), aggregation=Aggregation.UNIQUE_COUNT, units=D(2), events_count=5
    )
    assert (unique.values, unique.events_count) == ((1, 1), 2)


def test_values_are_read_only_where_they_matter_and_are_not_one() -> None:
    assert priced_usage.reads_values(terms=terms(free_units_per_events=2), aggregation=Aggregation.SUM)
    assert not priced_usage.reads_values(terms=terms(), aggregation=Aggregation.SUM)
    assert not priced_usage.reads_values(terms=terms(free_units_per_events=2), aggregation=Aggregation.COUNT)
    flat = properties.parse(model="standard", raw={"amount": "1"})
    assert not priced_usage.reads_values(terms=flat, aggregation=Aggregation.SUM)

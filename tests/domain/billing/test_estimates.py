"""What one event alone would cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import estimates
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing import properties


@pytest.mark.parametrize(
    ("model", "raw", "units", "expected"),
    [
        ("standard", {"amount": "0.25"}, "10", "2.5"),
        ("percentage", {"rate": "2.99"}, "20", "0.598"),
        ("percentage", {"rate": "2.99", "per_transaction_min_amount": "5.5"}, "20", "5.5"),
        (
            "percentage",
            {
                "rate": "0",
                "fixed_amount": "2",
                "per_transaction_max_amount": "15",
                "per_transaction_min_amount": "0",
            },
            "100",
            "2",
        ),
        # An event of no value owes its minimum all the same.
        ("percentage", {"rate": "12", "fixed_amount": "2", "per_transaction_min_amount": "13"}, "0", "13"),
        ("percentage", {"rate": "10", "fixed_amount": "2", "per_transaction_max_amount": "7"}, "100", "7"),
        # What is free depends on the events before, so that an event alone pays in full.
        ("percentage", {"rate": "1", "free_units_per_events": 5}, "200", "2"),
    ],
)
def test_an_event_alone(model: str, raw: dict[str, Any], units: str, expected: str) -> None:
    terms = properties.parse(model=model, raw=raw)
    assert estimates.amount(terms=terms, units=Decimal(units)) == Decimal(expected)


def test_other_models_need_other_events() -> None:
    terms = properties.parse(model="package", raw={"amount": "1", "package_size": 10, "free_units": 0})
    with pytest.raises(estimates.NotInstant):
        estimates.amount(terms=terms, units=Decimal(1))


@pytest.mark.parametrize(
    ("kind", "text", "operation", "expected"),
    [
        (Aggregation.COUNT, None, None, "1"),
        (Aggregation.SUM, "12.5", None, "12.5"),
        (Aggregation.SUM, "-3", None, "0"),
        (Aggregation.SUM, None, None, None),  # an event without the property does not count
        (Aggregation.UNIQUE_COUNT, "ada", None, "1"),
        (Aggregation.UNIQUE_COUNT, "ada", "remove", "0"),
        (Aggregation.UNIQUE_COUNT, None, None, None),
    ],
)
def test_the_units_of_an_event(
    kind: Aggregation, text: str | None, operation: str | None, expected: str | None
) -> None:
    number = Decimal(text) if text is not None and kind is Aggregation.SUM else None
    found = estimates.units(kind=kind, number=number, text=text, operation=operation)
    assert found == (None if expected is None else Decimal(expected))

"""Rows of tables as events: columns, cells that are empty, and properties."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import event_rows


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"transaction_id": "a", "code": "", "timestamp": None}, {"transaction_id": "a", "properties": {}}),
        ({"bytes": "12", "properties.bytes.in": "1"}, {"properties": {"bytes": "12", "bytes.in": "1"}}),
        ({"properties": '{"n": 1.10, "b": 1}'}, {"properties": {"n": 1.1, "b": 1}}),
        ({"properties": '{"n": 1}', "n": "2", "m": "3"}, {"properties": {"n": "2", "m": "3"}}),
        ({"properties": {"n": 1}, "m": 3}, {"properties": {"n": 1, "m": 3}}),
        ({"properties": {"n": Decimal("1.10")}}, {"properties": {"n": "1.10"}}),
        ({"properties": '{"n":\n1}'}, {"properties": {"n": 1}}),
        ({"properties": "nonsense"}, {"properties": "nonsense"}),
        ({"properties": "[1]", "n": "2"}, {"properties": [1]}),
        ({"timestamp": datetime(2026, 5, 4, tzinfo=UTC)}, {"timestamp": "2026-05-04T00:00:00Z", "properties": {}}),
        ({"timestamp": datetime(2026, 5, 4)}, {"timestamp": "2026-05-04T00:00:00", "properties": {}}),  # noqa: DTZ001
        ({"precise_total_amount_cents": Decimal("0.10")}, {"precise_total_amount_cents": "0.10", "properties": {}}),
    ],
)
def test_rows(row: dict[str, Any], expected: dict[str, Any]) -> None:
    raw = event_rows.raw(row)
    assert json.loads(raw) == expected
    assert b"\n" not in raw


def test_columns_that_are_mandatory() -> None:
    assert event_rows.missing(["code", "timestamp", "bytes"]) == ["transaction_id", "external_subscription_id"]
    assert event_rows.missing(["timestamp", "code", "external_subscription_id", "transaction_id"]) == []

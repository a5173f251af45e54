"""Makers of usage events, and what keeps them apart where a test commits."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.db import connection

from billing.domain.usage_events import EventIn
from billing.services import usage

RECEIVED_AT = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)

_numbers = itertools.count(1)


def make_event(moment: str = "2026-05-04T12:00:00", **values: Any) -> EventIn:
    """Return an event of subscription "sub" and code "requests" at a moment in UTC; ``properties`` is a mapping."""
    properties: Mapping[str, Any] = values.pop("properties", {})
    given = {
        "transaction_id": f"event-{next(_numbers):06}",
        "external_subscription_id": "sub",
        "code": "requests",
        "timestamp": datetime.fromisoformat(moment).replace(tzinfo=UTC),
        "properties": msgspec.Raw(json.dumps(properties).encode()),
    }
    return EventIn(**{**given, **values})


def store(*events: EventIn) -> None:
    """Store events."""
    usage.ingest(events=events, received_at=RECEIVED_AT)


def stored() -> int:
    """Count the events that are stored, and check that each has its key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM billing_usage_event), (SELECT count(*) FROM billing_event_key)")
        events, keys = cursor.fetchone()
    assert events == keys, f"{events} events and {keys} keys"
    return events


def clear() -> None:
    """Delete all events, which tests that commit must do themselves: no model manages these tables.

    Rows are deleted, because emptying the table would lock it against the making of a partition.
    """
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM billing_usage_event")
        cursor.execute("DELETE FROM billing_event_key")

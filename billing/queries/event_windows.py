"""Windows on usage: which events a charge counts over which time, and the SQL that finds them for many windows at once.

Owns the window and the parts of statements that all aggregations share; what is computed of the events is theirs.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from billing.queries import event_values
from billing.queries.price_lists import PricedCharge
from catalog.domain import filters
from catalog.domain.filters import Filter, Id
from catalog.domain.metrics import Aggregation
from config.kernel.dates import Period


@dataclass(frozen=True)
class Window:
    """The events of one subscription and code in ``[from_at, to_at)``, and how they are aggregated.

    ``id`` is whatever the caller knows the window by; ``filters`` are oldest first and share out the events among them.
    """

    id: Hashable
    aggregation: Aggregation
    external_subscription_id: str
    event_code: str
    field_name: str
    from_at: datetime
    to_at: datetime
    filters: tuple[Filter, ...] = ()

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The properties that decide about the filter."""
        return filters.names(self.filters)

    def filter_of(self, values: Sequence[str | None]) -> Id | None:
        """Return the filter of the events that have these values of ``keys``."""
        return filters.assign(filters=self.filters, properties=dict(zip(self.keys, values, strict=False)))


def of_charge(
    *,
    id: Hashable,  # noqa: A002 - the name of the field
    charge: PricedCharge,
    external_subscription_id: str,
    period: Period,
) -> Window:
    """Return the window that a charge of a subscription looks through; its filters are known by their keys."""
    metric = charge.metric
    return Window(
        id=id,
        aggregation=metric.aggregation,
        external_subscription_id=external_subscription_id,
        event_code=metric.event_code,
        field_name=metric.field_name,
        from_at=period.start,
        to_at=period.end,
        filters=tuple(
            filters.resolve(filter_id=row.id, values=row.values, declared=metric.declared) for row in charge.filters
        ),
    )


def fetch(sql: str, windows: Mapping[int, Window], **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a statement over numbered windows and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            {
                "windows": json.dumps([_row(number, window) for number, window in windows.items()]),
                # Known to the planner in advance, so that it leaves out the partitions of all other months.
                "first": min(window.from_at for window in windows.values()),
                "end": max(window.to_at for window in windows.values()),
                **parameters,
            },
        )
        return cursor.fetchall()


def wanted(*, keys: int = 0) -> str:
    """Return the common table ``wanted``: a row for each window, with a digest of the name of the property it reads.

    ``keys`` is the highest number of properties that decide about filters; ``k1`` is the first of them and ``v1`` the
    values that count.
    """
    more = "".join(f", k{number} text, v{number} jsonb" for number in range(1, keys + 1))
    return f"""
    wanted AS MATERIALIZED (
        SELECT *, {event_values.source("field")} AS source
        FROM jsonb_to_recordset(%(windows)s::jsonb) AS w (
            n int, s text COLLATE "C", c text COLLATE "C", f timestamptz, t timestamptz, field text{more}
        )
    )"""


EVENTS = """billing_usage_event AS e
    WHERE e.external_subscription_id = w.s AND e.code = w.c AND e."timestamp" >= w.f AND e."timestamp" < w.t
        AND e."timestamp" >= %(first)s AND e."timestamp" < %(end)s"""
"""The events ``e`` of a window ``w``, after FROM."""

VALUE = f"""CASE WHEN e.value_source = w.source THEN e.value
    ELSE {event_values.number(properties="e.properties", field_name="w.field")} END"""
"""The number that a window reads in an event: the one taken out of it, if it is that property's. Needs the row."""


def bucket(keys: int) -> str:
    """Return the SQL of the values that decide about the filter of an event: null where it is none that counts."""
    texts = [f"e.properties ->> w.k{number}" for number in range(1, keys + 1)]
    cases = [f"CASE WHEN jsonb_exists(w.v{number}, {text}) THEN {text} END" for number, text in enumerate(texts, 1)]
    return f"jsonb_build_array({', '.join(cases)})"


def _row(number: int, window: Window) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": number,
        "s": window.external_subscription_id,
        "c": window.event_code,
        "f": window.from_at.isoformat(),
        "t": window.to_at.isoformat(),
        "field": window.field_name,
    }
    for place, key in enumerate(window.keys, start=1):
        row[f"k{place}"] = key
        row[f"v{place}"] = sorted({value for one in window.filters for value in one.values.get(key, ())})
    return row

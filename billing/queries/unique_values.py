"""Unique counts of usage: how many different values a property has. Owns its statements.

A value counts while its last operation is not ``"operation_type": "remove"``. Which filter an event belongs to is
decided before values are counted, so that a value that several combinations of properties share counts once in a
filter.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from billing.domain import aggregation
from billing.domain.contract import UsageFacts
from billing.queries import event_windows
from billing.queries.event_windows import EVENTS, Window
from catalog.domain.filters import Id

Buckets = dict[tuple[int, int], Id | None]
"""The filter behind a number of window and bucket."""


def read(windows: dict[int, Window]) -> dict[int, list[UsageFacts]]:
    """Return the unique counts in numbered windows, which either all have filters or none has.

    One statement, one more with filters, and one more for the windows in which values were removed.
    """
    keys = max(len(window.keys) for window in windows.values())
    places, mapping = _places(windows, keys) if keys else ({(number, 0): None for number in windows}, [])
    parameters = {"places": json.dumps(mapping)} if keys else {}
    rows = event_windows.fetch(_count(keys), windows, **parameters)
    removed = {number: windows[number] for number, _, _, _, _, has_removed in rows if has_removed}
    left: dict[tuple[int, int], int] = {}
    if removed:
        left = {
            (number, place): count for number, place, count in event_windows.fetch(_left(keys), removed, **parameters)
        }
    found: dict[int, list[UsageFacts]] = defaultdict(list)
    for number, place, events, count, digest, has_removed in rows:
        units = left.get((number, place), 0) if has_removed else count
        facts = aggregation.Unique(events_count=int(events), count=units)
        found[number].append(UsageFacts(facts, filter_id=places[number, place], digest=int(digest)))
    return found


def _places(windows: dict[int, Window], keys: int) -> tuple[Buckets, list[dict[str, Any]]]:
    """Return the filter of each bucket, and for the database which values of the deciding properties it has."""
    buckets: Buckets = {}
    numbers: dict[int, dict[Id | None, int]] = defaultdict(dict)
    mapping = []
    for number, values in event_windows.fetch(_combinations(keys), windows):
        combination = json.loads(values)
        filter_id = windows[number].filter_of(combination)
        place = numbers[number].setdefault(filter_id, len(numbers[number]))
        buckets[number, place] = filter_id
        mapping.append({"n": number, "place": place, "combination": combination})
    return buckets, mapping


def _combinations(keys: int) -> str:
    return f"""
    WITH {event_windows.wanted(keys=keys)}
    SELECT w.n, x.combination::text
    FROM wanted AS w
    CROSS JOIN LATERAL (SELECT DISTINCT {event_windows.bucket(keys)} AS combination FROM {EVENTS}) AS x"""


def _events(keys: int) -> str:
    """The events that count, with the number of their bucket."""
    properties = """e.properties ->> w.field AS value, e.properties ->> 'operation_type' AS operation, e.fingerprint,
                e."timestamp", e.transaction_id"""
    if not keys:
        return f"SELECT 0 AS place, {properties} FROM {EVENTS} AND e.properties ->> w.field IS NOT NULL"
    return f"""SELECT p.place, e.* FROM (
                SELECT {event_windows.bucket(keys)} AS combination, {properties}
                FROM {EVENTS} AND e.properties ->> w.field IS NOT NULL
            ) AS e
            JOIN places AS p ON p.n = w.n AND p.combination = e.combination"""


def _with(keys: int) -> str:
    places = """, places AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%(places)s::jsonb) AS p (n int, place int, combination jsonb)
    )"""
    return f"WITH {event_windows.wanted(keys=keys)}{places if keys else ''}"


def _count(keys: int) -> str:
    """Count values, and say whether any was removed."""
    return f"""
    {_with(keys)}
    SELECT w.n, x.place, x.events, x.count, x.digest, x.removed
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT place, sum(events) AS events, count(*) AS count, sum(digest) AS digest, bool_or(removed) AS removed
        FROM (
            SELECT place, value, count(*) AS events, sum(fingerprint) AS digest,
                coalesce(bool_or(operation = 'remove'), FALSE) AS removed
            FROM ({_events(keys)}) AS events
            GROUP BY place, value
        ) AS of_value
        GROUP BY place
    ) AS x"""


def _left(keys: int) -> str:
    """Count values whose last operation did not remove them."""
    return f"""
    {_with(keys)}
    SELECT w.n, x.place, x.count
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT place, count(*) FILTER (WHERE operation IS DISTINCT FROM 'remove') AS count
        FROM (
            SELECT DISTINCT ON (place, value) place, value, operation
            FROM ({_events(keys)}) AS events
            ORDER BY place, value, "timestamp" DESC, transaction_id DESC
        ) AS last_operations
        GROUP BY place
    ) AS x"""

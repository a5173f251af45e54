"""Unique counts of usage: how many different values a property has. Owns its statements.

A value counts while its last operation is not ``"operation_type": "remove"``. Which price an event falls to is decided
before values are counted, so that a value that several combinations of properties share counts once in a filter.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict

from billing.domain import aggregation
from billing.domain.contract import UsageFacts
from billing.queries import event_places, event_windows
from billing.queries.event_places import Places
from billing.queries.event_windows import Window


def read(windows: dict[int, Window]) -> dict[int, list[UsageFacts]]:
    """Return the unique counts in numbered windows, which either all have deciding properties or none has.

    One statement, one more with such properties, and one more for the windows in which values were removed.
    """
    places = event_places.read(windows)
    rows = event_windows.fetch(_count(places), windows, **places.parameters)
    removed = {number: windows[number] for number, _, _, _, _, has_removed in rows if has_removed}
    left: dict[tuple[int, int], int] = {}
    if removed:
        left = {
            (number, place): count
            for number, place, count in event_windows.fetch(_left(places), removed, **places.parameters)
        }
    found: dict[int, list[UsageFacts]] = defaultdict(list)
    for number, place, events, count, digest, has_removed in rows:
        units = left.get((number, place), 0) if has_removed else count
        facts = aggregation.Unique(events_count=int(events), count=units)
        found[number].append(places.usage(number, place, facts=facts, digest=int(digest)))
    return found


def events(places: Places) -> str:
    """Return the statement of the operations on values, with their place."""
    columns = """e.properties ->> w.field AS value, e.properties ->> 'operation_type' AS operation, e.fingerprint,
                e."timestamp", e.transaction_id"""
    return places.events(columns=columns, condition="e.properties ->> w.field IS NOT NULL")


def _count(places: Places) -> str:
    """Count values, and say whether any was removed."""
    return f"""
    WITH {places.tables}
    SELECT w.n, x.place, x.events, x.count, x.digest, x.removed
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT place, sum(events) AS events, count(*) AS count, sum(digest) AS digest, bool_or(removed) AS removed
        FROM (
            SELECT place, value, count(*) AS events, sum(fingerprint) AS digest,
                coalesce(bool_or(operation = 'remove'), FALSE) AS removed
            FROM ({events(places)}) AS events
            GROUP BY place, value
        ) AS of_value
        GROUP BY place
    ) AS x"""


def _left(places: Places) -> str:
    """Count values whose last operation did not remove them."""
    return f"""
    WITH {places.tables}
    SELECT w.n, x.place, x.count
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT place, count(*) FILTER (WHERE operation IS DISTINCT FROM 'remove') AS count
        FROM (
            SELECT DISTINCT ON (place, value) place, value, operation
            FROM ({events(places)}) AS events
            ORDER BY place, value, "timestamp" DESC, transaction_id DESC
        ) AS last_operations
        GROUP BY place
    ) AS x"""

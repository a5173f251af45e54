"""The latest value of usage: the number in the last event of a window. Owns its statements.

Between events of one instant the higher transaction id wins, so that the order in which they came in does not matter.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from billing.queries import event_windows
from billing.queries.event_windows import EVENTS

_NEWEST_FIRST = '"timestamp" DESC, transaction_id DESC'


def statement(*, keys: int, from_properties: bool) -> str:
    """Return the statement: as other aggregations do, and the instant and transaction id of the event that counts."""
    return _by_bucket(keys) if keys else _of_all(from_properties=from_properties)


def _of_all(*, from_properties: bool) -> str:
    """Two looks at the index: all events for their number and digest, the newest one for its value."""
    value, strange = "e.value", "e.value_source IS DISTINCT FROM w.source"
    if from_properties:
        value, strange = event_windows.VALUE, "FALSE"
    return f"""
    WITH {event_windows.wanted()}
    SELECT w.n, NULL, x.events, l.value, x.digest, x.strange, l."timestamp", l.transaction_id
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT count(value) AS events, sum(fingerprint) FILTER (WHERE value IS NOT NULL) AS digest,
            count(*) FILTER (WHERE strange) AS strange
        FROM (SELECT {value} AS value, e.fingerprint, {strange} AS strange FROM {EVENTS}) AS events
    ) AS x
    LEFT JOIN LATERAL (
        SELECT {value} AS value, e."timestamp", e.transaction_id FROM {EVENTS} AND {value} IS NOT NULL
        ORDER BY e."timestamp" DESC, e.transaction_id DESC LIMIT 1
    ) AS l ON TRUE"""


def _by_bucket(keys: int) -> str:
    return f"""
    WITH {event_windows.wanted(keys=keys)}
    SELECT w.n, x.bucket::text, x.events, x.value, x.digest, 0, x."timestamp", x.transaction_id
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT *, count(*) OVER of_bucket AS events, sum(fingerprint) OVER of_bucket AS digest,
            row_number() OVER (of_bucket ORDER BY {_NEWEST_FIRST}) AS place
        FROM (
            SELECT {event_windows.bucket(keys)} AS bucket, {event_windows.VALUE} AS value, e.fingerprint, e."timestamp",
                e.transaction_id
            FROM {EVENTS}
        ) AS events
        WHERE value IS NOT NULL
        WINDOW of_bucket AS (PARTITION BY bucket)
    ) AS x
    WHERE x.place = 1"""

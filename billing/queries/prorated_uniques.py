"""Prorated unique counts of usage: for how many days each value was there. Owns its statement.

The rules of a stay are `billing.domain.prorated_usage.stays`; the database applies them to all values at once. Then it
puts together changes that follow each other and count for the same days, so that few rows come back.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.domain.prorated_usage import Held, Prorated
from billing.queries import event_places, event_windows, held_times, unique_values
from billing.queries.event_places import Places
from billing.queries.event_windows import Window
from catalog.domain.metrics import Aggregation


def read(windows: Mapping[int, Window], times: Mapping[int, HeldTime]) -> dict[int, list[UsageFacts]]:
    """Return the prorated unique counts in numbered windows, which either all have deciding properties or none has."""
    places = event_places.read(windows)
    parameters = {**places.parameters, "held": held_times.rows(times)}
    held: dict[tuple[int, int], list[Held]] = defaultdict(list)
    for number, place, units, days in event_windows.fetch(_changes(places), windows, **parameters):
        held[number, place].append(Held(Decimal(units), days))
    found: dict[int, list[UsageFacts]] = defaultdict(list)
    for number, place, events, digest in event_windows.fetch(_events(places), windows, **places.parameters):
        changes = tuple(held[number, place])
        facts = Prorated(
            kind=Aggregation.UNIQUE_COUNT,
            events_count=int(events),
            full_units=sum((change.units for change in changes), Decimal(0)),
            held=changes,
            of_days=times[number].natural.days,
        )
        found[number].append(places.usage(number, place, facts=facts, digest=int(digest)))
    return found


def _events(places: Places) -> str:
    return f"""
    WITH {places.tables}
    SELECT w.n, x.place, x.events, x.digest
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT place, count(*) AS events, sum(fingerprint) AS digest
        FROM ({unique_values.events(places)}) AS events
        GROUP BY place
    ) AS x"""


def _changes(places: Places) -> str:
    """Each stay in the time billed is one unit more when it starts, and one less when it ends in that time.

    ``operations`` are without repetitions, ``kept`` without a return on the day of the removal, ``stays`` are the first
    and the last instant of each.
    """
    return f"""
    WITH {places.tables}, {held_times.TABLE}, operations AS (
        SELECT w.n, x.place, x.value, x."timestamp", x.transaction_id, x.is_removal,
            (x."timestamp" AT TIME ZONE h.zone)::date AS day
        FROM wanted AS w
        JOIN held AS h ON h.n = w.n
        CROSS JOIN LATERAL (
            SELECT *, lag(is_removal, 1, TRUE) OVER of_value AS was_removed
            FROM (
                SELECT *, coalesce(operation = 'remove', FALSE) AS is_removal
                FROM ({unique_values.events(places)}) AS events
            ) AS events
            WINDOW of_value AS (PARTITION BY place, value ORDER BY "timestamp", transaction_id)
        ) AS x
        WHERE is_removal <> was_removed
    ), kept AS (
        SELECT * FROM (
            SELECT *, lag(day) OVER of_value AS day_before, lead(day) OVER of_value AS day_after
            FROM operations
            WINDOW of_value AS (PARTITION BY n, place, value ORDER BY "timestamp", transaction_id)
        ) AS operations
        WHERE CASE WHEN is_removal THEN day_after ELSE day_before END IS DISTINCT FROM day
    ), stays AS (
        SELECT * FROM (
            SELECT *, lead("timestamp") OVER of_value AS removed_at, lead(day) OVER of_value AS removed_on,
                lead(transaction_id) OVER of_value AS removed_by
            FROM kept
            WINDOW of_value AS (PARTITION BY n, place, value ORDER BY "timestamp", transaction_id)
        ) AS kept
        WHERE NOT is_removal
    ), billed AS (
        SELECT s.*, least(coalesce(removed_on, e.last_day), e.last_day) - greatest(day, h.first_day) + 1 AS days
        FROM stays AS s
        JOIN held AS h ON h.n = s.n
        CROSS JOIN LATERAL (
            SELECT CASE WHEN s."timestamp" < h.start_at THEN h.carried_last_day ELSE h.last_day END AS last_day
        ) AS e
        WHERE removed_at IS NULL OR removed_at >= h.start_at
    ), changes AS (
        SELECT n, place, 1 AS units, greatest(days, 0) AS days, "timestamp", transaction_id FROM billed
        UNION ALL
        SELECT n, place, -1, 0, removed_at, removed_by FROM billed WHERE removed_at IS NOT NULL
    ), ordered AS (
        SELECT *, row_number() OVER (PARTITION BY n, place ORDER BY "timestamp", transaction_id) AS position
        FROM changes
    ), runs AS (
        SELECT *, position - row_number() OVER (PARTITION BY n, place, units, days ORDER BY position) AS run
        FROM ordered
    )
    SELECT n, place, sum(units), days
    FROM runs
    GROUP BY n, place, units, days, run
    ORDER BY n, place, min(position)"""

"""Prorated sums of usage: what a running total changed by on each local day. Owns its statement.

A row for each day is enough, because all of a day's changes count for the same days. The peak of the total during the
day is read too: a range of prices that was reached stays reached.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal

from billing.domain import prorated_usage
from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.domain.prorated_usage import DaysChange, Prorated
from billing.queries import event_places, event_windows, held_times
from billing.queries.event_places import Places
from billing.queries.event_windows import VALUE, Window
from catalog.domain.metrics import Aggregation
from config.kernel import money


def read(windows: Mapping[int, Window], times: Mapping[int, HeldTime]) -> dict[int, list[UsageFacts]]:
    """Return the prorated sums in numbered windows, which either all have deciding properties or none has."""
    places = event_places.read(windows)
    changes: dict[tuple[int, int], list[DaysChange]] = defaultdict(list)
    events: dict[tuple[int, int], int] = defaultdict(int)
    digests: dict[tuple[int, int], int] = defaultdict(int)
    rows = event_windows.fetch(_statement(places), windows, **places.parameters, held=held_times.rows(times))
    for number, place, day, count, units, peak, digest in rows:
        changes[number, place].append(DaysChange(day, units, peak))
        events[number, place] += count
        digests[number, place] += int(digest)
    found: dict[int, list[UsageFacts]] = defaultdict(list)
    for (number, place), of_place in changes.items():
        time = times[number]
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            full_units = sum((change.units for change in of_place), Decimal(0))
        facts = Prorated(
            kind=Aggregation.SUM,
            events_count=events[number, place],
            full_units=full_units,
            held=tuple(
                prorated_usage.of_sum(
                    changes=of_place,
                    first_day=time.first_day,
                    last_day=time.last_day,
                    carried_last_day=time.carried_last_day,
                )
            ),
            of_days=time.natural.days,
        )
        found[number].append(places.usage(number, place, facts=facts, digest=digests[number, place]))
    return found


def _statement(places: Places) -> str:
    day = f"""CASE WHEN e."timestamp" >= h.start_at THEN {held_times.LOCAL_DAY} END"""
    columns = f'{VALUE} AS value, e.fingerprint, e."timestamp", e.transaction_id, {day} AS day'
    return f"""
    WITH {places.tables}, {held_times.TABLE}
    SELECT w.n, x.place, x.day, x.events, x.units, x.peak, x.digest
    FROM wanted AS w
    JOIN held AS h ON h.n = w.n
    CROSS JOIN LATERAL (
        SELECT place, day, count(*) AS events, sum(value) AS units, sum(fingerprint) AS digest,
            CASE WHEN day IS NULL THEN sum(value) ELSE max(running) END AS peak
        FROM (
            SELECT *, sum(value) OVER (PARTITION BY place, day ORDER BY "timestamp", transaction_id) AS running
            FROM ({places.events(columns=columns, condition="TRUE")}) AS events
            WHERE value IS NOT NULL
        ) AS events
        GROUP BY place, day
    ) AS x
    ORDER BY w.n, x.place, x.day NULLS FIRST"""

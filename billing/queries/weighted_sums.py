"""Weighted sums of usage: levels times the seconds that they are held. Owns its statement.

What an event adds to the level counts until the end of the time billed, whatever comes later, so that one pass over the
events is enough. Carried events count from the start of that time.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.domain.weighted_sum import Weighted
from billing.queries import event_places, event_windows, held_times
from billing.queries.event_places import Places
from billing.queries.event_windows import VALUE, Window


def read(windows: Mapping[int, Window], times: Mapping[int, HeldTime]) -> dict[int, list[UsageFacts]]:
    """Return the weighted sums in numbered windows, which either all have deciding properties or none has."""
    places = event_places.read(windows)
    found: dict[int, list[UsageFacts]] = defaultdict(list)
    rows = event_windows.fetch(_statement(places), windows, **places.parameters, held=held_times.rows(times))
    for number, place, events, area, level, digest in rows:
        facts = Weighted(events_count=events, area=area, level=level, seconds=times[number].seconds)
        found[number].append(places.usage(number, place, facts=facts, digest=int(digest)))
    return found


def _statement(places: Places) -> str:
    seconds = 'greatest(extract(epoch FROM h.end_at - greatest(e."timestamp", h.start_at)), 0)'
    columns = f"{VALUE} AS value, e.fingerprint, {seconds} AS seconds"
    return f"""
    WITH {places.tables}, {held_times.TABLE}
    SELECT w.n, x.place, x.events, x.area, x.level, x.digest
    FROM wanted AS w
    JOIN held AS h ON h.n = w.n
    CROSS JOIN LATERAL (
        SELECT place, count(*) AS events, sum(value * seconds) AS area, sum(value) AS level, sum(fingerprint) AS digest
        FROM ({places.events(columns=columns, condition="TRUE")}) AS events
        WHERE value IS NOT NULL
        GROUP BY place
    ) AS x"""

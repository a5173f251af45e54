"""The values of single events, in their order: what prices with free or limited transactions read beside the sums.

Owns its statement. Only windows that ask for values are read, and no more of them than can matter.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from billing.domain.contract import UsageFacts
from billing.queries import event_windows
from billing.queries.event_windows import EVENTS, VALUE, Window


def add(*, windows: Mapping[int, Window], usage: dict[Hashable, list[UsageFacts]]) -> None:
    """Put the events' values into the usage of the windows that want them, with one statement for all of them.

    Values are in the order of time; between events of one instant the lower transaction id comes first, so that the
    order in which they came in does not matter. Events that do not count are left out.
    """
    wanted = {number: window for number, window in windows.items() if window.values_limit != 0}
    if not wanted:
        return
    places: dict[tuple[int, str | None], Any] = {}
    found: dict[Any, list[Decimal]] = defaultdict(list)
    keys = max(len(window.keys) for window in wanted.values())
    for number, bucket, value in event_windows.fetch(_statement(keys), wanted):
        if (number, bucket) not in places:
            filter_id, group = event_windows.place(wanted[number], bucket)
            places[number, bucket] = number, filter_id, tuple(group.items())
        found[places[number, bucket]].append(value)
    for number, window in wanted.items():
        usage[window.id] = [
            replace(part, values=tuple(found[number, part.filter_id, tuple(part.group.items())]))
            for part in usage[window.id]
        ]


def _statement(keys: int) -> str:
    return f"""
    WITH {event_windows.wanted(keys=keys)}
    SELECT w.n, x.bucket::text, x.value
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT *, row_number() OVER (PARTITION BY bucket ORDER BY "timestamp", transaction_id) AS place
        FROM (
            SELECT {event_windows.bucket(keys)} AS bucket, {VALUE} AS value, e."timestamp", e.transaction_id
            FROM {EVENTS}
        ) AS events
        WHERE value IS NOT NULL
    ) AS x
    WHERE w.few IS NULL OR x.place <= w.few
    ORDER BY w.n, x."timestamp", x.transaction_id"""

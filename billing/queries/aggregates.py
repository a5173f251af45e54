"""What events add up to. Owns reading the facts of usage for any number of windows, set-based: one statement for each
kind of aggregation, whatever the number of subscriptions.

Counts, sums and maxima without filters are answered by the covering index alone. The index has the number that was
taken out of the event when it came in, and of which property; where that is not the property asked for (the metric is
younger than the event, or several metrics read the same events) the window is read again from the properties.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from billing.domain import aggregation
from billing.domain.contract import UsageFacts
from billing.queries import (
    breakdowns,
    event_windows,
    given_amounts,
    held_usage,
    latest_values,
    transaction_values,
    unique_values,
)
from billing.queries.event_windows import EVENTS, Window
from catalog.domain.metrics import Aggregation

_SIMPLE = {
    Aggregation.COUNT: "NULL::numeric",
    Aggregation.SUM: "sum(value)",
    Aggregation.MAX: "max(value)",
}


class Part(NamedTuple):
    """A row that the database aggregated: ``bucket`` is JSON text, ``strange`` counts events of another property."""

    number: int
    bucket: str | None
    events_count: int
    value: Decimal | None
    digest: Decimal | None
    strange: int
    at: datetime | None = None
    order: str = ""


def usage(*, windows: Sequence[Window]) -> dict[Hashable, list[UsageFacts]]:
    """Return the usage in each window by the window's id: one part for each filter, and one for what no filter takes,
    or for each group in them.

    Windows are half-open to the microsecond, filters without usage may be missing, and the same events give the same
    facts in whatever order they came in. Sums, maxima and latest values leave out events whose property is absent or no
    plain decimal, unique counts those that lack it. ``digest`` is the sum of the fingerprints of the events that count.
    What is to be broken down is, in the same statements.
    """
    numbered = dict(enumerate([*windows, *breakdowns.windows(windows)]))
    found: dict[Hashable, list[UsageFacts]] = {window.id: [] for window in numbered.values()}
    groups: dict[tuple[Aggregation, bool, bool], dict[int, Window]] = defaultdict(dict)
    for number, window in numbered.items():
        if window.held is None:
            groups[window.aggregation, bool(window.keys), window.is_recurring][number] = window
    for (kind, _, _), some in groups.items():
        for number, facts in _read(kind, some).items():
            found[numbered[number].id].extend(facts)
    for number, facts in held_usage.read(numbered).items():
        found[numbered[number].id].extend(facts)
    transaction_values.add(windows=numbered, usage=found)
    given_amounts.add(windows=numbered, usage=found)
    breakdowns.add(windows=windows, usage=found)
    return found


def _read(kind: Aggregation, windows: dict[int, Window]) -> dict[int, list[UsageFacts]]:
    if kind is Aggregation.UNIQUE_COUNT:
        return unique_values.read(windows)
    keys = max(len(window.keys) for window in windows.values())
    parts = _parts(kind, windows, keys=keys, from_properties=keys > 0)
    strange = {part.number for part in parts if part.strange}
    if strange:
        again = _parts(kind, {number: windows[number] for number in strange}, keys=keys, from_properties=True)
        parts = [part for part in parts if part.number not in strange] + again
    return _facts(kind, windows, parts)


def _facts(kind: Aggregation, windows: dict[int, Window], parts: Sequence[Part]) -> dict[int, list[UsageFacts]]:
    found: dict[int, dict[Any, UsageFacts]] = defaultdict(dict)
    for part in parts:
        if not part.events_count:
            continue  # events without a value that counts open no group, in which a flat amount would be due
        filter_id, group = event_windows.place(windows[part.number], part.bucket)
        facts = aggregation.of(
            kind=kind, events_count=part.events_count, value=part.value, at=part.at, order=part.order or ""
        )
        one = UsageFacts(facts, filter_id=filter_id, group=group, digest=int(part.digest or 0))
        buckets = found[part.number]
        buckets[one.key] = buckets[one.key].merged(one) if one.key in buckets else one
    return {number: list(buckets.values()) for number, buckets in found.items()}


def _parts(kind: Aggregation, windows: dict[int, Window], *, keys: int, from_properties: bool) -> list[Part]:
    if kind is Aggregation.LATEST:
        sql = latest_values.statement(keys=keys, from_properties=from_properties)
    else:
        wanted = event_windows.only(keys=keys) if len(windows) == 1 else event_windows.wanted(keys=keys)
        sql = _statement(kind, wanted, keys=keys, from_properties=from_properties)
    return [Part(*row) for row in event_windows.fetch(sql, windows)]


def _statement(kind: Aggregation, wanted: str, *, keys: int, from_properties: bool) -> str:
    counts = "TRUE" if kind is Aggregation.COUNT else "value IS NOT NULL"
    value, strange = "e.value", "e.value_source IS DISTINCT FROM w.source"
    if kind is Aggregation.COUNT:
        value, strange = "NULL::numeric", "FALSE"
    elif from_properties:
        value, strange = event_windows.VALUE, "FALSE"
    # Without keys there is one bucket: to compare a million events' buckets takes longer than to add the events up.
    shown, grouped = ("bucket", "GROUP BY bucket") if keys else ("NULL::jsonb AS bucket", "")
    bucket = event_windows.bucket(keys)
    return f"""
    WITH {wanted}
    SELECT w.n, x.bucket::text, x.events, x.value, x.digest, x.strange
    FROM wanted AS w
    CROSS JOIN LATERAL (
        SELECT {shown}, count(*) FILTER (WHERE {counts}) AS events, {_SIMPLE[kind]} AS value,
            sum(fingerprint) FILTER (WHERE {counts}) AS digest, count(*) FILTER (WHERE strange) AS strange
        FROM (SELECT {bucket} AS bucket, {value} AS value, e.fingerprint, {strange} AS strange FROM {EVENTS}) AS events
        {grouped}
    ) AS x"""

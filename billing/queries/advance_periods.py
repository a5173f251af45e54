"""Usage that is paid in advance, by the period: the running units of each local day. Owns its statement; it is for
simulations, what is billed is stored event by event.
"""

# ruff: noqa: S608 - statements are put together from pieces of this package, what comes from outside is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from billing.domain import advance_periods
from billing.domain.advance_periods import DayLevel
from billing.domain.contract import UsageFacts
from billing.domain.held_time import HeldTime
from billing.queries import event_places, event_windows, held_times, unique_values
from billing.queries.event_places import Places
from billing.queries.event_windows import VALUE, Window
from catalog.domain.metrics import Aggregation

KINDS = (Aggregation.SUM, Aggregation.UNIQUE_COUNT)
"""What can be taken back, so that the highest level of a period is not the last one. A count cannot."""


def read(
    windows: Mapping[int, Window], *, times: Mapping[int, HeldTime], by_days: Collection[int]
) -> dict[int, list[UsageFacts]]:
    """Return the usage in numbered windows as it is billed in advance, new units `by_days` left in some of them.

    Two statements for each kind of aggregation, three where properties decide about filters and groups. Values of
    single events and amounts that they carry are not read.
    """
    found: dict[int, list[UsageFacts]] = {}
    for kind in KINDS:
        of_kind = {number: window for number, window in windows.items() if window.aggregation is kind}
        plain = {number: window for number, window in of_kind.items() if not window.keys}
        divided = {number: window for number, window in of_kind.items() if window.keys}
        for some in (plain, divided):
            if some:
                found.update(_read(kind, some, {number: times[number] for number in some}, by_days))
    return found


def _read(
    kind: Aggregation, windows: Mapping[int, Window], times: Mapping[int, HeldTime], by_days: Collection[int]
) -> dict[int, list[UsageFacts]]:
    places = event_places.read(windows)
    days: dict[tuple[int, int], list[DayLevel]] = defaultdict(list)
    digests: dict[tuple[int, int], int] = defaultdict(int)
    parameters = {**places.parameters, "held": held_times.rows(times)}
    for number, place, day, peak, last, events, digest in event_windows.fetch(
        _statement(kind, places), windows, **parameters
    ):
        days[number, place].append(DayLevel(day, peak, last, events))
        digests[number, place] += int(digest)
    found: dict[int, list[UsageFacts]] = {number: [] for number in windows}
    for (number, place), levels in days.items():
        facts = advance_periods.facts(kind=kind, days=levels, natural=times[number].natural, by_days=number in by_days)
        found[number].append(places.usage(number, place, facts=facts, digest=digests[number, place]))
    return found


def _statement(kind: Aggregation, places: Places) -> str:
    return f"""
    WITH {places.tables}, {held_times.TABLE}
    SELECT w.n, x.place, x.day, x.peak, x.last, x.events, x.digest
    FROM wanted AS w
    JOIN held AS h ON h.n = w.n
    CROSS JOIN LATERAL (
        SELECT place, day, max(running) AS peak, count(*) AS events, sum(fingerprint) AS digest,
            (array_agg(running ORDER BY "timestamp" DESC, transaction_id DESC))[1] AS last
        FROM (
            SELECT *, CASE WHEN e."timestamp" >= h.start_at THEN {held_times.LOCAL_DAY} END AS day,
                sum(units) OVER (PARTITION BY place ORDER BY "timestamp", transaction_id) AS running
            FROM ({_changes(kind, places)}) AS e
        ) AS levels
        GROUP BY place, day
    ) AS x
    ORDER BY w.n, x.place, x.day NULLS FIRST"""


def _changes(kind: Aggregation, places: Places) -> str:
    """Return the statement of what each event adds or takes away."""
    if kind is Aggregation.SUM:
        columns = f'{VALUE} AS units, e.fingerprint, e."timestamp", e.transaction_id'
        return f"""SELECT * FROM ({places.events(columns=columns, condition="TRUE")}) AS events
            WHERE units IS NOT NULL"""
    return f"""SELECT place, fingerprint, "timestamp", transaction_id,
            (CASE WHEN is_removal = was_removed THEN 0 WHEN is_removal THEN -1 ELSE 1 END)::numeric AS units
        FROM (
            SELECT *, lag(is_removal, 1, TRUE) OVER (
                PARTITION BY place, value ORDER BY "timestamp", transaction_id
            ) AS was_removed
            FROM (
                SELECT *, coalesce(operation = 'remove', FALSE) AS is_removal
                FROM ({unique_values.events(places)}) AS events
            ) AS events
        ) AS operations"""

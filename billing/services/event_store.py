"""Writing usage events to their tables. Owns the statement, and the partitions being there for it; what a repeat means
is `usage`'s, where all events are stored or none, and `usage_streams`', where each stands for itself.

One statement per call, with all events in one JSON parameter: it takes the unique keys and stores the events whose key
it took. Keys are taken in a fixed order, so that two calls with the same events wait for each other and never deadlock.
Nearly all events are new, so the statement that is tried first supposes it of all: a key that is taken makes it fail as
a whole, and the careful one, which costs a sixth more, finds out what is new.
Events whose code some charge bills in advance are queued by it in their order, and a message wakes up who bills them.
"""

# ruff: noqa: S608 - the statement is put together from pieces of this app, what comes from outside is a parameter

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import msgspec
from django.db import IntegrityError, transaction
from psycopg import errors as postgres

from billing.domain.usage_events import EventIn
from billing.queries import event_values
from billing.services import event_partitions
from config.kernel import jobs, statements

Key = tuple[str, str]
"""Transaction id and external subscription id."""


class _Row(msgspec.Struct, gc=False, omit_defaults=True):
    """An event as the statement reads it; short keys, because every event repeats them."""

    i: str
    t: str
    s: str
    c: str
    a: datetime
    p: msgspec.Raw
    m: str | None = None
    f: msgspec.Raw | None = None


def _statement(*, keys: str, new: str, existing: str) -> str:
    """Return the statement that takes ``keys``, stores the ``new`` events and tells the ``existing`` ones.

    The fingerprint chains hashes of the parts, so that no two contents run into each other. The functions are those
    that PostgreSQL has for hash partitions and keeps over its versions; jsonb hashes the same whatever the order of its
    keys.
    """
    return f"""
WITH input AS MATERIALIZED (
    SELECT * FROM ROWS FROM (jsonb_to_recordset(%(events)s::jsonb) AS (
        i uuid, t text COLLATE "C", s text COLLATE "C", c text COLLATE "C", a text, p jsonb, m text, f jsonb
    )) WITH ORDINALITY AS event (i, t, s, c, a, p, m, f, n)
), taken AS (
    INSERT INTO billing_event_key (transaction_id, external_subscription_id, "timestamp")
    SELECT t, s, a::timestamptz FROM input ORDER BY t, s
    {keys}
), metric AS MATERIALIZED (
    SELECT DISTINCT ON (event_code) event_code, field_name, {event_values.source("field_name")} AS source
    FROM catalog_billablemetric
    WHERE deleted_at IS NULL AND field_name <> '' AND aggregation_type <> 'unique_count_agg'
        AND event_code IN (SELECT c FROM input)
    ORDER BY event_code, (code = event_code) DESC, id
), stored AS (
    INSERT INTO billing_usage_event (
        id, external_subscription_id, transaction_id, code, "timestamp", received_at, properties,
        precise_total_amount_cents, value_source, value, failures, fingerprint
    )
    SELECT
        i, s, t, c, a::timestamptz, %(received_at)s::timestamptz, p,
        m::numeric, metric.source, {event_values.number(properties="p", field_name="metric.field_name")}, f,
        hashtextextended(t, hashtextextended(s, hashtextextended(c, hashtextextended(a, hashtextextended(
            coalesce(m, ''), jsonb_hash_extended(p, 0))))))
    FROM {new}
    LEFT JOIN metric ON event_code = c
), advance AS MATERIALIZED (
    SELECT DISTINCT metric.event_code
    FROM catalog_billablemetric AS metric
    JOIN catalog_charge AS charge ON charge.metric_id = metric.id AND charge.pay_in_advance
    WHERE metric.event_code IN (SELECT c FROM input)
), queued AS (
    INSERT INTO billing_advanceevent (
        external_subscription_id, transaction_id, code, "timestamp", withdraws, problem
    )
    SELECT s, t, c, a::timestamptz, FALSE, ''
    FROM {new}
    JOIN advance ON event_code = c
    ORDER BY n
    RETURNING external_subscription_id
)
{existing}
SELECT '', s, TRUE FROM (SELECT DISTINCT external_subscription_id AS s FROM queued) AS waiting
"""


# The count has the keys taken before the first event is written: where one is taken already little was done in vain.
_ALL_NEW = _statement(keys="RETURNING 1", new="input CROSS JOIN (SELECT count(*) FROM taken) AS keys", existing="")
_STORE = _statement(
    keys="ON CONFLICT DO NOTHING RETURNING transaction_id, external_subscription_id",
    new="input JOIN taken ON transaction_id = t AND external_subscription_id = s",
    existing="""SELECT t, s, FALSE
FROM (SELECT t, s FROM input EXCEPT SELECT transaction_id, external_subscription_id FROM taken) AS existing
UNION ALL""",
)


def write(*, events: Sequence[EventIn], received_at: datetime, all_or_none: bool) -> tuple[list[str], set[Key]]:
    """Store events, no two of which have the same key; return their ids and the keys that were taken before.

    What a taken key stands for is stored already, and the event that came with it is not; with ``all_or_none`` nothing
    at all is stored then. Outside a transaction what is stored is committed on return. Months that have no partition
    yet get one, whatever becomes of the events.
    """
    ids = _ids(len(events))
    rows = [
        _Row(one, *e.key, e.code, e.timestamp, e.properties, e.amount_cents, e.failures)
        for one, e in zip(ids, events, strict=True)
    ]
    months = {event_partitions.month(event.timestamp) for event in events}
    parameters = {"events": msgspec.json.encode(rows).decode(), "received_at": received_at}
    event_partitions.ensure(months=months)
    try:
        return ids, _store(parameters, all_or_none, len(events))
    except IntegrityError as error:
        if not isinstance(error.__cause__, postgres.CheckViolation):
            raise
        # A month that was there is gone: somebody dropped the partition. Make it anew and try once more.
        event_partitions.forget()
        event_partitions.ensure(months=months)
        return ids, _store(parameters, all_or_none, len(events))


class _Undone(Exception):
    """Leaves the transaction, and tells nobody."""


def _store(parameters: dict[str, object], all_or_none: bool, count: int) -> set[Key]:  # noqa: FBT001 - internal
    """Store what is new, undone where it must be; return the keys that were taken before."""
    waiting = _all_new(parameters) if count > 1 else None
    existing: set[Key] = set()
    if waiting is None:
        existing, waiting = _careful(parameters, is_undone=all_or_none and count > 1)
    if waiting:
        jobs.enqueue("billing.tasks.bill_advance_events", external_ids=waiting)
    return existing


def _all_new(parameters: dict[str, object]) -> list[str] | None:
    """Store all events and return the subscriptions that have some in the queue now; nothing if a key was taken."""
    try:
        with _apart():
            return _run(_ALL_NEW, parameters)[1]
    except IntegrityError as error:
        if not isinstance(error.__cause__, postgres.UniqueViolation):
            raise
        return None


def _careful(parameters: dict[str, object], *, is_undone: bool) -> tuple[set[Key], list[str]]:
    """Store the events whose key is free, or with ``is_undone`` none if one is taken; return as `_run` does."""
    existing: set[Key] = set()
    try:
        with transaction.atomic() if is_undone else _apart():
            existing, waiting = _run(_STORE, parameters)
            if existing and is_undone:
                raise _Undone
    except _Undone:
        waiting = []
    return existing, waiting


def _apart() -> AbstractContextManager[object]:
    """Let a statement fail without harm to the transaction around it, if there is one: else it is its own."""
    is_inside = transaction.get_connection().in_atomic_block
    return transaction.atomic() if is_inside else contextlib.nullcontext()


def _run(sql: str, parameters: dict[str, object]) -> tuple[set[Key], list[str]]:
    """Return the keys that were taken before, and the subscriptions that have events in the queue now."""
    rows = statements.fetch_prepared(sql, parameters)
    return {(t, s) for t, s, is_queued in rows if not is_queued}, [s for _, s, is_queued in rows if is_queued]


def _ids(count: int) -> list[str]:
    """Return random UUIDs (version 4, with 120 random bits) from one read of the system's randomness."""
    digits = os.urandom(16 * count).hex()
    return [
        f"{one[:8]}-{one[8:12]}-4{one[13:16]}-a{one[17:20]}-{one[20:]}"
        for one in (digits[start : start + 32] for start in range(0, 32 * count, 32))
    ]

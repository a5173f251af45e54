"""Taking in usage events. Owns storing them exactly once; what an event must look like is checked by who calls, and
what events add up to is read from `billing.queries.aggregates`.

One statement per call, with all events in one JSON parameter: it takes the unique keys and stores the events whose key
it took. Keys are taken in a fixed order, so that two calls with the same events wait for each other and never deadlock.
"""

# ruff: noqa: S608 - the statement is put together from pieces of this app, what comes from outside is a parameter

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import psycopg
from django.db import IntegrityError, connection, transaction
from psycopg import errors as postgres

from billing.models import EventKey
from billing.queries import event_values
from billing.services import event_partitions
from config.kernel import errors

Raw = msgspec.Raw
NO_PROPERTIES = Raw(b"{}")


class EventIn(msgspec.Struct, frozen=True, gc=False):
    """An event to be stored, checked already: texts that a column can hold, an instant in UTC, properties as text of
    a JSON object.
    """

    transaction_id: str
    external_subscription_id: str
    code: str
    timestamp: datetime
    properties: Raw = NO_PROPERTIES
    amount_cents: str | None = None


@dataclass(frozen=True, slots=True)
class Ingested:
    """What was stored: the ids of the events, in the order in which they were given."""

    ids: list[str]


class EventsAlreadyExist(errors.Invalid):
    """Some events are stored already, or came twice in one request. ``positions`` are theirs in the request, from 0."""

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(
            "value_already_exist",
            f"{len(positions)} of the events exist already.",
            {"transaction_id": ["value_already_exist"]},
        )
        self.positions = list(positions)


class _Row(msgspec.Struct, gc=False, omit_defaults=True):
    """An event as the statement reads it; short keys, because every event repeats them."""

    i: str
    t: str
    s: str
    c: str
    a: datetime
    p: Raw
    m: str | None = None


# The fingerprint chains hashes of the parts, so that no two contents run into each other. The functions are those that
# PostgreSQL has for hash partitions and keeps over its versions; jsonb hashes the same whatever the order of its keys.
_STORE = f"""
WITH input AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
        i uuid, t text COLLATE "C", s text COLLATE "C", c text COLLATE "C", a text, p jsonb, m text
    )
), taken AS (
    INSERT INTO billing_event_key (transaction_id, external_subscription_id, "timestamp")
    SELECT t, s, a::timestamptz FROM input ORDER BY t, s
    ON CONFLICT DO NOTHING
    RETURNING transaction_id, external_subscription_id
), metric AS MATERIALIZED (
    SELECT DISTINCT ON (event_code) event_code, field_name, {event_values.source("field_name")} AS source
    FROM catalog_billablemetric
    WHERE deleted_at IS NULL AND field_name <> '' AND aggregation_type <> 'unique_count_agg'
        AND event_code IN (SELECT c FROM input)
    ORDER BY event_code, (code = event_code) DESC, id
), stored AS (
    INSERT INTO billing_usage_event (
        id, external_subscription_id, transaction_id, code, "timestamp", received_at, properties,
        precise_total_amount_cents, value_source, value, fingerprint
    )
    SELECT
        i, s, t, c, a::timestamptz, %(received_at)s::timestamptz, p,
        m::numeric, metric.source, {event_values.number(properties="p", field_name="metric.field_name")},
        hashtextextended(t, hashtextextended(s, hashtextextended(c, hashtextextended(a, hashtextextended(
            coalesce(m, ''), jsonb_hash_extended(p, 0))))))
    FROM input
    JOIN taken ON transaction_id = t AND external_subscription_id = s
    LEFT JOIN metric ON event_code = c
)
SELECT t, s FROM input EXCEPT SELECT transaction_id, external_subscription_id FROM taken
"""


def ingest(*, events: Sequence[EventIn], received_at: datetime) -> Ingested:
    """Store events, all of them or none, and return their ids; outside a transaction they are committed on return.

    Events are told apart by transaction id and subscription. Raises EventsAlreadyExist, having stored nothing, where
    some are there already or come twice, so sending the same events again changes nothing. Codes and subscriptions need
    not be known. Months that have no partition yet get one, whatever becomes of the events.
    """
    repeated = _repeated(events)
    if repeated:
        stored = _stored(events)
        raise EventsAlreadyExist([at for at, e in enumerate(events) if at in repeated or _key(e) in stored])
    ids = _ids(len(events))
    rows = [
        _Row(one, e.transaction_id, e.external_subscription_id, e.code, e.timestamp, e.properties, e.amount_cents)
        for one, e in zip(ids, events, strict=True)
    ]
    months = {event_partitions.month(event.timestamp) for event in events}
    parameters = {"events": msgspec.json.encode(rows).decode(), "received_at": received_at}
    event_partitions.ensure(months=months)
    try:
        existing = _store(parameters)
    except IntegrityError as error:
        if not isinstance(error.__cause__, postgres.CheckViolation):
            raise
        # A month that was there is gone: somebody dropped the partition. Make it anew and try once more.
        event_partitions.forget()
        event_partitions.ensure(months=months)
        existing = _store(parameters)
    if existing:
        raise EventsAlreadyExist([at for at, event in enumerate(events) if _key(event) in existing])
    return Ingested(ids)


class _Undone(Exception):
    """Leaves the transaction, and tells nobody."""


def _store(parameters: dict[str, object]) -> set[tuple[str, str]]:
    """Store the events unless some exist; return the keys of those."""
    existing: set[tuple[str, str]] = set()
    try:
        with transaction.atomic():
            existing.update(_run(parameters))
            if existing:
                raise _Undone
    except _Undone:
        pass
    return existing


def _run(parameters: dict[str, object]) -> list[tuple[str, str]]:
    """Run the statement, prepared: planning it anew would take as long as storing fifty events.

    Where DISABLE_SERVER_SIDE_CURSORS says that connections are pooled by transaction, statements cannot be prepared.
    """
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):
        with connection.cursor() as cursor:
            cursor.execute(_STORE, parameters)
            return cursor.fetchall()
    connection.ensure_connection()
    server = connection.connection
    with connection.wrap_database_errors, psycopg.Cursor(server) as cursor:
        usual, server.prepare_threshold = server.prepare_threshold, 0
        try:
            return cursor.execute(_STORE, parameters, prepare=True).fetchall()
        finally:
            server.prepare_threshold = usual


def _key(event: EventIn) -> tuple[str, str]:
    return event.transaction_id, event.external_subscription_id


def _stored(events: Sequence[EventIn]) -> set[tuple[str, str]]:
    """Return the keys that are taken already."""
    rows = EventKey.objects.filter(transaction_id__in={event.transaction_id for event in events})
    return set(rows.values_list("transaction_id", "external_subscription_id"))


def _repeated(events: Sequence[EventIn]) -> set[int]:
    """Return the positions of events whose key came before in the same request."""
    if len({(event.transaction_id, event.external_subscription_id) for event in events}) == len(events):
        return set()
    seen: set[tuple[str, str]] = set()
    found = set()
    for position, event in enumerate(events):
        key = _key(event)
        if key in seen:
            found.add(position)
        seen.add(key)
    return found


def _ids(count: int) -> list[str]:
    """Return random UUIDs (version 4, with 120 random bits) from one read of the system's randomness."""
    digits = os.urandom(16 * count).hex()
    return [
        f"{one[:8]}-{one[8:12]}-4{one[13:16]}-a{one[17:20]}-{one[20:]}"
        for one in (digits[start : start + 32] for start in range(0, 32 * count, 32))
    ]

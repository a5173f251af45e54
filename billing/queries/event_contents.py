"""Comparing events with what is stored under their keys. Owns what makes two events the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec
from django.db import connection

from billing.domain.usage_events import EventIn
from catalog.queries import metrics

# The events around each stored one are read place by place and joined as a set: an instant may have many events.
# Key and event are in agreement about the instant, which leads to the partition and through its index.
_SAME = """
WITH input AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(events)s::jsonb) AS event (
        n int, t text COLLATE "C", s text COLLATE "C", c text COLLATE "C", a timestamptz, p jsonb, m numeric, x text[]
    )
), known AS MATERIALIZED (
    SELECT input.*, "key"."timestamp" AS stored_at
    FROM input JOIN billing_event_key AS "key" ON "key".transaction_id = t AND "key".external_subscription_id = s
), place AS MATERIALIZED (
    SELECT DISTINCT s, c, stored_at FROM known
), found AS MATERIALIZED (
    SELECT event.*
    FROM place
    CROSS JOIN LATERAL (
        SELECT id, external_subscription_id, transaction_id, code, properties, precise_total_amount_cents
        FROM billing_usage_event
        WHERE external_subscription_id = place.s AND code = place.c AND "timestamp" = place.stored_at
        OFFSET 0
    ) AS event
)
SELECT n, id::text
FROM known JOIN found ON transaction_id = t AND external_subscription_id = s AND code = c
WHERE (a IS NULL OR a = stored_at) AND properties - coalesce(x, '{}') = p - coalesce(x, '{}')
    AND precise_total_amount_cents IS NOT DISTINCT FROM m
"""


class _Row(msgspec.Struct, gc=False, omit_defaults=True):
    n: int
    t: str
    s: str
    c: str
    a: datetime | None
    p: msgspec.Raw
    m: str | None = None
    x: list[str] | None = None


def same_as_stored(*, events: Sequence[EventIn], received_at: datetime) -> list[str | None]:
    """Return for each event the id of the stored one that says the same, or nothing where there is none.

    Same are code, properties as JSON values, amount, and the instant, unless it is the moment of receipt: then the
    sender gave none. Properties that metrics compute are no content: their expressions may have changed in between.
    Two statements, whatever the number of events.
    """
    if not events:
        return []
    computed = metrics.expressions(event_codes={event.code for event in events})
    rows = [
        _Row(
            number,
            event.transaction_id,
            event.external_subscription_id,
            event.code,
            None if event.timestamp == received_at else event.timestamp,
            event.properties,
            event.amount_cents,
            list(computed.get(event.code, ())) or None,
        )
        for number, event in enumerate(events)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SAME, {"events": msgspec.json.encode(rows).decode()})
        found = dict(cursor.fetchall())
    return [found.get(number) for number in range(len(events))]

"""What is stored hour by hour, to be compared with what a sender counted. Owns these reads; how a digest is computed is
`billing.domain.event_digests`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from billing.domain import reconciliation
from billing.domain.reconciliation import ComparedHour, Key, SentHour

HOUR = timedelta(hours=1)


class Stored(NamedTuple):
    """How many events an hour has, and their digest: a sum of signed 64-bit parts."""

    count: int
    digest: int


# The same as the sum of `event_digests`, part by part: the first eight bytes of a SHA-256 as a number.
_DIGEST = r"""('x' || left(encode(sha256(
    convert_to(external_subscription_id, 'UTF8') || '\x00' || convert_to(transaction_id, 'UTF8') || '\x00'
        || convert_to(code, 'UTF8')
), 'hex'), 16))::bit(64)::bigint"""

_HOURS = """
SELECT hour, event.count, event.digest
FROM unnest(%(hours)s::timestamptz[]) AS hour
CROSS JOIN LATERAL (
    SELECT count(*) AS count, coalesce(sum({digest}), 0) AS digest
    FROM billing_usage_event
    WHERE "timestamp" >= hour AND "timestamp" < hour + %(length)s::interval
        AND "timestamp" >= %(first)s AND "timestamp" < %(end)s{narrowed}
) AS event
"""

_INSTANTS = """
SELECT named.t, named.s, "key"."timestamp"
FROM unnest(%(names)s::text[], %(subscriptions)s::text[]) AS named (t, s)
JOIN billing_event_key AS "key"
    ON "key".transaction_id = named.t COLLATE "C" AND "key".external_subscription_id = named.s COLLATE "C"
"""


def compared(
    *, sent: Sequence[SentHour], external_subscription_id: str | None = None, code: str | None = None
) -> list[ComparedHour]:
    """Compare what a sender counted in whole hours with what is stored in them; two statements at most.

    Subscription and code narrow what is counted here. The events that the sender names are looked for by their keys
    alone.
    """
    found = stored(hours=[one.hour for one in sent], external_subscription_id=external_subscription_id, code=code)
    there = instants(keys=[key for one in sent for key in one.keys])
    return [
        reconciliation.compare(
            sent=one,
            end=one.hour + HOUR,
            stored_count=found[one.hour].count,
            stored_digest=found[one.hour].digest,
            instants=there,
        )
        for one in sent
    ]


def stored(
    *, hours: Sequence[datetime], external_subscription_id: str | None = None, code: str | None = None
) -> dict[datetime, Stored]:
    """Return what is stored in each of these hours, which are known by their first instant; one statement."""
    if not hours:
        return {}
    given = {"external_subscription_id": external_subscription_id, "code": code}
    wanted = {name: value for name, value in given.items() if value is not None}
    narrowed = "".join(f" AND {name} = %({name})s" for name in wanted)
    parameters = {
        "hours": list(hours),
        "length": HOUR,
        # Known to the planner in advance, so that it leaves out the partitions of all other months.
        "first": min(hours),
        "end": max(hours) + HOUR,
        **wanted,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOURS.format(digest=_DIGEST, narrowed=narrowed), parameters)
        return {hour: Stored(count, int(digest)) for hour, count, digest in cursor.fetchall()}


def instants(*, keys: Sequence[Key]) -> dict[Key, datetime]:
    """Return the instant of each of these events that is stored; one statement."""
    if not keys:
        return {}
    names, subscriptions = zip(*keys, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_INSTANTS, {"names": list(names), "subscriptions": list(subscriptions)})
        return {(name, subscription): at for name, subscription, at in cursor.fetchall()}

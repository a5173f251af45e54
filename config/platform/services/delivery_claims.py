"""Whose turn it is, and what came of it. Owns the rows of deliveries while they are sent: the lease of whoever sends
them, and the result. Knows no network.

An endpoint is one worker's at a time, so that it gets no more requests at once than it should. What is taken is leased
and committed before it is sent: of a worker that was killed, the lease runs out, and another one sends again. All who
write deliveries lock their endpoint first, so nobody waits for each other in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, models, transaction

from config.kernel import db, rows
from config.platform.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from config.platform.services import delivery_retries
from config.platform.services.delivery_sending import Chain, Parcel, Sent, Target, Unsent

MOST = 300
"""Deliveries that are taken of one endpoint at a time."""

_BEYOND_TIMEOUT = timedelta(seconds=60)

# OFFSET keeps it a look into an index for each row: joined to itself, much that waits of one object takes minutes.
_NONE_EARLIER = """NOT EXISTS (
            SELECT 1 FROM platform_webhookdelivery earlier
            WHERE earlier.endpoint_id = head.endpoint_id AND earlier.object_key = head.object_key
                AND earlier.state = 'pending' AND earlier.id < head.id
            OFFSET 0
        )"""

# Heads: the first of each object that waits, if it is due and none of its object is being sent: an earlier one may have
# come back to be sent again meanwhile. With each come the next ones of its object.
_TAKE = """
WITH heads AS (
    SELECT head.id, head.object_key FROM platform_webhookdelivery head
    WHERE head.endpoint_id = %(endpoint)s AND head.state = 'pending' AND head.next_attempt_at <= %(at)s
        AND head.object_key NOT IN (
            SELECT held.object_key FROM platform_webhookdelivery held
            WHERE held.endpoint_id = %(endpoint)s AND held.state = 'pending' AND held.claimed_until > %(at)s
        )
        AND {none_earlier}
    ORDER BY head.next_attempt_at, head.id LIMIT %(most)s
    FOR NO KEY UPDATE OF head SKIP LOCKED
), chained AS (
    SELECT following.id FROM heads CROSS JOIN LATERAL (
        SELECT one.id FROM platform_webhookdelivery one
        WHERE one.endpoint_id = %(endpoint)s AND one.object_key = heads.object_key AND one.state = 'pending'
            AND one.id >= heads.id
        ORDER BY one.id LIMIT (SELECT greatest(1, %(most)s / greatest(1, count(*))) FROM heads)
    ) AS following
)
UPDATE platform_webhookdelivery taken SET claimed_until = %(until)s
FROM chained, platform_webhookevent event
WHERE taken.id = chained.id AND event.id = taken.event_id
RETURNING taken.id, taken.object_key, taken.attempts, event.uuid, event.body
"""

# What was delivered was, whoever holds the lease by now. A failure of somebody whose lease is over says nothing.
_NOTE = """
UPDATE platform_webhookdelivery known
SET state = told.state, attempts = told.attempts, next_attempt_at = told.next_attempt_at,
    delivered_at = told.delivered_at, claimed_until = NULL
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
    AS told(id, state, attempts, next_attempt_at, delivered_at, leased_until)
WHERE known.id = told.id AND known.state <> 'delivered'
    AND (told.state = 'delivered' OR (known.state = 'pending' AND known.claimed_until = told.leased_until))
"""

# Parcels that were leased and not sent.
_RELEASE = """
UPDATE platform_webhookdelivery known SET claimed_until = NULL
FROM unnest(%s::bigint[], %s::timestamptz[]) AS told(id, leased_until)
WHERE known.id = told.id AND known.state = 'pending' AND known.claimed_until = told.leased_until
"""


@dataclass(frozen=True)
class Noted:
    """What writing results came to: how many were ``delivered``, when what failed ``follows``, and which endpoints are
    not what they were when it was sent: ``changed``, paused or deleted.
    """

    delivered: int
    follows: tuple[datetime, ...]
    changed: frozenset[int]


def lease() -> timedelta:
    """Return how long what was taken is its taker's: longer than any request."""
    return timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + _BEYOND_TIMEOUT


@transaction.atomic
def take(*, at: datetime, own: Mapping[int, Collection[int]], but: Collection[int] = ()) -> list[Chain]:
    """Lease what is due at ``at``, of every endpoint that is nobody else's ``but`` these, and return it to be sent.

    ``own`` are the deliveries by endpoint that the caller took before and has not noted yet. It commits by itself; call
    it outside of a transaction, for a lease that is rolled back protects nobody.
    """
    waiting = WebhookDelivery.objects.filter(
        endpoint=models.OuterRef("pk"), state=WebhookDelivery.State.PENDING, next_attempt_at__lte=at
    )
    ready = WebhookEndpoint.objects.filter(
        models.Q(resting_until__isnull=True) | models.Q(resting_until__lte=at),
        models.Exists(waiting),
        deleted_at__isnull=True,
        disabled_at__isnull=True,
    ).exclude(pk__in=but)
    chains: list[Chain] = []
    for endpoint in db.lock(ready):
        mine = own.get(endpoint.pk, ())
        if not _has_room(endpoint, mine) or _is_somebody_elses(endpoint, mine, at):
            continue
        chains += _taken(endpoint, at)
    return chains


@transaction.atomic
def note(*, results: Sequence[Unsent]) -> Noted:
    """Write what came of requests: the deliveries by one statement, the log of attempts, how the endpoints are."""
    endpoints = {
        endpoint.pk: endpoint
        for endpoint in db.lock(WebhookEndpoint.objects.filter(pk__in={one.target.endpoint_id for one in results}))
    }
    sent = [one for one in results if isinstance(one, Sent)]
    unsent = [one for one in results if not isinstance(one, Sent)]
    written = [_written(one) for one in sent]
    with connection.cursor() as cursor:
        if unsent:
            cursor.execute(_RELEASE, [[one.parcel.delivery_id for one in unsent], [one.leased_until for one in unsent]])
        if sent:
            cursor.execute(_NOTE, [list(column) for column in zip(*written, strict=True)])
    rows.insert([_logged(one) for one in sent])
    by_endpoint: dict[int, list[Sent]] = defaultdict(list)
    for one in sent:
        by_endpoint[one.target.endpoint_id].append(one)
    for key, found in by_endpoint.items():
        _note_health(endpoints[key], found)
    return Noted(
        delivered=sum(one.attempt.is_delivered for one in sent),
        follows=tuple(
            max(following, endpoints[one.target.endpoint_id].resting_until or following)
            for one, (_, state, _, following, _, _) in zip(sent, written, strict=True)
            if state == WebhookDelivery.State.PENDING
        ),
        changed=frozenset(key for key, found in by_endpoint.items() if _is_changed(endpoints[key], found[-1].target)),
    )


def _has_room(endpoint: WebhookEndpoint, mine: Collection[int]) -> bool:
    """Say whether more may be taken: of one that does not answer only one at a time, which finds out."""
    return not mine if endpoint.failures else len(mine) <= MOST * 2 // 3


def _is_somebody_elses(endpoint: WebhookEndpoint, mine: Collection[int], at: datetime) -> bool:
    leased = WebhookDelivery.objects.filter(
        endpoint=endpoint, state=WebhookDelivery.State.PENDING, claimed_until__gt=at
    )
    return leased.exclude(pk__in=list(mine)).exists()


def _taken(endpoint: WebhookEndpoint, at: datetime) -> list[Chain]:
    until = at + lease()
    is_probe = endpoint.failures > 0
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE.format(none_earlier=_NONE_EARLIER),
            {"endpoint": endpoint.pk, "at": at, "until": until, "most": 1 if is_probe else MOST},
        )
        found = cursor.fetchall()
    target = Target(endpoint.pk, endpoint.webhook_url, endpoint.signature_algo, is_probe)
    chains: dict[str, list[Parcel]] = defaultdict(list)
    for delivery_id, object_key, attempts, unique_key, body in sorted(found):
        chains[object_key].append(Parcel(delivery_id, attempts, unique_key, body))
    return [Chain(target, tuple(parcels), until) for parcels in chains.values()]


def _is_changed(endpoint: WebhookEndpoint, target: Target) -> bool:
    is_gone = endpoint.deleted_at is not None or endpoint.disabled_at is not None
    return is_gone or (endpoint.webhook_url, endpoint.signature_algo) != (target.url, target.algorithm)


def _written(one: Sent) -> tuple[int, str, int, datetime, datetime | None, datetime]:
    """Return a delivery as it is after an attempt: key, state, attempts, next attempt, delivered, lease."""
    key, attempts = one.parcel.delivery_id, one.parcel.attempts + 1
    if one.attempt.is_delivered:
        return key, WebhookDelivery.State.DELIVERED.value, attempts, one.over_at, one.over_at, one.leased_until
    is_last = attempts >= settings.WEBHOOK_ATTEMPTS
    state = WebhookDelivery.State.FAILED if is_last else WebhookDelivery.State.PENDING
    following = one.over_at + delivery_retries.wait(attempts=attempts, seed=key)
    return key, state.value, attempts, following, None, one.leased_until


def _logged(one: Sent) -> WebhookAttempt:
    return WebhookAttempt(
        delivery_id=one.parcel.delivery_id,
        at=one.attempt.at,
        created_at=one.attempt.at,
        milliseconds=one.attempt.milliseconds,
        status=one.attempt.status,
        error=one.attempt.error,
        answer=one.attempt.answer,
    )


def _note_health(endpoint: WebhookEndpoint, sent: Sequence[Sent]) -> None:
    """Write how an endpoint is: answering, failing, or silent, which lets it rest."""
    for one in sorted(sent, key=lambda one: one.over_at):
        if one.attempt.is_delivered:
            endpoint.failures, endpoint.resting_until, endpoint.failing_since = 0, None, None
            endpoint.last_delivered_at = max(endpoint.last_delivered_at or one.over_at, one.over_at)
            continue
        endpoint.failing_since = endpoint.failing_since or one.attempt.at
        if one.attempt.status is None:
            _rest(endpoint, one)
            continue
        if endpoint.failures:
            endpoint.failures, endpoint.resting_until = 0, None
        if one.attempt.rest is not None:
            endpoint.resting_until = one.over_at + one.attempt.rest
    endpoint.save(update_fields=["failures", "resting_until", "failing_since", "last_delivered_at"])


def _rest(endpoint: WebhookEndpoint, one: Sent) -> None:
    """Let it rest. Requests that were under way at the same time are one silence, not many."""
    if endpoint.resting_until is None or endpoint.resting_until <= one.attempt.at:
        endpoint.failures += 1
        endpoint.resting_until = one.over_at + delivery_retries.rest(failures=endpoint.failures)

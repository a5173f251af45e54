"""Delivering webhooks: takes what is due, sends it and notes what came of it, until nothing is due. Owns this loop, the
sweeper and the end of old events; whose turn it is belongs to the claims, the network to the sender.

Every event reaches each endpoint that wanted it at least once, unless it is given up after days. What waits for a
paused endpoint waits until that is resumed. The events of one object come in their order; those of different objects do
not wait for each other.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction

from config.kernel import db, jobs
from config.platform.models import WebhookDelivery, WebhookEndpoint, WebhookEvent
from config.platform.services import delivery_claims
from config.platform.services.delivery_sending import Chain, Sender, Unsent

LONGEST_RUN = timedelta(seconds=20)
"""After so long a run asks for another one and ends, so that it keeps no worker from other work."""

GIVEN_UP_AFTER = timedelta(days=7)
"""How long something may be due without being tried while its endpoint takes nothing."""

SWEPT_EVERY = timedelta(minutes=1)
"""What is due sooner than the next sweep gets a wake-up of its own."""

_LATE = timedelta(seconds=0.2)
"""A wake-up comes so much later than what it is for, as clocks do not agree to the instant."""

_WAIT = 1.0
_LINGER, _LINGER_LONGER, _MANY = 0.01, 0.15, 100
"""Seconds to wait for results that follow a first one: longer where many are on their way, so that they are written
together. What follows in a chain does not wait for it.
"""

_PURGED_AT_ONCE = 5000


@dataclass(frozen=True)
class Swept:
    """What a sweep did: ``delivered`` now, ``given_up`` after waiting in vain, ``dropped`` with their endpoint."""

    delivered: int
    given_up: int
    dropped: int


def run(*, as_of: datetime) -> int:
    """Deliver what is due from ``as_of`` on and return how many were delivered. May run many times at once.

    It looks again after each delivery, as time goes by, and ends when nothing is due, or after `LONGEST_RUN` and the
    requests that are under way then, with a wake-up for another run. What failed and is soon due again gets one wake-up
    for that time. Outside of any transaction: what is taken is committed before it is sent.
    """
    clock = _clock(as_of)
    chains = delivery_claims.take(at=clock(), own={})
    if not chains:
        return 0
    timeout, at_once = settings.WEBHOOK_TIMEOUT_SECONDS, settings.WEBHOOK_CONCURRENCY
    with Sender(clock=clock, timeout=timeout, at_once=at_once) as sender:
        loop = _Loop(sender, clock, as_of + LONGEST_RUN)
        loop.go_on(chains)
    if loop.is_late:
        jobs.enqueue("config.platform.tasks.deliver_webhooks")
    elif loop.follows is not None and (soon := loop.follows - clock()) < SWEPT_EVERY:
        jobs.wake("config.platform.tasks.deliver_webhooks", after=soon + _LATE)
    return loop.delivered


def sweep(*, as_of: datetime) -> Swept:
    """Drop what waits for endpoints that were deleted, give up what waited in vain, and deliver what is due."""
    dropped = sum(
        drop(endpoint_id=key)
        for key in WebhookEndpoint.objects.filter(
            models.Exists(_waiting().filter(endpoint=models.OuterRef("pk"))), deleted_at__isnull=False
        ).values_list("pk", flat=True)
    )
    given_up = _give_up(as_of)
    return Swept(delivered=run(as_of=as_of), given_up=given_up, dropped=dropped)


@transaction.atomic
def drop(*, endpoint_id: int) -> int:
    """Drop what waits for an endpoint, and return how many. What is being sent right now may still arrive."""
    db.lock(WebhookEndpoint.objects.filter(pk=endpoint_id))
    return _waiting().filter(endpoint=endpoint_id).update(state=WebhookDelivery.State.DROPPED, claimed_until=None)


def purge(*, as_of: datetime) -> int:
    """Delete events older than WEBHOOK_KEEP_DAYS that nobody waits for any more, and return how many."""
    old = WebhookEvent.objects.filter(
        ~models.Exists(_waiting().filter(event=models.OuterRef("pk"))),
        at__lt=as_of - timedelta(days=settings.WEBHOOK_KEEP_DAYS),
    ).order_by("at")
    count = 0
    while keys := list(old.values_list("pk", flat=True)[:_PURGED_AT_ONCE]):
        WebhookEvent.objects.filter(pk__in=keys).delete()
        count += len(keys)
    return count


class _Loop:
    """Sends, notes and takes more. ``follows`` is when something of what failed is due again.

    ``is_late`` once time is up. ``_closing`` are the endpoints that had requests under way then: they get no others,
    and until these are over all other endpoints are served, for one that hangs must not hold them up.
    """

    def __init__(self, sender: Sender, clock: Callable[[], datetime], until: datetime) -> None:
        self.delivered = 0
        self.follows: datetime | None = None
        self.is_late = False
        self._closing: frozenset[int] = frozenset()
        self._sender, self._clock, self._until = sender, clock, until
        self._own: dict[int, set[int]] = defaultdict(set)

    def go_on(self, chains: Sequence[Chain]) -> None:
        """Go on until nothing is due, or time is up and everything is back."""
        follows: set[datetime] = set()
        looked_at = self._clock()
        self._send(chains)
        while busy := self._busy():
            is_many = sum(map(len, self._own.values())) > _MANY
            results = self._sender.results(wait=_WAIT, linger=_LINGER_LONGER if is_many else _LINGER)
            if results:
                follows |= self._note(results)
            looked_at = self._clock()
            if not self.is_late and looked_at >= self._until:
                self.is_late, self._closing = True, busy
                self._sender.halt(busy)
                jobs.enqueue("config.platform.tasks.deliver_webhooks")
            self._closing &= self._busy()
            if self._closing or not self.is_late:
                self._send(delivery_claims.take(at=looked_at, own=self._own, but=self._closing))
            else:
                self._sender.halt(busy)
        self.follows = min((at for at in follows if at > looked_at), default=None)

    def _busy(self) -> frozenset[int]:
        return frozenset(key for key, found in self._own.items() if found)

    def _send(self, chains: Sequence[Chain]) -> None:
        for chain in chains:
            self._own[chain.target.endpoint_id] |= {parcel.delivery_id for parcel in chain.parcels}
        self._sender.send(chains)

    def _note(self, results: Sequence[Unsent]) -> set[datetime]:
        noted = delivery_claims.note(results=results)
        self.delivered += noted.delivered
        if noted.changed:
            self._sender.halt(noted.changed)
        for one in results:
            self._own[one.target.endpoint_id].discard(one.parcel.delivery_id)
        return set(noted.follows)


@transaction.atomic
def _give_up(as_of: datetime) -> int:
    """Give up what is due for long while its endpoint took nothing. Where nothing was sent, since no worker ran or the
    endpoint was paused, nothing was in vain.
    """
    long_ago = as_of - GIVEN_UP_AFTER
    late = _waiting().filter(
        next_attempt_at__lt=long_ago, endpoint__failing_since__lt=long_ago, endpoint__disabled_at__isnull=True
    )
    keys = list(late.values_list("pk", "endpoint_id"))
    db.lock(WebhookEndpoint.objects.filter(pk__in={endpoint for _, endpoint in keys}))
    return late.filter(pk__in=[key for key, _ in keys]).update(state=WebhookDelivery.State.FAILED, claimed_until=None)


def _waiting() -> models.QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(state=WebhookDelivery.State.PENDING)


def _clock(as_of: datetime) -> Callable[[], datetime]:
    """Return a clock that shows ``as_of`` now and goes on from there."""
    began = time.monotonic()
    return lambda: as_of + timedelta(seconds=time.monotonic() - began)

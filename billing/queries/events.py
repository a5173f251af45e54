"""Finding single events: lists for people, one by its transaction id. Owns these reads; sums are `aggregates`'."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import QuerySet

from billing.models import EventKey, Subscription, UsageEvent
from config.kernel import errors
from config.platform.queries.list_pages import Page

COUNTED_EXACTLY = 10_000
"""Longer lists are estimated: counting millions of rows for the last page number would cost more than the page."""

_NEAR = 1_000
"""Events that are cheaper to pass over than to look for."""


def listed(
    *,
    code: str | None = None,
    external_subscription_id: str | None = None,
    timestamp_from: datetime | None = None,
    timestamp_to: datetime | None = None,
) -> QuerySet[UsageEvent]:
    """Return events, newest first and then by transaction id. Both bounds belong to the stretch of time."""
    given = {
        "code": code,
        "external_subscription_id": external_subscription_id,
        "timestamp__gte": timestamp_from,
        "timestamp__lte": timestamp_to,
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    return UsageEvent.objects.filter(**wanted).order_by("-timestamp", "transaction_id")


def count(found: QuerySet[UsageEvent]) -> int:
    """Return how many events a list has: exact up to 10,000, beyond that at least as many as the planner estimates."""
    counted = found.order_by("-timestamp")[: COUNTED_EXACTLY + 1].count()  # by an index, else by the whole month
    if counted <= COUNTED_EXACTLY:
        return counted
    plan = json.loads(found.order_by().explain(format="json"))
    return max(counted, int(plan[0]["Plan"]["Plan Rows"]))


def page(found: QuerySet[UsageEvent], *, offset: int, size: int) -> Page[UsageEvent]:
    """Return a page of a list of events, in its order, and how many there are, see `count`.

    What lies before a page far back is passed over by the time of the events alone, which is in an index: events are
    found by their time, and not by their id.
    """
    start, rows = offset, found
    if offset >= _NEAR:
        times = found.order_by("-timestamp").values_list("timestamp", flat=True)
        first = next(iter(times[offset : offset + 1]), None)
        if first is None:
            return Page([], has_next=False, total=min(offset, count(found)))
        start = max(0, offset - found.filter(timestamp__gt=first).count())
        rows = found.filter(timestamp__lte=first)
    shown = list(rows[start : start + size + 1])
    if not shown:
        return Page([], has_next=False, total=min(offset, count(found)))
    has_next = len(shown) > size
    total = max(offset + size + 1, count(found)) if has_next else offset + len(shown)
    return Page(shown[:size], has_next=has_next, total=total)


def by_transaction_id(*, transaction_id: str, external_subscription_id: str | None = None) -> UsageEvent:
    """Return the event of a transaction: the newest, where several subscriptions have one. Raises NotFound.

    The key tells the instant, so that only one partition is looked into.
    """
    keys = EventKey.objects.filter(transaction_id=transaction_id)
    if external_subscription_id is not None:
        keys = keys.filter(external_subscription_id=external_subscription_id)
    key = keys.order_by("-timestamp", "external_subscription_id").first()
    event = (
        key
        and UsageEvent.objects.filter(
            timestamp=key.timestamp,
            external_subscription_id=key.external_subscription_id,
            transaction_id=key.transaction_id,
        ).first()
    )
    if not event:
        raise errors.NotFound("event_not_found", "There is no event of that transaction id.")
    return event


def subscriptions(*, events: Iterable[UsageEvent]) -> Mapping[str, Subscription]:
    """Return the newest subscription behind each external id that the events name; unknown ids are left out."""
    wanted = {event.external_subscription_id for event in events}
    rows = Subscription.objects.filter(external_id__in=wanted).select_related("customer").order_by("started_at", "id")
    return {row.external_id: row for row in rows}


def started_at(*, external_subscription_id: str) -> datetime | None:
    """Return when the newest subscription of that external id started, or nothing."""
    rows = Subscription.objects.filter(external_id=external_subscription_id, started_at__isnull=False)
    return rows.order_by("-started_at").values_list("started_at", flat=True).first()

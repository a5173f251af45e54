"""Finding corrections of events: lists, and everything that happened to one event."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.models import EventCorrection

_LONGEST = 50


def listed(*, external_subscription_id: str | None = None, corrects: str | None = None) -> QuerySet[EventCorrection]:
    """Return corrections, newest first."""
    given = {"external_subscription_id": external_subscription_id, "corrects": corrects}
    return EventCorrection.objects.filter(**{name: value for name, value in given.items() if value is not None})


def chain(*, external_subscription_id: str, transaction_id: str) -> list[EventCorrection]:
    """Return what happened to an event, oldest first: what it replaced, and what replaced it or put it back.

    Follows the corrections from the event in both directions, fifty of them at most.
    """
    found: dict[int, EventCorrection] = {}
    names, seen = {transaction_id}, set()
    while names and len(found) < _LONGEST:
        rows = EventCorrection.objects.filter(external_subscription_id=external_subscription_id)
        seen |= names
        linked = [*rows.filter(corrects__in=names), *rows.filter(transaction_id__in=names)]
        found |= {row.pk: row for row in linked}
        names = {name for row in linked for name in (row.corrects, row.transaction_id)} - seen
    return sorted(found.values(), key=lambda row: (row.created_at, row.pk))

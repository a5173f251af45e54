"""Telling of usage events that are no good for billing: the periodic job, which collects those of the last hour.

Owns how far events were looked through. Taking events in knows nothing of it and is no slower for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from billing.models import EventErrorCursor
from billing.queries import event_errors
from billing.queries.event_errors import Written
from billing.services import webhook_types
from config.platform.queries import installation
from config.platform.services import outbox

_FIRST = timedelta(hours=1)


@dataclass(frozen=True)
class Told:
    """What a round told of: events that could not be computed, and events that are no good by another reason."""

    not_computed: int = 0
    errors: int = 0


@transaction.atomic
def run(*, as_of: datetime) -> Told:
    """Tell of the events that came since the last time and are no good: each one whose property could not be computed,
    and all others together. The periodic job.

    An event is looked at once, by the metrics of now. The first time, and after a restore from a dump, by which
    transactions are numbered anew, the last hour is looked at. Without an endpoint that wants to know nothing is read.
    One at a time; may be called any number of times.
    """
    EventErrorCursor.objects.get_or_create(singleton=True)
    cursor = EventErrorCursor.objects.select_for_update(no_key=True).get(singleton=True)
    written = event_errors.written(since=cursor.snapshot, first_from=as_of - _FIRST)
    told = Told(not_computed=_tell_each(written, as_of), errors=_tell_together(written, as_of))
    cursor.snapshot = written.until
    cursor.save(update_fields=["snapshot"])
    return told


def _tell_each(written: Written, at: datetime) -> int:
    if not outbox.wanting(webhook_types.EVENT_ERROR):
        return 0
    count = 0
    for page in event_errors.not_computed(written):
        outbox.record(webhook_types.EVENT_ERROR, page, at=at)
        count += len(page)
    return count


def _tell_together(written: Written, at: datetime) -> int:
    if not outbox.wanting(webhook_types.EVENTS_ERRORS):
        return 0
    found = event_errors.by_reason(written)
    if not found:
        return 0
    content = {reason: found.get(reason, []) for reason in event_errors.REASONS} | {"missing_group_key": []}
    ours = installation.current()
    outbox.record(webhook_types.EVENTS_ERRORS, [ours], at=at, extras={ours.pk: content})
    return len({one for ids in found.values() for one in ids})

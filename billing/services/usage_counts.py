"""Counting usage events for pages, a little at a time: only the quarters of an hour that events came for are counted
anew. Owns writing these counts; `billing.queries.usage_counts` reads them.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime

from django.db import transaction

from billing.models import UsageCount, UsageCountCursor
from billing.queries import usage_counts, usage_not_billable
from billing.services import event_cursors

NAMED = 5_000
"""Of more subscriptions with events that nobody can bill it is not kept which: events of theirs are everywhere."""

_COUNT = """
WITH touched AS MATERIALIZED (
    SELECT DISTINCT date_bin('15 minutes', "timestamp", 'epoch') AS starts_at FROM billing_usage_event
    WHERE written_in >= %(since)s AND "timestamp" >= date_bin('15 minutes', %(at)s - interval '70 days', 'epoch')
)
INSERT INTO billing_usagecount (starts_at, code, events)
SELECT touched.starts_at, event.code, event.events
FROM touched
CROSS JOIN LATERAL (
    SELECT code, count(*) AS events FROM billing_usage_event
    WHERE "timestamp" >= touched.starts_at AND "timestamp" < touched.starts_at + interval '15 minutes'
    GROUP BY code
) AS event
ON CONFLICT (starts_at, code) DO UPDATE SET events = excluded.events
"""  # of `usage_counts.KEPT_DAYS`

# The first time all events are read in the order in which they are stored.
_COUNT_ALL = """
INSERT INTO billing_usagecount (starts_at, code, events)
SELECT date_bin('15 minutes', "timestamp", 'epoch'), code, count(*) FROM billing_usage_event
WHERE written_in >= %(since)s AND "timestamp" >= date_bin('15 minutes', %(at)s - interval '70 days', 'epoch')
GROUP BY 1, 2
ON CONFLICT (starts_at, code) DO UPDATE SET events = excluded.events
"""


def run(*, as_of: datetime) -> int:
    """Count what came since the last time; return how many counts were written. Counting again changes nothing.

    Where there are many events, those that nobody can bill are counted too. Counts of days that no page shows are
    deleted.
    """
    with transaction.atomic():
        statement = _COUNT if UsageCount.objects.exists() else _COUNT_ALL
        counted = event_cursors.advance(UsageCountCursor, statement=statement, at=as_of)
        UsageCountCursor.objects.update(counted_at=as_of)
        UsageCount.objects.filter(starts_at__lt=usage_counts.oldest(at=as_of)).delete()
    kept = None
    if usage_counts.are_many(at=as_of):
        found, named = usage_not_billable.find(since=usage_counts.not_billable_since(at=as_of))
        few = {reason: group if len(group) <= NAMED else None for reason, group in named.items()}
        kept = {"counts": dataclasses.asdict(found), "subscriptions": few}
    UsageCountCursor.objects.update(not_billable=kept)
    return counted

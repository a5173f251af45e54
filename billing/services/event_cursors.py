"""Going through the events that came since the last time: once each, however late a transaction ends. Owns moving a
cursor; what is noted on the way is the statement's of whoever looks.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from billing.models import AlertCursor, ThresholdCursor, UsageCountCursor, WalletCursor
from billing.queries import late_usage_marks


def advance(
    cursor: type[AlertCursor | ThresholdCursor | UsageCountCursor | WalletCursor], *, statement: str, at: datetime
) -> int:
    """Run a statement over what was written ``since`` the last time, and return how many rows it made.

    It gets ``at`` and ``since`` as its parameters. No clock is asked: events that a look could not see yet are seen by
    the next one. After a restore from a dump transactions are numbered anew: then everything is looked at once more.
    One at a time; needs a transaction.
    """
    cursor.objects.get_or_create(singleton=True)
    held = cursor.objects.select_for_update(no_key=True).get(singleton=True)
    horizon = late_usage_marks.horizon()
    since = held.position if horizon >= held.position else 0
    with connection.cursor() as database:
        database.execute(statement, {"at": at, "since": since})
        found = int(database.rowcount)
    held.position = horizon
    held.save(update_fields=["position"])
    return found

"""Whether a run is still alive. Owns the sign that a run gives while it works: a lock of its database session, which is
gone when its process is, however it ended.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from billing.models import BillingRun

_NAME = "billing_run"


def appear(record: BillingRun) -> None:
    """Show that the run is alive, from before others can see it: call it in the transaction that makes the run."""
    _ask("pg_advisory_lock", record.pk)


def leave(record: BillingRun) -> None:
    """Show it no longer. A session that is gone has left by itself."""
    if connection.connection is not None and not connection.connection.closed:
        _ask("pg_advisory_unlock", record.pk)


def settle_abandoned(*, at: datetime) -> int:
    """Mark runs as failed whose process is gone, such as by a power cut, and return how many those were.

    What they billed stays billed, and what they did not is due as before. May be called any number of times.
    """
    settled = 0
    for record in BillingRun.objects.filter(status=BillingRun.Status.RUNNING).order_by("pk"):
        if not _ask("pg_try_advisory_lock", record.pk):
            continue
        try:
            settled += BillingRun.objects.filter(pk=record.pk, status=BillingRun.Status.RUNNING).update(
                status=BillingRun.Status.FAILED, finished_at=at
            )
        finally:
            _ask("pg_advisory_unlock", record.pk)
    return settled


def _ask(function: str, run_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(hashtextextended(%s, %s))", [_NAME, run_id])
        (answer,) = cursor.fetchone()
    return answer is True

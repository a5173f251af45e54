"""What is kept for a while only: the log of requests, the security log, answers to idempotency keys. Owns ending it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

from config.platform.models import IdempotencyRecord, RequestLog, SecurityLog

CHUNK = 5000


@dataclass(frozen=True)
class Purged:
    """How many rows of each were deleted."""

    requests: int
    security_entries: int
    remembered_answers: int


def run(*, as_of: datetime) -> Purged:
    """Delete what is older than the installation keeps it, by the days in its settings. A periodic job.

    May run any number of times and beside itself; each chunk of rows is deleted by itself.
    """
    return Purged(
        requests=_delete(RequestLog.objects.filter(at__lt=_before(as_of, settings.API_LOG_DAYS))),
        security_entries=_delete(SecurityLog.objects.filter(at__lt=_before(as_of, settings.SECURITY_LOG_DAYS))),
        remembered_answers=_delete(
            IdempotencyRecord.objects.filter(created_at__lt=_before(as_of, settings.IDEMPOTENCY_DAYS))
        ),
    )


def _before(as_of: datetime, days: int) -> datetime:
    return as_of - timedelta(days=days)


def _delete(rows: models.QuerySet[models.Model]) -> int:
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model._base_manager.filter(pk__in=keys).delete()[0]
    return deleted

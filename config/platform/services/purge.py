"""What is kept for a while only: the log of requests, the security log, looks at personal data, answers to idempotency
keys. Owns ending it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction

from config.platform.models import IdempotencyRecord, PersonalDataView, RequestLog, SecurityLog

CHUNK = 5000


@dataclass(frozen=True)
class Purged:
    """How many rows of each were deleted."""

    requests: int
    security_entries: int
    remembered_answers: int
    personal_views: int


def run(*, as_of: datetime) -> Purged:
    """Delete what is older than the installation keeps it, by the days in its settings. A periodic job.

    May run any number of times and beside itself; each chunk of rows is deleted by itself.
    """
    looks = PersonalDataView.objects.filter(at__lt=_before(as_of, settings.PERSONAL_VIEW_DAYS))
    return Purged(
        requests=_delete(RequestLog.objects.filter(at__lt=_before(as_of, settings.API_LOG_DAYS))),
        security_entries=_delete(SecurityLog.objects.filter(at__lt=_before(as_of, settings.SECURITY_LOG_DAYS))),
        remembered_answers=_delete(
            IdempotencyRecord.objects.filter(created_at__lt=_before(as_of, settings.IDEMPOTENCY_DAYS))
        ),
        personal_views=_delete(looks, allowed_by="quittance.purges_looks"),
    )


def _before(as_of: datetime, days: int) -> datetime:
    return as_of - timedelta(days=days)


def _delete(rows: models.QuerySet[Any], *, allowed_by: str = "") -> int:
    """Delete rows in chunks; ``allowed_by`` is what tells a table that lets nothing go that this is its purge."""
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with transaction.atomic():
            if allowed_by:
                _set(allowed_by, "on")
            deleted += rows.model._base_manager.filter(pk__in=keys).delete()[0]
            if allowed_by:
                _set(allowed_by, "off")
    return deleted


def _set(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])

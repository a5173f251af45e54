"""Which subscriptions have reached their spend cap, asked with every request that brings usage. Never writes rows.

What was read is kept for some seconds in this process, so that ingestion does not pay for it; where it is too much to
keep, the few that a request is about are looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.core.cache import cache
from django.db.models import QuerySet

from billing.models import SpendCap

SECONDS = 5
MOST = 1000
"""How many reached caps are kept at most."""

_KEY = "billing.reached_caps"


def among(*, external_ids: Iterable[str], at: datetime) -> list[str]:
    """Return those of the subscriptions whose cap is reached in the period that runs at ``at``, in order.

    As of some seconds ago at most. A cap goes until its period is over.
    """
    kept: tuple[bool, dict[str, int]] | None = cache.get(_KEY)
    if kept is None:
        rows = _until(_rows()[: MOST + 1])
        kept = (True, rows) if len(rows) <= MOST else (False, {})
        cache.set(_KEY, kept, SECONDS)
    is_all, known = kept
    if is_all and not known:
        return []
    wanted = set(external_ids)
    if not is_all:
        known = _until(_rows().filter(external_subscription_id__in=wanted))
    now = at.timestamp()
    return sorted(one for one in wanted if one in known and now < known[one])


def forget() -> None:
    """Read them again with the next request of this process."""
    cache.delete(_KEY)


def _until(rows: QuerySet[SpendCap, tuple[str, datetime]]) -> dict[str, int]:
    """Return the second up to which each cap goes: a number, as it is read with every request."""
    return {external_id: int(end.timestamp()) for external_id, end in rows}


def _rows() -> QuerySet[SpendCap, tuple[str, datetime]]:
    rows = SpendCap.objects.filter(reached_at__isnull=False).order_by()
    return rows.values_list("external_subscription_id", "period_to_at")

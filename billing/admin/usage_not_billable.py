"""Usage that nobody can bill yet, counted by reason: for the usage page and the overview."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache
from django.urls import reverse

from billing.queries import usage_not_billable
from billing.queries.usage_not_billable import NotBillable
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Figures, Head
from config.platform.admin.cells import Tone

DAYS = 60
CACHE_SECONDS = 60
"""Counting them may take a second on a busy installation: a minute old is new enough."""


def blocks(*, at: datetime) -> tuple[Block, ...]:
    """How many events of the last sixty days nobody can bill yet, by reason; nothing where there are none."""
    found = counted(at=at)
    if not found.total:
        return ()
    url = reverse("admin:billing_usageevent_changelist")
    shown = (
        ("No metric", found.metric, "a metric of their code makes them billable", "metric"),
        ("No subscription", found.subscription, "a subscription at their time makes them billable", "subscription"),
        ("Paused", found.paused, "their subscription was paused", "paused"),
        ("Not computed", found.expression, "an expression failed", "expression"),
        ("Time not billed", found.time, "their time was settled without them", "time"),
        ("Billed before its price", found.price, "not billed: the price came later", "price"),
        ("Value too large", found.value, "billing their customers fails: withdraw them", "value"),
    )
    return (
        Head("Not billable yet, of the last sixty days"),
        Figures(
            tuple(
                Figure(label, cells.number_text(count), hint, Tone.WARN, f"{url}?match={match}")
                for label, count, hint, match in shown
                if count
            )
        ),
    )


def counted(*, at: datetime) -> NotBillable:
    """The counts of the last sixty days, up to a minute old."""
    since = (at - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)
    found: NotBillable = cache.get_or_set(
        f"usage:not-billable:{since.isoformat()}",
        lambda: usage_not_billable.count(since=since),
        CACHE_SECONDS,
    )
    return found

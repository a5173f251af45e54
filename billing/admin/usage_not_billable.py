"""Usage that nobody can bill yet, counted by reason: for the usage page and the overview."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.urls import reverse

from billing.queries import usage_counts
from billing.queries.usage_counts import Lacking
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Figures, Head
from config.platform.admin.cells import Tone

CACHE_SECONDS = 60
"""A minute old is new enough."""


def blocks(*, at: datetime) -> tuple[Block, ...]:
    """How many events of the last sixty days nobody can bill yet, by reason; nothing where there are none."""
    lacking = counted(at=at)
    found = lacking.found
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
        Head(f"Not billable yet, of the last sixty days{since(lacking)}"),
        Figures(
            tuple(
                Figure(label, cells.number_text(count), hint, Tone.WARN, f"{url}?match={match}")
                for label, count, hint, match in shown
                if count
            )
        ),
    )


def counted(*, at: datetime) -> Lacking:
    """The counts of the last sixty days, up to a minute old; where there are many events, as the job counted them."""
    hour = usage_counts.not_billable_since(at=at)
    found: Lacking = cache.get_or_set(
        f"usage:not-billable:{hour.isoformat()}", lambda: usage_counts.not_billable(at=at), CACHE_SECONDS
    )
    return found


def since(lacking: Lacking) -> str:
    """When they were counted, where that was not now."""
    return "" if lacking.counted_at is None else f", counted {cells.instant_text(lacking.counted_at)}"

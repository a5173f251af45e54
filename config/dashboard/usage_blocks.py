"""Usage and runs on the overview: events by day, how many nobody can bill, the latest runs."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.cache import cache
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.admin import usage_not_billable
from billing.models import BillingRun
from billing.queries import dashboard, usage_counts
from billing.queries.usage_counts import Days
from config.kernel import dates
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Row, Series, Table, columns
from config.platform.admin.cells import Tone

CACHE_SECONDS = 60
"""A minute old is new enough."""

RUN_TONES = {
    BillingRun.Status.RUNNING: Tone.INFO,
    BillingRun.Status.SUCCEEDED: Tone.GOOD,
    BillingRun.Status.FAILED: Tone.BAD,
}


def by_day(*, at: datetime) -> Block:
    """Events of this month and the last by their own timestamps, up to a minute old, or as a job counted them."""
    today = at.astimezone(UTC).date()
    first = dates.add_months(today.replace(day=1), -1)
    counts = cache.get_or_set(
        f"overview:events:{today}",
        lambda: usage_counts.by_day(first=first, last=today, tz=dates.zone("UTC"), at=at),
        CACHE_SECONDS,
    )
    return Chart(
        "Usage events by day",
        tuple(formats.date_format(day, "j M") for day in counts.events),
        (Series("Events", tuple(counts.events.values()), "info"),),
        empty="No events in this month and the last. Make an API key and send usage to see it here.",
        action=cells.link("Usage", reverse("admin:billing_usageevent_changelist")),
        note=_note(counts, at),
    )


def runs() -> Block:
    """The latest billing runs."""
    rows = tuple(
        Row(
            (
                cells.stack(cells.to(run), cells.instant(run.created_at)),
                cells.badge(run.get_status_display(), RUN_TONES[BillingRun.Status(run.status)]),
                cells.number(run.customers_total),
                cells.number(run.invoices_count),
                cells.number(run.failures_count),
            )
        )
        for run in dashboard.latest_runs(count=5)
    )
    return Table(
        "Latest billing runs",
        columns("Run", "Result", "Customers#", "Invoices#", "Failures#"),
        rows,
        empty="No run yet. The scheduler starts one every hour, and you can start one now.",
        action=cells.link("All runs", reverse("admin:billing_billingrun_changelist")),
    )


def _note(counts: Days, at: datetime) -> SafeString | str:
    """When the events were counted, where that was not now, and how many of the last sixty days nobody can bill yet."""
    counted = "" if counts.counted_at is None else f"Counted {cells.instant_text(counts.counted_at)}."
    found = usage_not_billable.counted(at=at).found
    if not found.total:
        return counted
    text = f"{cells.number_text(found.total)} events of the last 60 days cannot be billed yet"
    url = reverse("admin:billing_usageevent_changelist")
    return format_html("{}: see why. {}", cells.link(text, url), counted)

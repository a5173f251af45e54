"""Usage and runs on the overview: events by day, the latest runs, what failed."""

from __future__ import annotations

from datetime import UTC, datetime

from django.core.cache import cache
from django.urls import reverse
from django.utils import formats

from billing.admin import usage_not_billable
from billing.models import BillingRun
from billing.queries import dashboard, late_usage
from config.kernel import dates
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Figure, Row, Series, Table, columns
from config.platform.admin.cells import Tone

CACHE_SECONDS = 60
"""Counting a month of events may take a second on a busy installation: a minute old is new enough."""

RUN_TONES = {
    BillingRun.Status.RUNNING: Tone.INFO,
    BillingRun.Status.SUCCEEDED: Tone.GOOD,
    BillingRun.Status.FAILED: Tone.BAD,
}


def by_day(*, at: datetime) -> Block:
    """Events of this month and the last by their own timestamps, up to a minute old."""
    today = at.astimezone(UTC).date()
    first = dates.add_months(today.replace(day=1), -1)
    counts = cache.get_or_set(
        f"overview:events:{today}",
        lambda: dashboard.events_by_day(first=first, last=today, tz=dates.zone("UTC")),
        CACHE_SECONDS,
    )
    return Chart(
        "Usage events by day",
        tuple(formats.date_format(day, "j M") for day in counts),
        (Series("Events", tuple(counts.values()), "info"),),
        empty="No events in this month and the last. Make an API key and send usage to see it here.",
        action=cells.link("Usage", reverse("admin:billing_usageevent_changelist")),
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


def not_billable_figure(*, at: datetime) -> Figure:
    """Events of the last sixty days that nobody can bill yet, up to a minute old."""
    found = usage_not_billable.counted(at=at)
    url = reverse("admin:billing_usageevent_changelist")
    tone = Tone.WARN if found.total else Tone.NEUTRAL
    return Figure("Not billable yet", cells.number_text(found.total), "events of the last 60 days", tone, url)


def late_usage_figure() -> Figure:
    """Late usage that waits for a decision."""
    count = late_usage.held()
    url = f"{reverse('admin:billing_lateusage_changelist')}?state=held"
    return Figure("Late usage", cells.number_text(count), "to be decided", Tone.WARN if count else Tone.NEUTRAL, url)


def failures_figure() -> Figure:
    """What went wrong in the latest run."""
    latest = dashboard.latest_runs(count=1).first()
    failures = 0 if latest is None else latest.failures_count
    hint = "in the latest run" if latest is not None else "no run yet"
    url = "" if latest is None else cells.page_url(latest)
    return Figure("Failures", cells.number_text(failures), hint, Tone.BAD if failures else Tone.NEUTRAL, url)

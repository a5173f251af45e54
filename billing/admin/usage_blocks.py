"""Usage on pages: events by day, and what the running period comes to so far."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.utils import formats

from billing.models import Subscription
from billing.queries import current_usage, dashboard
from billing.queries.current_usage import CurrentUsage
from config.kernel import dates, errors
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Note, Row, Series, Table, columns
from config.platform.admin.cells import Tone

DAYS = 60


def of_subscription(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """The running period of a subscription, and its events of the last sixty days."""
    zone = subscription.customer.applicable_timezone
    return (
        current(subscription, at=at),
        by_day([subscription.external_id], at=at, timezone=zone),
    )


def current(subscription: Subscription, *, at: datetime) -> Block:
    """What the running period comes to so far, as it would be billed."""
    try:
        usage = current_usage.read(
            external_customer_id=subscription.customer.external_id,
            external_subscription_id=subscription.external_id,
            at=at,
        )
    except errors.DomainError as refusal:
        return Note(f"No running period: {refusal.message}", Tone.NEUTRAL)
    return _table(usage, subscription.customer.applicable_timezone)


def by_day(external_ids: Collection[str], *, at: datetime, timezone: str, code: str | None = None) -> Chart:
    """Events of the last sixty local days of some subscriptions."""
    zone = dates.zone(timezone)
    today = dates.local_date(at, zone)
    counts = dashboard.events_by_day(
        first=today - timedelta(days=DAYS - 1), last=today, tz=zone, external_subscription_ids=external_ids, code=code
    )
    return chart(counts, empty="No events in the last sixty days.")


def chart(counts: dict[object, int], *, empty: str) -> Chart:
    """Numbers of events by day, drawn."""
    return Chart(
        "Events by day",
        tuple(formats.date_format(day, "j M") for day in counts),
        (Series("Events", tuple(counts.values()), "info"),),
        height=200,
        empty=empty,
    )


def _table(usage: CurrentUsage, timezone: str) -> Table:
    rows = [
        Row(
            (
                cells.stack(
                    one.metric.name, one.charge.name if one.charge.name != one.metric.name else one.metric.code
                ),
                cells.number(one.events_count),
                cells.number(one.units),
                cells.money(one.amount),
            )
        )
        for one in usage.charges
    ]
    if rows:
        rows.append(Row(("Usage so far, net", "", "", cells.money(usage.amount.net)), is_total=True))
        rows.append(Row(("With taxes", "", "", cells.money(usage.amount.gross))))
    return Table(
        f"Running period: {cells.period_text(usage.from_at, usage.ends_at, timezone)}",
        columns("Metric", "Events#", "Units#", "Amount so far#"),
        tuple(rows),
        empty="The plan has no prices for usage: only its fee is billed.",
    )

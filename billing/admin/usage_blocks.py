"""Usage on pages: events by day, what the running period comes to so far and at its end, what was billed, and all of it
since the first day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import formats

from billing.models import Subscription
from billing.queries import dashboard, lifetime_usage, past_usage, projected_usage
from billing.queries.current_usage import CurrentUsage
from billing.queries.past_usage import PastUsage
from config.kernel import dates, errors
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Figure, Figures, Note, Row, Series, Table, columns
from config.platform.admin.cells import Tone

DAYS = 60
PERIODS = 12
CHARGES = 5
_TONES = ("accent", "info", "good", "warn", "neutral")
_INSTANT = timedelta(microseconds=1)


def of_subscription(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """A subscription's usage since its first day, its running period, its last billed ones, and its last events."""
    zone = subscription.customer.applicable_timezone
    running: CurrentUsage | None = None
    try:
        running = projected_usage.read(
            external_customer_id=subscription.customer.external_id,
            external_subscription_id=subscription.external_id,
            at=at,
        )
        now: Block = _table(running, zone)
    except errors.DomainError as refusal:
        now = Note(f"No running period: {refusal.message}", Tone.NEUTRAL)
    return (
        lifetime(subscription, at=at, running=running),
        now,
        past(subscription),
        by_day([subscription.external_id], at=at, timezone=zone),
    )


def lifetime(subscription: Subscription, *, at: datetime, running: CurrentUsage | None) -> Figures:
    """All usage of a subscription, net: in an earlier system, billed, and of this period."""
    found = lifetime_usage.of(subscription=subscription, at=at, running=running)
    before = cells.money_text(found.historical)
    return Figures(
        (
            Figure("Usage in all", cells.money_text(found.total), f"{before} of it in an earlier system"),
            Figure("Billed before", cells.money_text(found.invoiced), "net, on invoices and drafts"),
            Figure("So far in this period", cells.money_text(found.current), "net, what is paid in advance included"),
            Figure(
                "Expected in this period",
                cells.EMPTY if running is None else cells.money_text(running.projected_amount),
                "net, if usage goes on as so far",
            ),
        )
    )


def past(subscription: Subscription) -> Chart:
    """The usage of the last billed periods by charge, net: the largest charges, and all others together."""
    rows = past_usage.of_customer(
        customer_id=subscription.customer_id,
        external_subscription_id=subscription.external_id,
        periods_count=PERIODS,
    )
    currency = subscription.plan_version.currency
    periods = [one for one in reversed(past_usage.read(found=list(rows))) if one.currency == currency]
    zone = dates.zone(subscription.customer.applicable_timezone)
    return Chart(
        "Billed usage by period",
        tuple(formats.date_format(dates.local_date(one.ends_at - _INSTANT, zone), "j M y") for one in periods),
        _series(periods),
        currency=currency,
        stacked=True,
        height=220,
        empty="No usage was billed yet.",
        note="By the last day of each period, net of taxes, as billed.",
    )


def _series(periods: Sequence[PastUsage]) -> tuple[Series, ...]:
    amounts: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(periods))
    for place, period in enumerate(periods):
        for one in period.charges:
            amounts[one.charge.name][place] += one.amount.amount
    largest = sorted(amounts, key=lambda name: (-sum(amounts[name]), name))
    shown = [(name, amounts[name]) for name in largest[: CHARGES - 1]]
    rest = [amounts[name] for name in largest[CHARGES - 1 :]]
    if rest:
        shown.append(("Others", [sum(column, Decimal(0)) for column in zip(*rest, strict=True)]))
    return tuple(Series(name, tuple(values), tone) for (name, values), tone in zip(shown, _TONES, strict=False))


def by_day(external_ids: Collection[str], *, at: datetime, timezone: str, code: str | None = None) -> Chart:
    """Events of the last sixty local days of some subscriptions."""
    zone = dates.zone(timezone)
    today = dates.local_date(at, zone)
    counts = dashboard.events_by_day(
        first=today - timedelta(days=DAYS - 1), last=today, tz=zone, external_subscription_ids=external_ids, code=code
    )
    return chart(counts, empty="No events in the last sixty days.")


def chart(counts: Mapping[date, int], *, empty: str, note: str = "") -> Chart:
    """Numbers of events by day, drawn."""
    return Chart(
        "Events by day",
        tuple(formats.date_format(day, "j M") for day in counts),
        (Series("Events", tuple(counts.values()), "info"),),
        height=200,
        empty=empty,
        note=note,
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
                cells.number(one.projected_units),
                cells.money(one.projected_amount),
            )
        )
        for one in usage.charges
    ]
    if rows:
        sums = cells.money(usage.amount.net), "", cells.money(usage.projected_amount)
        rows.append(Row(("Usage, net", "", "", *sums), is_total=True))
        rows.append(Row(("With taxes", "", "", cells.money(usage.amount.gross), "", "")))
    return Table(
        f"Running period: {cells.period_text(usage.from_at, usage.ends_at, timezone)}",
        columns("Metric", "Events#", "Units#", "Amount so far#", "Units expected#", "Amount expected#"),
        tuple(rows),
        empty="The plan has no prices for usage: only its fee is billed.",
    )

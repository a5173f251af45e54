"""Alerts, the spend cap and notices of the end, on the page of a subscription and on the overview."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from billing.domain.alerts import AlertType
from billing.models import Subscription, TriggeredAlert, UsageAlert
from billing.queries import alerts as known
from billing.queries.alerts import Spend
from config.kernel import dates, errors, money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Note, Progress, Row, Table, columns
from config.platform.admin.cells import Tone

_FIRINGS = 50
_ENDS = 10


def of_subscription(subscription: Subscription, *, at: datetime) -> tuple[Block, ...]:
    """The spend cap with a bar, the alerts and what they told; nothing where there are none and were none."""
    found: list[Block] = []
    spend = _spend(subscription, at)
    if spend is not None:
        found += [_cap(spend), *_reached(spend)]
    currency = subscription.plan_version.currency
    alerts = list(known.of_subscription(subscription))
    if alerts:
        found.append(
            Table(
                "Alerts",
                columns("Alert", "Watches", "Values", "Seen last#", "Looked at"),
                tuple(Row(_alert(one, currency)) for one in alerts),
            )
        )
    fired = known.triggered().filter(
        alert__customer=subscription.customer_id, alert__external_subscription_id=subscription.external_id
    )
    rows = list(fired[:_FIRINGS])
    if rows:
        found.append(firings(rows))
    return tuple(found)


def firings(rows: list[TriggeredAlert]) -> Table:
    """What alerts told."""
    return Table(
        "Told",
        columns("When", "Alert", "Crossed", "Before#", "Now#"),
        tuple(
            Row(
                (
                    cells.instant(row.triggered_at),
                    cells.to(row.alert, str(row)),
                    crossed(row),
                    value(row.previous_value, row.alert_type, row.currency),
                    value(row.current_value, row.alert_type, row.currency),
                )
            )
            for row in rows
        ),
    )


def crossed(row: TriggeredAlert) -> str:
    """The values that were crossed, the first few."""
    shown = [value(Decimal(one["value"]), row.alert_type, row.currency) for one in row.crossed]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    return ", ".join(shown[:5]) + more


def value(found: Decimal, alert_type: str, currency: str) -> str:
    """A value of an alert: money or units."""
    if AlertType(alert_type).is_of_amount:
        return cells.money_text(money.from_minor(int(found), currency))
    return cells.number_text(found)


def thresholds(alert: UsageAlert, currency: str) -> str:
    """The values that an alert watches for."""
    parts = []
    for one in known.thresholds(alert):
        text = value(one.value, alert.alert_type, currency)
        parts.append(f"every {text} beyond" if one.recurring else text)
    return ", ".join(parts)


def watched(alert: UsageAlert) -> str:
    """What an alert watches."""
    text = alert.get_alert_type_display()
    return text if alert.metric is None else f"{text}: {alert.metric.name}"


def notices(subscription: Subscription) -> tuple[Note, ...]:
    """A word about the end, once notice of it was given."""
    given = known.notices(subscription)
    if not given or subscription.ending_at is None:
        return ()
    zone = dates.zone(subscription.customer.applicable_timezone)
    day = cells.day_text(dates.local_date(subscription.ending_at, zone))
    since = cells.instant_text(given[0].created_at)
    return (Note(f"Ends on {day}. Notice was given {given[0].days_before} days before: {since}.", Tone.WARN),)


def ends(*, at: datetime) -> Table | None:
    """The next subscriptions to end, of those that notice was given of; nothing where there are none."""
    rows = list(known.ending(as_of=at)[:_ENDS])
    if not rows:
        return None
    return Table(
        "Coming to their end",
        columns("Subscription", "Customer", "Plan", "Ends"),
        tuple(
            Row(
                (
                    cells.to(one),
                    one.customer.display_name,
                    one.plan_version.plan.name,
                    cells.local_day(one.ending_at, one.customer.applicable_timezone),
                )
            )
            for one in rows
        ),
    )


def _spend(subscription: Subscription, at: datetime) -> Spend | None:
    try:
        return known.spend(external_id=subscription.external_id, status=subscription.status, at=at)
    except errors.NotFound:
        return None


def _cap(spend: Spend) -> Progress:
    def shown(cents: int) -> str:
        return cells.money_text(money.from_minor(cents, spend.currency))

    return Progress(
        f"Spend cap: {shown(spend.spent_cents)} of {shown(spend.cap_cents)} used in this period",
        done=min(max(spend.spent_cents, 0), spend.cap_cents),
        total=spend.cap_cents,
        is_running=False,
        items=(
            Figure("Left", shown(spend.remaining_cents)),
            Figure("As of", cells.instant(spend.as_of)),
        ),
    )


def _reached(spend: Spend) -> tuple[Note, ...]:
    if spend.reached_at is None:
        return ()
    return (Note(f"The cap was reached on {cells.instant_text(spend.reached_at)}. Usage goes on.", Tone.WARN),)


def _alert(alert: UsageAlert, currency: str) -> tuple[object, ...]:
    return (
        cells.to(alert, str(alert)),
        watched(alert),
        thresholds(alert, currency),
        value(alert.previous_value, alert.alert_type, currency),
        cells.instant(alert.last_processed_at),
    )

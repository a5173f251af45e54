"""Holding usage against alerts and spend caps. Owns the periodic job and the transaction in which one subscription is
looked at: what fires is kept as a row, what was seen last is set.

The mark of a subscription is the lock: of two who look at once one goes on. Behind it stands a unique key: a firing
has a number. Nothing is billed and nothing refused because of an alert or a cap.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.domain import alerts
from billing.domain.alerts import AlertType, Seen, Threshold
from billing.models import AlertCheck, SpendCap, Subscription, TriggeredAlert, UsageAlert
from billing.queries import alert_values, reached_caps
from billing.queries import alerts as known
from billing.queries.alert_values import Watched
from billing.services import alert_marks, webhook_types
from config.kernel import db, money
from config.platform.services import outbox

log = logging.getLogger(__name__)

_PAGE = 500
_PLACES = 15
_MOST = Decimal(10) ** 24
"""What a stored value holds; no usage that can be billed comes near it."""


@dataclass(frozen=True)
class Checked:
    """What a round did: subscriptions looked at, alerts that fired, caps that were reached, and what failed."""

    subscriptions: int
    alerts: int
    caps: int
    failed: dict[str, str]


@dataclass(frozen=True)
class Told:
    """What one look at a subscription told: alerts that fired, and whether its cap was reached by it."""

    alerts: int = 0
    caps: int = 0


def run(*, as_of: datetime) -> Checked:
    """Hold usage against alerts and caps: the periodic job.

    Looks at subscriptions that events came for since the last time, whose period or plan is a new one, and at those
    that failed. Each is a transaction of its own: one that fails is told, kept and tried again, and stops no other. May
    be called any number of times, beside itself too.
    """
    alert_marks.look(at=as_of)
    done = fired = reached = 0
    failed: dict[str, str] = {}
    after = 0
    while page := _waiting(after):
        for row in page:
            try:
                found = check(check_id=row.pk, as_of=as_of)
            except Exception as error:  # whatever one subscription fails by must not keep the others waiting
                name = row.subscription.external_id
                log.exception("the usage of subscription %s could not be held against its alerts", name)
                failed[name] = str(error)
                AlertCheck.objects.filter(pk=row.pk).update(error=str(error) or type(error).__name__)
                continue
            if found is not None:
                done, fired, reached = done + 1, fired + found.alerts, reached + found.caps
        after = page[-1].pk
    return Checked(done, fired, reached, failed)


@transaction.atomic
def check(*, check_id: int, as_of: datetime) -> Told | None:
    """Look at one subscription that waits for it; nothing where another one looks at it or did so. Raises what rating
    raises.
    """
    rows = AlertCheck.objects.filter(pk=check_id)
    found = rows.select_for_update(no_key=True, skip_locked=True).first()
    if found is None:
        return None
    subscription = Subscription.objects.select_related("plan_version", "customer__billing_entity").get(
        pk=found.subscription_id
    )
    told = evaluate(subscription=subscription, at=as_of)
    alert_marks.release(found)
    return told


@transaction.atomic
def evaluate(*, subscription: Subscription, at: datetime) -> Told:
    """Hold the usage of a subscription that the caller holds against its alerts and cap.

    A firing tells all thresholds in the half-open move from the value that was seen last, which starts anew with each
    period, to the present one. Calling it again tells nothing. One that does not run has no usage to be told of.
    Raises what rating raises.
    """
    if subscription.status != Subscription.Status.ACTIVE or (subscription.started_at or at) > at:
        return Told()
    rows = known.of_subscription(subscription).select_related(None).select_related("metric")
    watching = list(rows.select_for_update(no_key=True, of=("self",)))
    cap = db.lock(SpendCap.objects.filter(pk__in=_pks(known.cap(subscription))))
    if not watching and not cap:
        return Told()
    watched = alert_values.read(subscription=subscription, at=at)
    fired = [row for alert in watching if (row := _see(alert, subscription, watched, at)) is not None]
    TriggeredAlert.objects.bulk_create(fired)
    UsageAlert.objects.bulk_update(
        watching,
        ["previous_value", "last_processed_at", "subscription", "period_from_at", "period_to_at", "firings"],
    )
    outbox.record(webhook_types.ALERT_TRIGGERED, fired, at=at)
    return Told(len(fired), sum(_spend(one, subscription, watched, at) for one in cap))


def _pks(cap: SpendCap | None) -> list[int]:
    return [] if cap is None else [cap.pk]


def _waiting(after: int) -> list[AlertCheck]:
    return list(AlertCheck.objects.filter(pk__gt=after).select_related("subscription").order_by("pk")[:_PAGE])


def _see(alert: UsageAlert, subscription: Subscription, watched: Watched | None, at: datetime) -> TriggeredAlert | None:
    """Set what an alert saw, and return its firing if it fires."""
    seen = Seen(alert.previous_value, alert.subscription_id, alert.period_from_at, alert.period_to_at)
    alert.subscription, alert.last_processed_at = subscription, at
    if watched is None:  # a time of which no usage is billed
        alert.period_from_at = alert.period_to_at = None
        return None
    kind, period = AlertType(alert.alert_type), watched.period
    metric_code = "" if alert.metric is None else alert.metric.code
    current = _stored(watched.value(alert_type=kind, metric_code=metric_code))
    previous = alerts.start(alert_type=kind, seen=seen, subscription_id=subscription.pk, from_at=period.start)
    crossed = alerts.crossed(thresholds=known.thresholds(alert), previous=previous, current=current)
    alert.previous_value, alert.period_from_at, alert.period_to_at = current, period.start, period.end
    if not crossed:
        return None
    alert.firings += 1
    return TriggeredAlert(
        created_at=at,
        alert=alert,
        number=alert.firings,
        subscription=subscription,
        alert_type=alert.alert_type,
        alert_code=alert.code,
        alert_name=alert.name,
        metric_code=metric_code,
        currency=watched.usage.currency,
        previous_value=previous,
        current_value=current,
        crossed=[_told(one) for one in crossed],
        period_from_at=period.start,
        period_to_at=period.end,
        triggered_at=at,
    )


def _told(threshold: Threshold) -> dict[str, object]:
    return {"code": threshold.code, "value": format(threshold.value, "f"), "recurring": threshold.recurring}


def _stored(value: Decimal) -> Decimal:
    """Return a value as its column holds it."""
    return money.round_half_up(max(min(value, _MOST), -_MOST), _PLACES)


def _spend(cap: SpendCap, subscription: Subscription, watched: Watched | None, at: datetime) -> bool:
    """Set how much of a cap is spent; say whether it was reached now. In a new period it is not, until it is again."""
    before = Seen(Decimal(cap.spent_cents), cap.subscription_id, cap.period_from_at, cap.period_to_at)
    was_reached = cap.reached_at
    cap.subscription, cap.last_processed_at = subscription, at
    if watched is None:
        cap.spent_cents, cap.reached_at, cap.period_from_at, cap.period_to_at = 0, None, None, None
    else:
        is_new = before.subscription_id != subscription.pk or alerts.is_over(before, watched.period.start)
        cap.spent_cents = watched.spent_cents
        cap.period_from_at, cap.period_to_at = watched.period.start, watched.period.end
        since = at if is_new or was_reached is None else was_reached
        cap.reached_at = since if cap.spent_cents >= cap.amount_cents else None
    cap.save(
        update_fields=[
            *("spent_cents", "last_processed_at", "subscription", "period_from_at", "period_to_at", "reached_at")
        ]
    )
    if cap.reached_at != was_reached:
        transaction.on_commit(reached_caps.forget)
    return cap.reached_at is not None and cap.reached_at != was_reached

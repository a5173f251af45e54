"""Alerts, spend caps and notices of ends as readers want them. Never writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Prefetch, QuerySet

from billing.domain.alerts import Threshold
from billing.models import AlertCheck, SpendCap, Subscription, SubscriptionNotice, TriggeredAlert, UsageAlert
from config.kernel import errors, statements

# Written out: products ask for this at every turn. A cap of a period that is over was not reached in the running one.
_ENDING = (Subscription.Status.ACTIVE, Subscription.Status.PAUSED)
_SPEND = """
SELECT version.currency, cap.amount_cents, cap.spent_cents, cap.reached_at, cap.period_from_at, cap.period_to_at,
    cap.last_processed_at, cap.subscription_id = subscription.id
FROM billing_subscription subscription
JOIN catalog_planversion version ON version.id = subscription.plan_version_id
LEFT JOIN billing_spendcap cap
    ON cap.customer_id = subscription.customer_id AND cap.external_subscription_id = subscription.external_id
WHERE subscription.external_id = %(external_id)s AND subscription.status = %(status)s
ORDER BY subscription.created_at DESC, subscription.id DESC LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Spend:
    """How a subscription stands to its cap, net and in minor units; ``as_of`` is when its usage was looked at.

    Once the period is over, or another plan has taken over, nothing was spent until the usage is looked at again: then
    the bounds of the period are not known either.
    """

    external_id: str
    currency: str
    cap_cents: int
    spent_cents: int
    reached_at: datetime | None
    from_at: datetime | None
    to_at: datetime | None
    as_of: datetime | None

    @property
    def remaining_cents(self) -> int:
        """Return what may be spent until the cap is reached; nothing beyond it."""
        return max(self.cap_cents - self.spent_cents, 0)


def of_subscription(subscription: Subscription) -> QuerySet[UsageAlert]:
    """Return the alerts of a subscription in the order of their making, with metrics and thresholds."""
    return of_external_id(customer_id=subscription.customer_id, external_id=subscription.external_id)


def of_external_id(*, customer_id: int, external_id: str) -> QuerySet[UsageAlert]:
    """Return the alerts of a customer's subscriptions of an external id, with metrics and thresholds."""
    rows = UsageAlert.objects.filter(
        customer=customer_id, external_subscription_id=external_id, deleted_at__isnull=True
    )
    return rows.select_related("metric").prefetch_related("metric__filters", "thresholds").order_by("pk")


def find(*, subscription: Subscription, code: str) -> UsageAlert:
    """Return an alert by its code. Raises NotFound (`alert_not_found`)."""
    found = of_subscription(subscription).filter(code=code).first()
    if found is None:
        raise errors.NotFound("alert_not_found", f"There is no alert {code}.")
    return found


def thresholds(alert: UsageAlert) -> tuple[Threshold, ...]:
    """Return the thresholds of an alert as plain values."""
    return tuple(Threshold(row.value, row.recurring, row.code) for row in alert.thresholds.all())


def cap(subscription: Subscription) -> SpendCap | None:
    """Return the spend cap that goes for a subscription."""
    return SpendCap.objects.filter(
        customer=subscription.customer_id, external_subscription_id=subscription.external_id
    ).first()


def spend(*, external_id: str, at: datetime, status: str = Subscription.Status.ACTIVE) -> Spend:
    """Return how a subscription stands to its cap at ``at``. One statement.

    Raises NotFound (`subscription_not_found`, `spend_cap_not_found`).
    """
    rows = statements.fetch_prepared(_SPEND, {"external_id": external_id, "status": str(status)})
    if not rows:
        raise errors.NotFound("subscription_not_found", f"There is no {status} subscription {external_id}.")
    currency, cap_cents, spent, reached_at, start, end, seen_at, is_seen = rows[0]
    if cap_cents is None:
        raise errors.NotFound("spend_cap_not_found", f"No spend cap was agreed for {external_id}.")
    if not is_seen or (end is not None and end <= at):
        spent, reached_at, start, end = 0, None, None, None
    return Spend(external_id, currency, cap_cents, spent, reached_at, start, end, seen_at)


def triggered() -> QuerySet[TriggeredAlert]:
    """Return all firings, the latest first, with alert, subscription and customer."""
    rows = TriggeredAlert.objects.select_related("alert", "subscription__customer__billing_entity")
    return rows.order_by("-triggered_at", "-pk")


def failed() -> QuerySet[AlertCheck]:
    """Return the subscriptions whose usage could not be held against their alerts, oldest first."""
    return AlertCheck.objects.exclude(error="").select_related("subscription").order_by("pk")


def ending(*, as_of: datetime) -> QuerySet[Subscription]:
    """Return the active and paused subscriptions that notice was given of, with the notices of the end agreed on now.

    The first to end come first. Those whose end moved or was called off are not there.
    """
    current = SubscriptionNotice.objects.filter(ending_at=F("subscription__ending_at")).order_by("days_before")
    rows = Subscription.objects.filter(
        status__in=_ENDING,
        ending_at__gt=as_of,
        pk__in=current.order_by().values("subscription"),
        customer__deleted_at__isnull=True,
    )
    found = rows.select_related("customer__billing_entity", "plan_version__plan")
    return found.prefetch_related(Prefetch("notices", queryset=current)).order_by("ending_at", "pk")


def notices(subscription: Subscription) -> list[SubscriptionNotice]:
    """Return the notices of the end that is agreed now, the latest first; none where it ended or does not end."""
    if subscription.status not in _ENDING or subscription.ending_at is None:
        return []
    rows = SubscriptionNotice.objects.filter(subscription=subscription, ending_at=subscription.ending_at)
    return list(rows.order_by("days_before"))


def subscription_of(alert: UsageAlert) -> Subscription | None:
    """Return the subscription that an alert goes for: the active one, else one that is paused or waits to start."""
    order = (Subscription.Status.ACTIVE, Subscription.Status.PAUSED, Subscription.Status.PENDING)
    rows = Subscription.objects.filter(
        customer=alert.customer_id, external_id=alert.external_subscription_id, status__in=order
    )
    found = rows.select_related("plan_version__plan", "customer__billing_entity")
    return min(found, key=lambda one: order.index(Subscription.Status(one.status)), default=None)

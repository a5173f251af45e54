"""Usage thresholds: which go for a subscription, which were passed, and what was billed at them. Never writes.

Those that were agreed on with the customer for a subscription go before those of its plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from billing.domain.progressive import Completion, Reached, Threshold, completions
from billing.models import AppliedUsageThreshold, BilledPeriod, Subscription, SubscriptionThreshold
from billing.queries.lifetime_usage import Lifetime
from catalog.models import UsageThreshold
from config.kernel import money
from config.kernel.dates import Period
from invoicing.models import Invoice


@dataclass(frozen=True, slots=True)
class Level:
    """The usage that was billed at thresholds in periods that no invoice has billed yet, net and in minor units.

    ``running`` is that of the running period, ``earlier`` that of earlier ones.
    """

    running: int
    earlier: int


def own(subscription: Subscription) -> list[SubscriptionThreshold]:
    """Return the thresholds that were agreed on for a subscription itself, by amount, the recurring one last."""
    rows = SubscriptionThreshold.objects.filter(
        customer=subscription.customer_id, external_subscription_id=subscription.external_id
    )
    return list(rows)


def of_subscriptions(found: Sequence[Subscription]) -> dict[int, list[SubscriptionThreshold]]:
    """Return the thresholds of subscriptions themselves, by subscription; those without any are left out. One query."""
    rows = SubscriptionThreshold.objects.filter(
        customer__in={one.customer_id for one in found}, external_subscription_id__in={one.external_id for one in found}
    )
    by_id: dict[tuple[int, str], list[SubscriptionThreshold]] = defaultdict(list)
    for row in rows:
        by_id[row.customer_id, row.external_subscription_id].append(row)
    keys = {one.pk: (one.customer_id, one.external_id) for one in found}
    return {pk: by_id[key] for pk, key in keys.items() if key in by_id}


def applicable(subscription: Subscription) -> Sequence[SubscriptionThreshold | UsageThreshold]:
    """Return the thresholds that go for a subscription: its own, else those of its plan."""
    return own(subscription) or list(subscription.plan_version.usage_thresholds.all())


def as_values(rows: Sequence[SubscriptionThreshold | UsageThreshold]) -> tuple[Threshold, ...]:
    """Return thresholds as plain values."""
    return tuple(Threshold(row.key, row.amount_cents, row.recurring, row.name) for row in rows)


def progress(lifetime: Lifetime) -> tuple[Completion, ...]:
    """Return how far the lifetime usage of a subscription is towards its thresholds, as seen at the end of its time."""
    subscription = lifetime.subscription
    rows = AppliedUsageThreshold.objects.filter(
        subscription__customer=subscription.customer_id, subscription__external_id=subscription.external_id
    )
    found = rows.order_by("pk").values_list("threshold_key", "lifetime_cents", "created_at")
    return completions(
        thresholds=as_values(applicable(subscription)),
        total=money.to_minor(lifetime.total),
        reached=[Reached(key, cents, at) for key, cents, at in found],
        at=lifetime.to_at,
    )


def level(*, subscription: Subscription, running: Period) -> Level:
    """Return what was billed at thresholds and is on no invoice of its period yet, of all plans of the external id."""
    billed = BilledPeriod.objects.filter(
        subscription=OuterRef("subscription"),
        released_at__isnull=True,
        charges_from_at__lte=OuterRef("period_from_at"),
        charges_to_at__gt=OuterRef("period_from_at"),
    ).exclude(reason__in=BilledPeriod.WITHIN)
    rows = (
        applied(subscription)
        .filter(~Exists(billed))
        .order_by("period_from_at", "pk")
        .values_list("subscription_id", "period_from_at", "period_to_at", "usage_cents")
    )
    middle = running.start + (running.end - running.start) / 2
    latest: dict[tuple[int, datetime], tuple[datetime, int]] = {}
    for subscription_id, start, end, cents in rows:
        latest[subscription_id, start] = end, cents
    now = earlier = 0
    for (subscription_id, start), (end, cents) in latest.items():
        if subscription_id == subscription.pk and start <= middle < end:
            now = cents
        else:
            earlier += cents
    return Level(running=now, earlier=earlier)


def applied(subscription: Subscription) -> QuerySet[AppliedUsageThreshold]:
    """Return the thresholds that were passed under the external id; without those whose invoice was voided."""
    return AppliedUsageThreshold.objects.filter(
        Q(invoice__isnull=True) | ~Q(invoice__status=Invoice.Status.VOIDED),
        subscription__customer=subscription.customer_id,
        subscription__external_id=subscription.external_id,
        currency=subscription.plan_version.currency,
    )


def with_thresholds() -> Q:
    """Return the condition of subscriptions that are billed at thresholds: they have some, and it is not turned off."""
    agreed = SubscriptionThreshold.objects.filter(
        customer=OuterRef("customer"), external_subscription_id=OuterRef("external_id")
    )
    of_plan = UsageThreshold.objects.filter(plan_version=OuterRef("plan_version"))
    return Q(Exists(agreed) | Exists(of_plan), status=Subscription.Status.ACTIVE, progressive_billing_disabled=False)

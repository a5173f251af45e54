"""Usage thresholds of subscriptions themselves, and whose usage is to be held against its thresholds. Owns these rows;
billing what passes them is `progressive_billing`'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from billing.models import Subscription, SubscriptionThreshold, ThresholdCheck, ThresholdCursor
from billing.queries import usage_thresholds as known
from billing.services import event_cursors, webhook_types
from catalog.domain.usage_thresholds import UsageThreshold
from catalog.models import PlanVersion
from catalog.services import threshold_input
from catalog.services.threshold_input import ThresholdValues
from config.kernel import errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

# One look at what was written lately; only subscriptions that are billed at thresholds come out.
_ENQUEUE = """
INSERT INTO billing_thresholdcheck (uuid, created_at, subscription_id, error)
SELECT gen_random_uuid(), %(at)s, subscription.id, ''
FROM (
    SELECT DISTINCT external_subscription_id FROM billing_usage_event WHERE written_in >= %(since)s
) AS arrived
JOIN billing_subscription AS subscription ON subscription.external_id = arrived.external_subscription_id
    AND subscription.status = 'active' AND NOT subscription.progressive_billing_disabled
WHERE EXISTS (
    SELECT FROM billing_subscriptionthreshold AS own
    WHERE own.customer_id = subscription.customer_id AND own.external_subscription_id = subscription.external_id
) OR EXISTS (
    SELECT FROM catalog_usagethreshold AS threshold WHERE threshold.plan_version_id = subscription.plan_version_id
)
ORDER BY subscription.id
ON CONFLICT (subscription_id) DO UPDATE SET uuid = excluded.uuid, created_at = excluded.created_at
"""


@transaction.atomic
def agree(
    *, subscription: Subscription, values: Sequence[ThresholdValues], actor: Actor, at: datetime
) -> tuple[SubscriptionThreshold, ...]:
    """Set the full list of thresholds of a locked subscription, in place of its plan's; none: those go again.

    They go for all subscriptions of the external id. Amounts are minor units of its currency. One of the same amount
    stays the same threshold. Sending what is there changes nothing. The usage is looked at soon after. Raises
    InvalidThresholds, NotFound (`usage_threshold_not_found`).
    """
    before = known.own(subscription)
    rows = _set(subscription, values, actor, at)
    if [row.pk for row in rows] != [row.pk for row in before]:
        tellings.tell(webhook_types.UPDATED, subscription, at=at)
    return rows


def _set(
    subscription: Subscription, values: Sequence[ThresholdValues], actor: Actor, at: datetime
) -> tuple[SubscriptionThreshold, ...]:
    rows = known.own(subscription)
    existing = [UsageThreshold(row.key, row.amount_cents, row.recurring, row.name, row.created_at) for row in rows]
    wanted = threshold_input.thresholds(values=values, existing=existing, at=at)
    if wanted:
        _demand_net_prices(subscription.plan_version)
    if list(wanted) == existing:
        return tuple(rows)
    SubscriptionThreshold.objects.filter(pk__in=[row.pk for row in rows]).delete()
    made = SubscriptionThreshold.objects.bulk_create(
        SubscriptionThreshold(
            created_at=one.since or at,
            key=one.key,
            customer_id=subscription.customer_id,
            external_subscription_id=subscription.external_id,
            amount_cents=one.amount_cents,
            recurring=one.recurring,
            name=one.name,
        )
        for one in wanted
    )
    audit.record(
        actor=actor,
        at=at,
        verb="set_usage_thresholds",
        instance=subscription,
        old={"usage_thresholds": _told(existing)},
        new={"usage_thresholds": _told(wanted)},
    )
    wake(subscriptions=Subscription.objects.filter(pk=subscription.pk), at=at)
    return tuple(made)


def _demand_net_prices(version: PlanVersion) -> None:
    """What was billed up to a threshold is net: it cannot be held against gross prices."""
    if version.tax_inclusive or version.charges.filter(tax_inclusive=True).exists():
        code = "not_with_tax_inclusive_prices"
        raise errors.Invalid(code, "Usage thresholds go with net prices only.", {"usage_thresholds": [code]})


def begin(*, subscription: Subscription, values: Sequence[ThresholdValues], actor: Actor, at: datetime) -> None:
    """Set the thresholds of a subscription that is made: what an earlier one of the external id had is gone with it.

    Raises as `agree` does.
    """
    SubscriptionThreshold.objects.filter(
        customer=subscription.customer_id, external_subscription_id=subscription.external_id
    ).delete()
    if values:
        _set(subscription, values, actor, at)


def follow(
    *,
    subscription: Subscription,
    values: Sequence[ThresholdValues] | None,
    is_disabled: bool | None,
    actor: Actor,
    at: datetime,
) -> None:
    """Take over what is said of thresholds with another plan for a subscription; what is not said stays as it was.

    Raises as `agree` does.
    """
    if values:
        agree(subscription=subscription, values=values, actor=actor, at=at)
    if is_disabled is None or is_disabled == subscription.progressive_billing_disabled:
        return
    subscription.progressive_billing_disabled = is_disabled
    subscription.updated_at = at
    subscription.save(update_fields=["progressive_billing_disabled", "updated_at"])
    subscription.followers.filter(status=Subscription.Status.PENDING).update(
        progressive_billing_disabled=is_disabled, updated_at=at
    )
    audit.record(
        actor=actor,
        at=at,
        verb="change",
        instance=subscription,
        old={"progressive_billing_disabled": not is_disabled},
        new={"progressive_billing_disabled": is_disabled},
    )
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    wake(subscriptions=Subscription.objects.filter(pk=subscription.pk), at=at)


def wake(*, subscriptions: QuerySet[Subscription], at: datetime) -> int:
    """Have the usage of these subscriptions looked at soon, those that are billed at thresholds; return how many.

    One that waits already gets a new mark: who is looking at it now does not take the new one for done.
    """
    found = subscriptions.filter(known.with_thresholds()).order_by("pk").values_list("pk", flat=True)
    rows = [ThresholdCheck(created_at=at, subscription_id=pk) for pk in found]
    if rows:
        ThresholdCheck.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["subscription"], update_fields=["uuid", "created_at"]
        )
        jobs.enqueue("billing.tasks.bill_usage_thresholds")
    return len(rows)


def wake_plan(*, version_id: int) -> int:
    """Have the subscriptions on a version that was just published looked at; return how many."""
    version = PlanVersion.objects.get(pk=version_id)
    return wake(subscriptions=Subscription.objects.filter(plan_version=version), at=version.created_at)


def heed(*, subscription: Subscription, changed: Collection[str], at: datetime) -> None:
    """Have a subscription looked at where the fields that changed decide whether it is billed at thresholds."""
    if "progressive_billing_disabled" in changed:
        wake(subscriptions=Subscription.objects.filter(pk=subscription.pk), at=at)


@transaction.atomic
def look(*, at: datetime) -> int:
    """Note the subscriptions with thresholds that events came for since the last look; return how many. One at a time.

    Which events these are is `event_cursors`'.
    """
    return event_cursors.advance(ThresholdCursor, statement=_ENQUEUE, at=at)


def _told(rows: Sequence[UsageThreshold]) -> list[dict[str, object]]:
    return [{"amount_cents": row.amount_cents, "recurring": row.recurring, "name": row.name} for row in rows]

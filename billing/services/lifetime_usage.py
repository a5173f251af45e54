"""Telling what a subscription used before it was billed here. Owns writing that figure; what it is added to is read by
`billing.queries.lifetime_usage`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.models import LifetimeUsage, Subscription
from billing.queries import lifetime_usage
from billing.services import usage_thresholds
from config.kernel import db
from config.kernel.actors import Actor
from config.platform.services import audit


@transaction.atomic
def set_historical(*, external_id: str, amount_cents: int, actor: Actor, at: datetime) -> Subscription:
    """Set what a subscription used earlier elsewhere, in minor units of its currency, and return the subscription.

    Replaces what was told before, for all subscriptions of the customer with this external id; nothing that was billed
    changes, but it counts towards usage thresholds. Setting the same again changes nothing. Raises NotFound
    (`subscription_not_found`).
    """
    subscription = lifetime_usage.subscription(external_id=external_id)
    db.lock_one(Subscription.objects.filter(pk=subscription.pk))
    row, is_new = LifetimeUsage.objects.get_or_create(
        customer_id=subscription.customer_id,
        external_subscription_id=subscription.external_id,
        defaults={"uuid": lifetime_usage.public_id(subscription), "created_at": at, "updated_at": at},
    )
    before = row.historical_amount_cents
    if before == amount_cents and not is_new:
        return subscription
    row.historical_amount_cents, row.updated_at = amount_cents, at
    row.save(update_fields=["historical_amount_cents", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="set_lifetime_usage",
        instance=subscription,
        old={"historical_amount_cents": before},
        new={"historical_amount_cents": amount_cents},
    )
    usage_thresholds.wake(subscriptions=Subscription.objects.filter(pk=subscription.pk), at=at)
    return subscription

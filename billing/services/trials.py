"""The trial of a subscription: beginning with it, ending once. Owns its two instants; usage is billed all the while."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import billing_days
from config.kernel import db
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer

_MICROSECONDS = Decimal(24 * 60 * 60 * 1_000_000)


def begin(subscription: Subscription, *, ends_without_a_bill: bool) -> None:
    """Set the trial of a subscription that starts; the caller saves it.

    The plan's days, of 24 hours each, count from the customer's first start under the external id: another plan, or the
    same one again, does not begin anew. ``ends_without_a_bill`` takes a trial that had ended before the subscription
    was made as dealt with.
    """
    days = subscription.plan_version.trial_period
    if not days or subscription.started_at is None:
        return
    first = known.first_started_at(external_id=subscription.external_id, customer_id=subscription.customer_id)
    since = subscription.started_at if first is None else min(first, subscription.started_at)
    ends_at = since + timedelta(microseconds=int(days * _MICROSECONDS))
    if ends_at <= subscription.started_at:
        return
    subscription.trial_ends_at = ends_at
    if ends_without_a_bill and ends_at <= subscription.created_at:
        subscription.trial_ended_at = ends_at


@transaction.atomic
def end(*, subscription_id: int, actor: Actor, at: datetime) -> bool:
    """End the trial of an active subscription if it is over by ``at``, and bill what is due: in advance, the fee of the
    rest of the period. Returns whether it did; calling it again changes nothing. Raises what billing raises.
    """
    customer_id = Subscription.objects.values_list("customer_id", flat=True).get(pk=subscription_id)
    db.lock_one(Customer.objects.filter(pk=customer_id))
    subscription = db.lock_one(Subscription.objects.filter(pk=subscription_id))
    ends_at = subscription.trial_ends_at
    is_active = subscription.status == Subscription.Status.ACTIVE
    if not is_active or ends_at is None or ends_at > at or subscription.trial_ended_at is not None:
        return False
    billing_days.bill_subscriptions(
        subscription_ids=[subscription_id], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    Subscription.objects.filter(pk=subscription_id).update(trial_ended_at=ends_at, updated_at=at)
    audit.record(actor=actor, at=at, verb="end_trial", instance=subscription, new={"trial_ended_at": ends_at})
    return True

"""The end of a subscription's trial, which comes once. It begins with the start, and usage is billed all the while."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from billing.models import Subscription
from billing.services import billing_days, plan_turns, webhook_types
from config.kernel import db
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.models import Customer


@transaction.atomic
def end(*, subscription_id: int, actor: Actor, at: datetime) -> bool:
    """End the trial of an active subscription if it is over by ``at``, and bill what is due: in advance, the fee of the
    rest of the period. Returns whether it did; calling it again changes nothing, and one whose plan is to change by now
    is left to that. Raises what billing raises.
    """
    customer_id = Subscription.objects.values_list("customer_id", flat=True).get(pk=subscription_id)
    db.lock_one(Customer.objects.filter(pk=customer_id))
    subscription = db.lock_one(Subscription.objects.filter(pk=subscription_id))
    ends_at = subscription.trial_ends_at
    is_active = subscription.status == Subscription.Status.ACTIVE
    if not is_active or ends_at is None or ends_at > at or subscription.trial_ended_at is not None:
        return False
    waiting = subscription.followers.filter(status=Subscription.Status.PENDING).first()
    if waiting is not None and plan_turns.due_at(subscription, waiting, at) is not None:
        return False
    billing_days.bill_subscriptions(
        subscription_ids=[subscription_id], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    Subscription.objects.filter(pk=subscription_id).update(trial_ended_at=ends_at, updated_at=at)
    audit.record(actor=actor, at=at, verb="end_trial", instance=subscription, new={"trial_ended_at": ends_at})
    tellings.tell(webhook_types.TRIAL_ENDED, subscription, at=at)
    return True

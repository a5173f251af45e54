"""Billing the start of a subscription, and telling of it: it runs, or it waits for its first payment."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from billing.domain import dues
from billing.models import Subscription
from billing.queries import contracts
from billing.services import activation_gates, billing_days, fixed_agreements, webhook_types
from config.kernel import dates
from config.kernel.actors import Actor
from config.platform.services import tellings

Status = Subscription.Status


def bill(*, subscription: Subscription, actor: Actor, at: datetime) -> None:
    """Bill what is paid in advance for the start; backdated periods are left to the next run.

    One that is to wait for its first payment waits from then on; one that does not run yet is left alone. The caller
    holds the lock of the customer. Raises what billing raises.
    """
    if subscription.status != Status.ACTIVE:
        return
    _bill(subscription, actor, at)
    is_running = subscription.status == Status.ACTIVE
    tellings.tell(webhook_types.STARTED if is_running else webhook_types.INCOMPLETE, subscription, at=at)


def _bill(subscription: Subscription, actor: Actor, at: datetime) -> None:
    fixed_agreements.begin(subscription=subscription, at=at)
    where = contracts.standing(subscription)
    made_on = dates.local_date(subscription.created_at, where.schedule.timezone)
    rule = activation_gates.rule_of(subscription)
    if not dues.bills_opening(where) or not where.next_billing_date == where.first_day >= made_on:
        if rule is not None:
            activation_gates.has_nothing_to_pay(rule=rule, at=at)
        return
    if rule is not None:
        is_late = where.first_day < dates.local_date(at, where.schedule.timezone)
        activation_gates.bill_start(subscription=subscription, rule=rule, is_late=is_late, actor=actor, at=at)
        return
    billing_days.bill_subscriptions(
        subscription_ids=[subscription.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    subscription.refresh_from_db(fields=["next_billing_date"])

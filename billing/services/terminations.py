"""The end of a subscription: now, or at its agreed end, with the last invoice and the credit for unused time.

Owns ending the row and what is made with it; the days and amounts are billing's domain.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction

from billing.domain import states
from billing.domain.states import Verb
from billing.models import Subscription
from billing.services import billing_days, plan_changes, subscription_notes, subscriptions, unused_time
from config.kernel.actors import Actor
from config.platform.services import audit

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime
_ENDING = ("on_termination_invoice", "on_termination_credit_note")


@transaction.atomic
def terminate(
    *,
    subscription_id: int,
    actor: Actor,
    at: datetime,
    on_termination_invoice: str | None = None,
    on_termination_credit_note: str | None = None,
    reason: str = "",
) -> Subscription:
    """End an active subscription now, or at its agreed end where that has passed; a waiting one is canceled.

    The last invoice, for the plan's days used (the day of the end included) and the usage so far, is made in the same
    transaction, after those of billing days that are still open; ``on_termination_invoice`` "skip" leaves it out.
    ``on_termination_credit_note`` says what becomes of days that were paid in advance and are not used (credit, refund,
    offset, skip): by default what was agreed, else they are credited, before the last invoice is made. It does not
    matter in arrears. A change of plan that waits is canceled; one that has come is what is ended. Calling it again
    changes nothing. Raises NotFound, and what billing and the credit note raise.
    """
    subscription = plan_changes.settle(current=subscriptions.locked(subscription_id), actor=actor, at=at)
    if subscription.status in (Status.TERMINATED, Status.CANCELED):
        return subscription
    if subscription.status == Status.PENDING:
        return plan_changes.cancel(subscription, actor=actor, at=at, reason=reason)
    old = {"status": subscription.status}
    subscription.status = states.next(state=subscription.status, verb=Verb.TERMINATE)
    # One that starts later today and is ended before never ran.
    ended_at = at if subscription.ending_at is None else min(at, subscription.ending_at)
    subscription.terminated_at = max(ended_at, subscription.started_at or at)
    subscription.on_termination_invoice = on_termination_invoice or subscription.on_termination_invoice
    if subscription.plan_version.pay_in_advance:
        agreed = subscription.on_termination_credit_note or UnusedTime.CREDIT
        subscription.on_termination_credit_note = on_termination_credit_note or agreed
    subscription.updated_at = at
    subscription.save(update_fields=["status", "terminated_at", *_ENDING, "updated_at"])
    facts = subscription_notes.facts(subscription)
    audit.record(actor=actor, at=at, verb="terminate", instance=subscription, old=old, new=facts, reason=reason)
    waiting = plan_changes.pending(subscription)
    if waiting is not None:
        plan_changes.cancel(waiting, actor=actor, at=at, reason="The subscription was terminated.")
    if subscription.plan_version.pay_in_advance:
        _give_back(subscription, subscription.terminated_at, actor, at)
    plan_changes.bill([subscription.pk], actor=actor, at=at)
    subscription.refresh_from_db(fields=["next_billing_date"])
    return subscription


@transaction.atomic
def end_as_agreed(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Terminate an active subscription whose agreed end has come by ``at``, at that end; leave any other alone.

    The end is read under the lock: one that was put off in the meantime is none. Raises as `terminate` does.
    """
    subscription = subscriptions.locked(subscription_id)
    if subscription.status != Status.ACTIVE or subscription.ending_at is None or subscription.ending_at > at:
        return subscription
    return terminate(subscription_id=subscription_id, actor=actor, at=at, reason="The agreed end has come.")


def _give_back(subscription: Subscription, ended_at: datetime, actor: Actor, at: datetime) -> None:
    # A period that is still to be billed is billed first: its fee is what the unused time is credited of.
    billing_days.bill_open_days(
        subscription_ids=[subscription.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    unused_time.give_back(
        subscription=subscription,
        ended_at=ended_at,
        upgraded=False,
        destination=subscription.on_termination_credit_note,
        actor=actor,
        at=at,
    )

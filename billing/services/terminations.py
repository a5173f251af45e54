"""The end of a subscription: now, or at its agreed end, with the last invoice and the credit for unused time.

Owns ending the row and what is made with it, and agreeing on an end at a time that somebody chose; the days and amounts
are billing's domain.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.domain import chosen_times, states, terms
from billing.domain.chosen_times import ChosenTime
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.services import plan_changes, subscription_notes, subscriptions, webhook_types
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime
_ENDING = ("on_termination_invoice", "on_termination_credit_note")


@transaction.atomic
@tellings.gathered
def terminate(
    *,
    subscription_id: int,
    actor: Actor,
    at: datetime,
    on_termination_invoice: str | None = None,
    on_termination_credit_note: str | None = None,
    reason: str = "",
    seen: str | None = None,
) -> Subscription:
    """End an active subscription now, or at its agreed end where that has passed; a waiting or paused one is canceled.

    The last invoice, for the plan's days used (the day of the end included) and the usage so far, is made in the same
    transaction, after those of billing days that are still open; ``on_termination_invoice`` "skip" leaves it out.
    ``on_termination_credit_note`` says what becomes of days that were paid in advance and are not used (credit, refund,
    offset, skip): by default what was agreed, else they are credited, before the last invoice is made. It does not
    matter in arrears. A change of plan that waits is canceled; one that has come is what is ended. Calling it again
    changes nothing. Raises NotFound, PlanChangeConflict where it is not what was ``seen`` (`plan_changes.state_of`),
    and what billing and the credit note raise.
    """
    current = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(current, seen=seen)
    subscription = plan_changes.settle(current=current, actor=actor, at=at)
    if subscription.status in (Status.TERMINATED, Status.CANCELED):
        return subscription
    if subscription.status == Status.INCOMPLETE:
        raise errors.Invalid("subscription_incomplete", "It waits for its first payment: decline that instead.")
    if subscription.status in (Status.PENDING, Status.PAUSED):
        if subscription.status == Status.PENDING and subscription.previous_id is not None:
            plan_changes.demand_no_contract(subscription)
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
    plan_changes.bill([subscription.pk], actor=actor, at=at)
    subscription.refresh_from_db(fields=["next_billing_date"])
    tellings.tell(webhook_types.TERMINATED, subscription, at=at)
    return subscription


@transaction.atomic
@tellings.gathered
def schedule(
    *,
    subscription_id: int,
    when: ChosenTime,
    actor: Actor,
    at: datetime,
    on_termination_invoice: str | None = None,
    on_termination_credit_note: str | None = None,
    reason: str = "",
    seen: str | None = None,
) -> Subscription:
    """End an active subscription now, or agree that it ends at the end of its period or with a local day.

    The day itself is used, as it is when a subscription is ended on it; the end of the period is where the next one
    would start. The choices hold for that end, and a change of plan that waits takes them over. A later call moves the
    end, `call_off` removes it. Raises as `terminate` does, NotAllowed (`subscription_not_active`), and InvalidTerms for
    a day that is over (`terminate_at`) and for unused time that is not there to be given back.
    """
    if when.timing is chosen_times.Timing.NOW:
        return terminate(
            subscription_id=subscription_id,
            on_termination_invoice=on_termination_invoice,
            on_termination_credit_note=on_termination_credit_note,
            reason=reason,
            seen=seen,
            actor=actor,
            at=at,
        )
    current = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(current, seen=seen)
    subscription = plan_changes.settle(current=current, actor=actor, at=at)
    if subscription.status != Status.ACTIVE:
        raise errors.NotAllowed("subscription_not_active", "Only an active subscription can be ended at a chosen time.")
    plan_changes.demand_no_contract(subscription)
    pay_in_advance = subscription.plan_version.pay_in_advance
    terms.check_unused_time(option=on_termination_credit_note, pay_in_advance=pay_in_advance)
    where = contracts.standing(subscription)
    ending_at = chosen_times.ends_at(
        when, schedule=where.schedule, started_at=where.started_at, at=at, field="terminate_at"
    )
    wanted = {
        "ending_at": ending_at,
        "on_termination_invoice": on_termination_invoice or subscription.on_termination_invoice,
        "on_termination_credit_note": on_termination_credit_note or subscription.on_termination_credit_note,
    }
    return _agree(subscription, wanted, "schedule_termination", actor, at, reason)


@transaction.atomic
@tellings.gathered
def call_off(
    *, subscription_id: int, actor: Actor, at: datetime, reason: str = "", seen: str | None = None
) -> Subscription:
    """Let an active subscription run on that was to end: its agreed end is removed, and that of a change that waits.

    Raises NotFound, NotAllowed (`no_agreed_end`) where it has none or has come to it, and PlanChangeConflict as
    `terminate` does.
    """
    current = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(current, seen=seen)
    subscription = plan_changes.settle(current=current, actor=actor, at=at)
    is_over = subscription.ending_at is not None and subscription.ending_at <= at
    if subscription.status != Status.ACTIVE or subscription.ending_at is None or is_over:
        raise errors.NotAllowed("no_agreed_end", "It has no agreed end that could be called off.")
    plan_changes.demand_no_contract(subscription)
    return _agree(subscription, {"ending_at": None}, "call_off_termination", actor, at, reason)


@transaction.atomic
def end_as_agreed(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Terminate an active subscription whose agreed end has come by ``at``, at that end; leave any other alone.

    The end is read under the lock: one that was put off in the meantime is none. Raises as `terminate` does.
    """
    subscription = subscriptions.locked(subscription_id)
    living = (Status.ACTIVE, Status.PAUSED)
    if subscription.status not in living or subscription.ending_at is None or subscription.ending_at > at:
        return subscription
    return terminate(subscription_id=subscription_id, actor=actor, at=at, reason="The agreed end has come.")


def _agree(
    subscription: Subscription, wanted: Mapping[str, Any], verb: str, actor: Actor, at: datetime, reason: str
) -> Subscription:
    """Write what is agreed for the end; a change of plan that waits takes it over."""
    old = {field: getattr(subscription, field) for field in wanted}
    for field, value in wanted.items():
        setattr(subscription, field, value)
    subscription.updated_at = at
    subscription.save(update_fields=[*wanted, "updated_at"])
    plan_changes.hand_on(subscription, old=old, new=wanted, at=at)
    audit.record(actor=actor, at=at, verb=verb, instance=subscription, old=old, new=dict(wanted), reason=reason)
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    return subscription

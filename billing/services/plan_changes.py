"""Changes of plan: at once where the new one costs as much or more, at the end of the period where it costs less.

Owns scheduling, canceling and carrying them out, with the credit for unused time and the one invoice for both sides;
the comparison is `billing.domain.plan_changes`', the moment itself `plan_turns`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from billing.domain import plan_changes, states
from billing.domain.plan_changes import Kind, PlanChangeConflict, Price
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.services import billing_days, plan_turns, subscription_notes, unused_time
from catalog.domain.intervals import Interval
from catalog.models import PlanVersion
from config.kernel.actors import Actor
from config.platform.services import audit

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime


@dataclass(frozen=True)
class Wanted:
    """The plan to change to, why, and what may be agreed with it; None keeps what the current subscription has."""

    version: PlanVersion
    name: str = ""
    ending_at: datetime | None = None
    on_termination_invoice: str | None = None
    on_termination_credit_note: str | None = None
    reason: str = ""


def change(*, current: Subscription, wanted: Wanted, actor: Actor, at: datetime) -> Subscription:
    """Change the plan of an active subscription, which the caller has locked with its customer.

    A plan that costs as much or more in a year begins now: the current subscription ends, its unused time is credited,
    and both are billed together; the new subscription is returned. A cheaper one waits until the running period is
    over; the current subscription is returned. Either takes the place of a change that waits. The plan it has, or that
    waits already, changes nothing. The new subscription keeps external id, anchor, billing time and agreed end. Raises
    what billing raises.
    """
    if is_agreed(current, plan_id=wanted.version.plan_id):
        return current
    waiting = pending(current)
    if waiting is not None:
        cancel(waiting, actor=actor, at=at, reason=f"Replaced by a change to {wanted.version.plan.code}.")
    if kind_of(current.plan_version, wanted.version) is Kind.UPGRADE:
        return _upgrade(current, _follower(current, wanted, at), actor, at, wanted.reason)
    _schedule(current, _follower(current, wanted, at), actor, at, wanted.reason)
    return current


def is_agreed(current: Subscription, *, plan_id: int) -> bool:
    """Say whether a plan is the one that a subscription has, or the one that waits to follow it."""
    waiting = pending(current)
    return plan_id in {current.plan_version.plan_id, None if waiting is None else waiting.plan_version.plan_id}


def pending(current: Subscription) -> Subscription | None:
    """Return the change of plan that waits for the end of a subscription's period, if there is one."""
    rows = current.followers.filter(status=Status.PENDING)
    return rows.select_related("plan_version__plan", "customer__billing_entity").first()


def cancel(waiting: Subscription, *, actor: Actor, at: datetime, reason: str = "") -> Subscription:
    """Cancel a waiting subscription or change of plan. Raises InvalidTransition for one that does not wait."""
    old = {"status": waiting.status}
    waiting.status = states.next(state=waiting.status, verb=Verb.CANCEL)
    waiting.canceled_at = waiting.updated_at = at
    waiting.save(update_fields=["status", "canceled_at", "updated_at"])
    new = {"status": waiting.status}
    audit.record(actor=actor, at=at, verb="cancel", instance=waiting, old=old, new=new, reason=reason)
    return waiting


def kind_of(current: PlanVersion, wanted: PlanVersion) -> Kind:
    """Return which way a change from one plan version to another goes."""
    return plan_changes.kind(current=price(current), wanted=price(wanted))


def price(version: PlanVersion) -> Price:
    """Return a plan version's own price, for comparison."""
    return Price(version.amount.amount, Interval(version.interval))


def settle(*, current: Subscription, actor: Actor, at: datetime) -> Subscription:
    """Carry out the change of plan that waits for a subscription, if it has come or is no longer to a cheaper plan.

    Both sides are billed. Returns the subscription that runs now. The caller holds the locks; may be called any number
    of times. Raises what billing raises.
    """
    waiting = pending(current)
    if waiting is None or current.status != Status.ACTIVE:
        return current
    moved = plan_turns.take_effect(customer_ids=[current.customer_id], as_of=at, actor=actor)
    if moved:
        bill(moved, actor=actor, at=at)
    if waiting.pk in moved:
        waiting.refresh_from_db()
        return waiting
    if kind_of(current.plan_version, waiting.plan_version) is Kind.DOWNGRADE:
        return current
    waiting.change_date = None
    return _upgrade(current, waiting, actor, at)


def bill(subscription_ids: Sequence[int], *, actor: Actor, at: datetime) -> None:
    """Bill all that is due of these subscriptions, on one invoice for each day."""
    billing_days.bill_subscriptions(
        subscription_ids=subscription_ids, as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )


def state_of(current: Subscription) -> str:
    """Return what a person sees of a subscription before changing it: another answer later means a conflict."""
    waiting = pending(current)
    seen = (current.pk, current.status, current.plan_version_id, None if waiting is None else waiting.pk)
    return ":".join(str(part) for part in seen)


def conflict(current: Subscription) -> PlanChangeConflict:
    """Return the refusal of a change that was decided by what the subscription was before."""
    return PlanChangeConflict(
        "subscription_changed",
        f"The subscription {current.external_id} was changed by somebody else in the meantime. Look at it again.",
    )


def _follower(current: Subscription, wanted: Wanted, at: datetime) -> Subscription:
    credit_note = wanted.on_termination_credit_note
    follower = Subscription(
        created_at=at,
        updated_at=at,
        customer=current.customer,
        plan_version=wanted.version,
        external_id=current.external_id,
        name=wanted.name,
        status=Status.PENDING,
        billing_time=current.billing_time,
        subscription_at=current.subscription_at,
        ending_at=wanted.ending_at or current.ending_at,
        on_termination_invoice=wanted.on_termination_invoice or current.on_termination_invoice,
        on_termination_credit_note=current.on_termination_credit_note if credit_note is None else credit_note,
        late_usage_policy=current.late_usage_policy,
        late_usage_waive_below=current.late_usage_waive_below,
        previous=current,
    )
    if not wanted.version.pay_in_advance:
        follower.on_termination_credit_note = ""
    return follower


def _upgrade(
    current: Subscription, follower: Subscription, actor: Actor, at: datetime, reason: str = ""
) -> Subscription:
    # To the second: an event sent in whole seconds right after the change belongs to the new plan.
    moment = max(at.replace(microsecond=0), current.started_at or at)
    plan_turns.replace(
        current=current, follower=follower, moment=moment, kind=Kind.UPGRADE, actor=actor, at=at, reason=reason
    )
    if current.plan_version.pay_in_advance:
        # A period that is still to be billed is billed first: its fee is what the unused time is credited of.
        billing_days.bill_open_days(
            subscription_ids=[current.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
        )
        unused_time.give_back(
            subscription=current,
            ended_at=moment,
            upgraded=True,
            destination=UnusedTime.CREDIT,
            actor=actor,
            at=at,
        )
    bill([current.pk, follower.pk], actor=actor, at=at)
    current.refresh_from_db(fields=["next_billing_date"])
    follower.refresh_from_db(fields=["next_billing_date"])
    return follower


def _schedule(current: Subscription, follower: Subscription, actor: Actor, at: datetime, reason: str) -> None:
    where = contracts.standing(current)
    follower.change_date = plan_changes.change_date(where.schedule, at=at, started_at=where.started_at)
    follower.save(force_insert=True)
    audit.record(
        actor=actor,
        at=at,
        verb="create",
        instance=follower,
        new=subscription_notes.facts(follower) | {"change_date": follower.change_date},
        reason=reason,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="schedule_change",
        instance=current,
        new={"plan": follower.plan_version.plan.code, "change_date": follower.change_date},
        reason=reason,
    )

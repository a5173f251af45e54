"""Changes of plan: at once where the new one costs as much or more, at the end of the period where it costs less, or
when somebody chose.

Owns carrying them out, with the one invoice for both sides; what waits is `waiting_changes', the comparison is
`billing.domain.plan_changes`', the moment itself `plan_turns`', the credit for unused time `unused_time`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings

from billing.domain import chosen_times, plan_changes, terms
from billing.domain.chosen_times import ChosenTime, Timing
from billing.domain.plan_changes import Kind, PlanChangeConflict, Price
from billing.models import Subscription
from billing.queries import contracts
from billing.services import billing_days, plan_turns, waiting_changes
from catalog.domain.intervals import Interval
from catalog.models import PlanVersion
from config.kernel import errors
from config.kernel.actors import Actor

Status = Subscription.Status
ChangeTiming = Subscription.ChangeTiming

Wanted = waiting_changes.Wanted
schedule, pending, cancel = waiting_changes.schedule, waiting_changes.pending, waiting_changes.cancel

_ENDING = ("ending_at", "on_termination_invoice", "on_termination_credit_note")
_INVOICING = (
    "purchase_order_number", "consolidate_invoice", "progressive_billing_disabled", "billing_entity_id",
    "custom_section_ids",
)  # fmt: skip
_SEEN = (
    "status", "plan_version_id", "name", "subscription_at", "ending_at", "on_termination_invoice",
    "on_termination_credit_note", "purchase_order_number", "consolidate_invoice", "billing_entity_id",
    "custom_section_ids",
)  # fmt: skip


def change(
    *, current: Subscription, wanted: Wanted, actor: Actor, at: datetime, when: ChosenTime | None = None
) -> Subscription:
    """Change the plan of an active subscription, which the caller has locked with its customer.

    Unless ``when`` chooses a time, a plan that costs as much or more in a year begins now and a cheaper one waits until
    the running period is over. Now: the current subscription ends, its unused time is credited, and both are billed
    together; the new subscription is returned. Else the current one is returned, and the change waits for its day. It
    takes the place of a change that waits. What the subscription has, or what waits for the same time already, changes
    nothing. The new subscription keeps external id, anchor, billing time and agreed end. Raises InvalidTerms
    (`change_at`) for a day that is not after today and before the agreed end, and what billing raises.
    """
    if is_agreed(current, wanted=wanted, when=when, at=at):
        return current
    demand_no_contract(current)
    if when is None:
        is_now = kind_of(current.plan_version, wanted.version) is Kind.UPGRADE
        timing, day = ChangeTiming.AUTOMATIC, None if is_now else _day(current, None, at)
    else:
        timing, day = ChangeTiming(when.timing.value), _day(current, when, at)
    if day is None:
        waiting_changes.make_room(current, wanted, actor, at)
        follower = waiting_changes.follower_of(current, wanted, at)
        follower.change_timing = timing
        return _upgrade(current, follower, actor, at, wanted.reason)
    waiting_changes.write(current, wanted, day, timing, actor, at)
    return current


def is_agreed(current: Subscription, *, wanted: Wanted, at: datetime, when: ChosenTime | None = None) -> bool:
    """Say whether a plan is the one that a subscription has, or the one that waits to follow it at the time chosen.

    Versions are compared where this very version is asked for, else plans.
    """
    if _is_same(current.plan_version, wanted):
        return True
    waiting = pending(current)
    if waiting is None or not _is_same(waiting.plan_version, wanted):
        return False
    return when is None or (waiting.change_timing, waiting.change_date) == (when.timing, _day(current, when, at))


def kind_of(current: PlanVersion, wanted: PlanVersion) -> Kind:
    """Return which way a change from one plan version to another goes."""
    return plan_changes.kind(current=price(current), wanted=price(wanted))


def price(version: PlanVersion) -> Price:
    """Return a plan version's own price, for comparison."""
    return Price(version.amount.amount, Interval(version.interval))


def settle(*, current: Subscription, actor: Actor, at: datetime) -> Subscription:
    """Carry out the change of plan that waits for a subscription, if it has come or is no longer to a cheaper plan.

    One whose time somebody chose waits for it, whatever the prices. Both sides are billed. Returns the subscription
    that runs now. The caller holds the locks; may be called any number of times. Raises what billing raises.
    """
    waiting = pending(current)
    if waiting is None or current.status != Status.ACTIVE:
        return current
    moved = plan_turns.take_effect(customer_ids=[current.customer_id], as_of=at, actor=actor)
    if moved:
        bill(moved, actor=actor, at=at)
    if waiting.pk in moved:
        return _running(waiting)
    if waiting.change_timing or kind_of(current.plan_version, waiting.plan_version) is Kind.DOWNGRADE:
        return current
    waiting.change_date = None
    return _upgrade(current, waiting, actor, at)


def bill(subscription_ids: Sequence[int], *, actor: Actor, at: datetime) -> None:
    """Bill all that is due of these subscriptions, on one invoice for each day.

    What was paid in advance by those that ended inside a period is given back first, so that it pays the invoice.
    """
    billing_days.give_back(subscription_ids=subscription_ids, as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor)
    billing_days.bill_subscriptions(
        subscription_ids=subscription_ids, as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )


def hand_on(current: Subscription, *, old: Mapping[str, Any], new: Mapping[str, Any], at: datetime) -> None:
    """Let a change of plan that waits take over what is agreed anew for its subscription, by field.

    How it is invoiced only where it was the same before: with the change something else may have been agreed on.
    """
    waiting = pending(current)
    if waiting is None:
        return
    given = {field: new[field] for field in _ENDING if field in new}
    given |= {field: new[field] for field in _INVOICING if field in new and getattr(waiting, field) == old[field]}
    if "on_termination_credit_note" in given:
        given["on_termination_credit_note"] = terms.agreed_unused_time(
            option=given["on_termination_credit_note"], pay_in_advance=waiting.plan_version.pay_in_advance
        )
    if given:
        Subscription.objects.filter(pk=waiting.pk).update(**given, updated_at=at)


def state_of(current: Subscription) -> str:
    """Return what a person sees of a subscription before changing it: another answer later means a conflict.

    Billing it, and the days that pass, make no other state.
    """
    waiting = pending(current)
    seen: list[object] = [current.pk, *(getattr(current, field) for field in _SEEN)]
    if waiting is not None:
        seen += [waiting.pk, waiting.plan_version_id, waiting.change_date, waiting.change_timing]
    return hashlib.sha256(repr([str(part) for part in seen]).encode()).hexdigest()[:32]


def demand_unchanged(current: Subscription, *, seen: str | None) -> None:
    """Refuse what was decided by another state than the subscription has; None demands nothing.

    Raises PlanChangeConflict (`subscription_changed`).
    """
    if seen is not None and state_of(current) != seen:
        raise conflict(current)


def demand_no_contract(subscription: Subscription) -> None:
    """Refuse what only an amendment may do where a contract sells a subscription.

    Raises NotAllowed (`subscription_of_a_contract`).
    """
    if subscription.contract_item_id is not None:
        raise errors.NotAllowed(
            "subscription_of_a_contract", "A contract sells this subscription: amend the contract instead."
        )


def conflict(current: Subscription) -> PlanChangeConflict:
    """Return the refusal of a change that was decided by what the subscription was before."""
    return PlanChangeConflict(
        "subscription_changed",
        f"The subscription {current.external_id} was changed by somebody else in the meantime. Look at it again.",
    )


def _upgrade(
    current: Subscription, follower: Subscription, actor: Actor, at: datetime, reason: str = ""
) -> Subscription:
    # To the second: an event sent in whole seconds right after the change belongs to the new plan.
    moment = max(at.replace(microsecond=0), current.started_at or at)
    plan_turns.replace(
        current=current, follower=follower, moment=moment, kind=Kind.UPGRADE, actor=actor, at=at, reason=reason
    )
    bill([current.pk, follower.pk], actor=actor, at=at)
    current.refresh_from_db(fields=["next_billing_date"])
    follower.refresh_from_db(fields=["next_billing_date"])
    return follower


def _running(turned: Subscription) -> Subscription:
    """Return what runs after a change took effect: where phases of a contract followed, the last of them."""
    turned.refresh_from_db()
    while turned.status == Status.TERMINATED:
        follower = turned.followers.exclude(status=Status.CANCELED).select_related("plan_version__plan").first()
        if follower is None:
            break
        follower.customer, turned = turned.customer, follower
    return turned


def _is_same(version: PlanVersion, wanted: Wanted) -> bool:
    if wanted.is_version_chosen:
        return version.pk == wanted.version.pk
    return version.plan_id == wanted.version.plan_id


def _day(current: Subscription, when: ChosenTime | None, at: datetime) -> date | None:
    """Return the local day of a change: none for now, and the end of the period without a choice."""
    if when is not None and when.timing is Timing.NOW:
        return None
    where = contracts.standing(current)
    if when is not None and when.day is not None:
        chosen_times.check_day(when.day, schedule=where.schedule, at=at, ends_at=where.ends_at, field="change_at")
        return when.day
    day = plan_changes.change_date(where.schedule, at=at, started_at=where.started_at)
    if when is not None:
        chosen_times.check_end(day, schedule=where.schedule, ends_at=where.ends_at, field="change_at")
    return day

"""Changes of plan that wait for their day: scheduling one, finding it, calling it off. Owns the row that waits.

When it takes effect is `plan_turns`', what an upgrade does at once, and billing both sides, `plan_changes`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from billing.domain import chosen_times, states, terms
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.services import subscription_notes, webhook_types
from catalog.models import PlanVersion
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Status = Subscription.Status
ChangeTiming = Subscription.ChangeTiming
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """The plan to change to, why, and what may be agreed with it; None keeps what the current subscription has.

    With ``is_version_chosen`` it is this very version that is asked for: another version of the plan that a
    subscription has is a change then, where it is none otherwise.
    """

    version: PlanVersion
    is_version_chosen: bool = False
    name: str = ""
    ending_at: datetime | None = None
    on_termination_invoice: str | None = None
    on_termination_credit_note: str | None = None
    purchase_order_number: str | None = None
    consolidate_invoice: bool | None = None
    billing_entity_id: int | None = None
    custom_section_ids: Sequence[int] | None = None
    reason: str = ""


def schedule(*, current: Subscription, wanted: Wanted, on: date, actor: Actor, at: datetime) -> Subscription:
    """Let an active subscription change to a plan version at the start of a local day; return what waits for it.

    The caller has locked the subscription with its customer. The change takes the place of one that waits; the same
    one again is returned as it is. A day inside a period cuts it there: the old version is billed up to it, and what
    was paid for the days from then on is credited. The day may have come: the change takes effect at its start, or
    where the usage billed ends, by the next billing run or `settle`. Raises InvalidTerms (`change_at`) for a day that
    is not after the start and before the agreed end, and (`plan_version`) for the version that it has.
    """
    where = contracts.standing(current)
    waiting = pending(current)
    if waiting is not None and (waiting.plan_version_id, waiting.change_date, waiting.change_timing) == (
        wanted.version.pk,
        on,
        ChangeTiming.DATE,
    ):
        return waiting
    if wanted.version.pk == current.plan_version_id:
        raise terms.InvalidTerms(
            "value_already_exist", "It has this plan version already.", {"plan_version": ["value_already_exist"]}
        )
    if on <= where.first_day:
        raise terms.InvalidTerms("invalid_date", "A change comes after the first day.", {"change_at": ["invalid_date"]})
    chosen_times.check_end(on, schedule=where.schedule, ends_at=where.ends_at, field="change_at")
    return write(current, wanted, on, ChangeTiming.DATE, actor, at)


def pending(current: Subscription) -> Subscription | None:
    """Return the change of plan that waits for the end of a subscription's period, if there is one."""
    rows = current.followers.filter(status=Status.PENDING)
    return rows.select_related("plan_version__plan", "customer__billing_entity").first()


def cancel(
    waiting: Subscription, *, actor: Actor, at: datetime, reason: str = "", is_told: bool = True
) -> Subscription:
    """Cancel a waiting subscription or change of plan. Raises InvalidTransition for one that does not wait.

    It ``is_told`` unless something follows at once that is. Of a change the subscription that runs is told.
    """
    old = {"status": waiting.status}
    was_change = waiting.status == Status.PENDING and waiting.previous_id is not None
    waiting.status = states.next(state=waiting.status, verb=Verb.CANCEL)
    waiting.canceled_at = waiting.updated_at = at
    waiting.save(update_fields=["status", "canceled_at", "updated_at"])
    new = {"status": waiting.status}
    audit.record(actor=actor, at=at, verb="cancel", instance=waiting, old=old, new=new, reason=reason)
    if is_told and was_change and waiting.previous is not None:
        # The external id stands for the one that runs: nobody is to think that this one is over.
        tellings.tell(webhook_types.UPDATED, waiting.previous, at=at)
    elif is_told:
        tellings.tell(webhook_types.CANCELED, waiting, at=at)
    return waiting


def write(
    current: Subscription, wanted: Wanted, day: date, timing: Subscription.ChangeTiming, actor: Actor, at: datetime
) -> Subscription:
    """Write a change that waits for a local day, in the place of one that waits. Nothing is checked here."""
    make_room(current, wanted, actor, at)
    follower, reason = follower_of(current, wanted, at), wanted.reason
    follower.change_date, follower.change_timing = day, timing
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
    tellings.tell(webhook_types.UPDATED, current, at=at)
    return follower


def follower_of(current: Subscription, wanted: Wanted, at: datetime) -> Subscription:
    """Return the subscription that is to follow another one, on what is agreed anew and else as before; not saved."""
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
        anchor_date=current.anchor_date,
        ending_at=wanted.ending_at or current.ending_at,
        on_termination_invoice=wanted.on_termination_invoice or current.on_termination_invoice,
        on_termination_credit_note=current.on_termination_credit_note if credit_note is None else credit_note,
        late_usage_policy=current.late_usage_policy,
        late_usage_waive_below=current.late_usage_waive_below,
        purchase_order_number=_else(wanted.purchase_order_number, current.purchase_order_number),
        consolidate_invoice=_else(wanted.consolidate_invoice, current.consolidate_invoice),
        progressive_billing_disabled=current.progressive_billing_disabled,
        billing_entity_id=_else(wanted.billing_entity_id, current.billing_entity_id),
        custom_section_ids=_else(wanted.custom_section_ids, current.custom_section_ids),
        contract_item=current.contract_item,
        previous=current,
    )
    if not wanted.version.pay_in_advance:
        follower.on_termination_credit_note = ""
    if current.contract_item_id is not None:
        # Phases that are over already when a contract is signed are billed too.
        follower.backdated_billing = current.backdated_billing
    return follower


def make_room(current: Subscription, wanted: Wanted, actor: Actor, at: datetime) -> None:
    """Cancel a change that waits, for another one to take its place."""
    waiting = pending(current)
    if waiting is not None:
        cancel(waiting, actor=actor, at=at, reason=f"Replaced by a change to {wanted.version.plan.code}.")


def _else(given: T | None, before: T) -> T:
    return before if given is None else given

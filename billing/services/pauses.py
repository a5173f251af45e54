"""Pausing a subscription and resuming it. Owns both moments: the one row that ends and the one that waits and runs on.

Which days are paid before and after is `billing.domain.pauses`', billing them `billing_days`'. The loop over those
whose day has come is `subscription_moves`'.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from billing.domain import pauses, states
from billing.domain.pauses import InvalidPause, PauseFee
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.queries import fixed_units as known_units
from billing.services import (
    contract_turns,
    fixed_agreements,
    plan_changes,
    starts,
    subscription_notes,
    subscriptions,
    webhook_types,
)
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime

_OF_THE_ROW = frozenset(
    {
        *("id", "uuid", "created_at", "updated_at", "status", "previous", "next_billing_date"),
        *("started_at", "activated_at", "usage_from_at", "trial_ends_at", "trial_ended_at"),
        *("terminated_at", "canceled_at", "cancellation_reason", "ended_by"),
        *("change_date", "change_timing", "fee_from", "paused_at", "pause_fee"),
    }
)
"""What tells where a row is in its life. All else is agreed, and what waits keeps it."""


@transaction.atomic
@tellings.gathered
def pause(
    *,
    subscription_id: int,
    fee: str,
    actor: Actor,
    at: datetime,
    resume_on: date | None = None,
    seen: str | None = None,
    reason: str = "",
) -> Subscription:
    """Pause an active subscription now, until it is resumed: on the local day ``resume_on``, or when somebody asks.

    ``fee`` says what becomes of the plan fee. "prorated": the days up to today are paid, today included; days that were
    paid in advance are credited for later invoices. "whole": the running period is paid as a whole, once. Usage up to
    this instant is billed with it, on an invoice of the same transaction. Returns what waits. A change of plan that has
    come by now is carried out first. ``seen`` is `plan_changes.state_of` when it was decided.

    Raises NotFound, InvalidTransition for one that is not active, NotAllowed (`pending_change_exists`,
    `subscription_not_started`, `subscription_not_active`), InvalidPause (`fee`, `resume_on`), PlanChangeConflict where
    it was changed since, and what billing raises.
    """
    chosen = _fee(fee)
    current = subscriptions.locked(subscription_id)
    if seen is not None and plan_changes.state_of(current) != seen:
        raise plan_changes.conflict(current)
    current = plan_changes.settle(current=current, actor=actor, at=at)
    contract_turns.suspend(current=current, on=_today(current, at), actor=actor, at=at)
    ended = states.next(state=current.status, verb=Verb.PAUSE)
    _check(current, resume_on, at)
    old = {"status": current.status}
    waiting = _waiting(current, chosen, resume_on, at)
    current.status = ended
    current.terminated_at = current.updated_at = at
    current.ended_by = Subscription.EndedBy.PAUSE
    current.pause_fee = chosen.value
    if current.plan_version.pay_in_advance:
        is_whole = chosen is PauseFee.WHOLE
        current.on_termination_credit_note = UnusedTime.SKIP if is_whole else UnusedTime.CREDIT
    current.save(
        update_fields=[
            *("status", "terminated_at", "ended_by", "pause_fee", "on_termination_credit_note", "updated_at"),
        ]
    )
    new = subscription_notes.facts(current) | _facts(waiting)
    audit.record(actor=actor, at=at, verb="pause", instance=current, old=old, new=new, reason=reason)
    # Told in days of today's time zone, in which they are billed: it may be another one when it resumes.
    waiting.fee_from = pauses.unpaid_from(before=contracts.standing(current), fee=chosen)
    waiting.save(force_insert=True)
    _carry_units(current, waiting, at)
    new = subscription_notes.facts(waiting) | _facts(waiting)
    audit.record(actor=actor, at=at, verb="pause", instance=waiting, new=new, reason=reason)
    plan_changes.bill([current.pk], actor=actor, at=at)
    tellings.tell(webhook_types.PAUSED, waiting, at=at)
    return waiting


@transaction.atomic
@tellings.gathered
def resume(
    *, subscription_id: int, actor: Actor, at: datetime, seen: str | None = None, reason: str = ""
) -> Subscription:
    """Let a paused subscription run on from now. A fee in advance is billed at once; days paid before are not.

    Usage counts from the full second of ``at`` on. ``seen`` is `plan_changes.state_of` when it was decided. Raises
    NotFound, InvalidTransition for one that is not paused, NotAllowed (`subscription_not_active`) after its agreed end,
    PlanChangeConflict where it was changed since, and what billing raises.
    """
    waiting = subscriptions.locked(subscription_id)
    if seen is not None and plan_changes.state_of(waiting) != seen:
        raise plan_changes.conflict(waiting)
    states.next(state=waiting.status, verb=Verb.RESUME)
    if waiting.ending_at is not None and waiting.ending_at <= at:
        raise _is_over()
    # To the second: an event sent in whole seconds right after it belongs to the time that is billed.
    return _run_on(waiting, moment=at.replace(microsecond=0), actor=actor, at=at, reason=reason)


@transaction.atomic
@tellings.gathered
def resume_as_agreed(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Resume a paused subscription whose agreed day has come, at the local start of that day, however late it is.

    Leaves any other alone, and one that ends before. Raises what billing raises.
    """
    waiting = subscriptions.locked(subscription_id)
    moment = resumes_at(waiting)
    if moment is None or moment > at or (waiting.ending_at is not None and waiting.ending_at <= moment):
        return waiting
    return _run_on(waiting, moment=moment, actor=actor, at=at, reason="The agreed day has come.")


def resumes_at(subscription: Subscription) -> datetime | None:
    """Return the instant at which a paused subscription resumes by itself, if that is agreed."""
    if subscription.status != Status.PAUSED or subscription.change_date is None:
        return None
    return dates.start_of_day(subscription.change_date, dates.zone(subscription.customer.applicable_timezone))


def _fee(given: str) -> PauseFee:
    try:
        return PauseFee(given)
    except ValueError:
        choices = ", ".join(PauseFee)
        raise InvalidPause("validation_errors", f"fee is one of {choices}.", {"fee": ["value_is_invalid"]}) from None


def _check(current: Subscription, resume_on: date | None, at: datetime) -> None:
    if current.ending_at is not None and current.ending_at <= at:
        raise _is_over()
    if plan_changes.pending(current) is not None:
        raise errors.NotAllowed(
            "pending_change_exists", "A change of plan is scheduled. Call it off first, or let it take effect."
        )
    if current.started_at is None or current.started_at >= at:
        raise errors.NotAllowed("subscription_not_started", "The subscription has not started yet.")
    zone = dates.zone(current.customer.applicable_timezone)
    last_day = None if current.ending_at is None else dates.local_date(current.ending_at, zone)
    pauses.check_resume(resume_on=resume_on, today=dates.local_date(at, zone), last_day=last_day)


def _waiting(current: Subscription, fee: PauseFee, resume_on: date | None, at: datetime) -> Subscription:
    fields = [field for field in Subscription._meta.concrete_fields if field.name not in _OF_THE_ROW]
    waiting = Subscription(**{field.attname: getattr(current, field.attname) for field in fields})
    waiting.created_at = waiting.updated_at = waiting.paused_at = at
    waiting.status = Status.PAUSED
    waiting.previous = current
    waiting.pause_fee = fee.value
    waiting.change_date = resume_on
    waiting.customer, waiting.plan_version = current.customer, current.plan_version
    return waiting


def _carry_units(current: Subscription, waiting: Subscription, at: datetime) -> None:
    """Let what waits have the numbers of units that were agreed on; the plan's are taken as it resumes."""
    own = {key for _, key in known_units.overridden(subscription_ids=[current.pk])}
    if not own:
        return
    history = known_units.histories(subscription_ids=[current.pk]).get(current.pk, {})
    sold = {str(charge.key) for charge in waiting.plan_version.fixed_charges.all()}
    units = {key: history[key][-1].units for key in own & sold}
    fixed_agreements.agree(subscription=waiting, units=units, at=at)


def _run_on(waiting: Subscription, *, moment: datetime, actor: Actor, at: datetime, reason: str) -> Subscription:
    old = {"status": waiting.status}
    schedule = contracts.schedule_of(waiting)
    started_at = moment if waiting.paused_at is None else max(moment, waiting.paused_at)
    resumed_on = dates.local_date(started_at, schedule.timezone)
    waiting.fee_from = pauses.fee_from(
        schedule=schedule,
        fee=PauseFee(waiting.pause_fee),
        unpaid_from=waiting.fee_from or resumed_on,
        resumed_on=resumed_on,
    )
    contract_turns.run_on(waiting=waiting, on=resumed_on, at=at)
    starts.begin(waiting, started_at=started_at)
    waiting.change_date = None
    waiting.updated_at = at
    waiting.save(update_fields=[*starts.FIELDS, "plan_version", "fee_from", "change_date", "updated_at"])
    fixed_agreements.begin(subscription=waiting, at=at)
    new = subscription_notes.facts(waiting)
    audit.record(actor=actor, at=at, verb="resume", instance=waiting, old=old, new=new, reason=reason)
    tellings.tell(webhook_types.RESUMED, waiting, at=at)
    if contract_turns.schedule_next(current=waiting, actor=actor, at=at):
        # Resumed late: phases of the contract may have come since.
        waiting = plan_changes.settle(current=waiting, actor=actor, at=at)
    plan_changes.bill([waiting.pk], actor=actor, at=at)
    waiting.refresh_from_db(fields=["next_billing_date"])
    return waiting


def _today(current: Subscription, at: datetime) -> date:
    return dates.local_date(at, dates.zone(current.customer.applicable_timezone))


def _facts(waiting: Subscription) -> dict[str, object]:
    return {"pause_fee": waiting.pause_fee, "paused_at": waiting.paused_at, "resume_on": waiting.change_date}


def _is_over() -> errors.NotAllowed:
    return errors.NotAllowed("subscription_not_active", "The agreed end of the subscription has come.")

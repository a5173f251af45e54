"""Rehearsals of billing runs: asking for one, signing it off as a second person, dropping it.

Owns these verbs. Computing is `rehearsal_computing`'s and billing what was agreed `rehearsal_billing`'s.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from billing.domain import rehearsal_states
from billing.domain.rehearsal_states import Verb
from billing.models import Rehearsal
from billing.services import webhook_types
from config.kernel import db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit, outbox

FARTHEST = timedelta(days=400)
"""How far ahead a run is rehearsed."""

_LONGEST = 2000


class RehearsalNotFound(errors.NotFound):
    """There is no such rehearsal."""


class UnableToSignOff(errors.Forbidden):
    """This person, or what is no person, cannot sign this rehearsal off."""


class InvalidRehearsal(errors.Invalid):
    """What is asked for is no rehearsal."""


@transaction.atomic
def request(*, as_of: datetime, reason: str = "", actor: Actor, at: datetime) -> Rehearsal:
    """Ask for a rehearsal of the run at the clock ``as_of``, at most 400 days ahead. It is computed in the background.

    Each call makes another one. Raises InvalidRehearsal (``as_of``, ``reason``).
    """
    if as_of > at + FARTHEST:
        raise _invalid("as_of", "value_is_out_of_range", "A run is rehearsed for at most 400 days ahead.")
    if len(reason) > _LONGEST:
        raise _invalid("reason", "value_is_too_long", f"A reason has at most {_LONGEST} characters.")
    row = Rehearsal.objects.create(
        created_at=at,
        updated_at=at,
        as_of=as_of,
        reason=reason,
        requested_by_id=actor.user_id,
        requested_label=actor.label,
        behind=sorted(actor.behind),
    )
    audit.record(actor=actor, at=at, verb="request", instance=row, new={"as_of": as_of}, reason=reason)
    jobs.enqueue("billing.tasks.compute_rehearsal", rehearsal_id=row.pk)
    return row


@transaction.atomic
def sign_off(
    *, rehearsal_id: int, remark: str = "", acknowledged: int, supersedes: bool = False, actor: Actor, at: datetime
) -> Rehearsal:
    """Agree to a rehearsal as a second person: exactly these invoices are what the run may bill.

    ``acknowledged`` is the number of flagged invoices that the person has seen, which must be that of the rehearsal.
    Where another rehearsal of the same time is signed off already, ``supersedes`` says that it is dropped for this one.
    Raises RehearsalNotFound, InvalidRehearsalState, UnableToSignOff (``person_required``, ``second_person_required``),
    InvalidRehearsal (``acknowledged``, ``supersedes``, ``remark``).
    """
    row, others = _locked_with_others(rehearsal_id)
    state = rehearsal_states.after(state=row.state, verb=Verb.SIGN_OFF)
    if actor.kind != "user" or actor.user_id is None:
        raise UnableToSignOff("person_required", "A rehearsal is signed off by a person.")
    if actor.user_id == row.requested_by_id:
        raise UnableToSignOff(
            "second_person_required", "Whoever asked for a rehearsal does not sign it off: a second person does."
        )
    if actor.user_id in row.behind:
        raise UnableToSignOff(
            "second_person_required",
            "The API key that asked for it is yours: whoever made or rotated the key does not sign it off.",
        )
    if len(remark) > _LONGEST:
        raise _invalid("remark", "value_is_too_long", f"A remark has at most {_LONGEST} characters.")
    if acknowledged != row.flagged_count:
        raise _invalid(
            "acknowledged",
            "flags_not_acknowledged",
            f"{row.flagged_count} invoices are flagged; whoever signs off says so having seen them.",
        )
    for other in others:
        if other.run_id is not None:
            raise _being_billed(other)
        if not supersedes:
            raise _invalid(
                "supersedes", "already_signed_off", f"Rehearsal {other.pk} of the same time is signed off already."
            )
        _drop(other, reason=f"Superseded by rehearsal {row.pk}.", actor=actor, at=at)
    row.state, row.remark, row.updated_at = state.value, remark, at
    row.signed_off_by_id, row.signed_off_at = actor.user_id, at
    row.save(update_fields=["state", "remark", "updated_at", "signed_off_by", "signed_off_at"])
    new = {"state": row.state, "invoices": row.invoices_count, "flagged": row.flagged_count}
    audit.record(actor=actor, at=at, verb="sign_off", instance=row, new=new, reason=remark)
    outbox.record(webhook_types.REHEARSAL_SIGNED_OFF, [row], at=at)
    return row


@transaction.atomic
def drop(*, rehearsal_id: int, reason: str = "", actor: Actor, at: datetime) -> Rehearsal:
    """Drop a rehearsal: nobody bills it. One that is being computed stops after the customers at hand.

    Raises RehearsalNotFound, InvalidRehearsalState (billed, being billed, or dropped already).
    """
    row = locked(rehearsal_id)
    rehearsal_states.after(state=row.state, verb=Verb.DROP)
    if row.run_id is not None:
        raise _being_billed(row)
    _drop(row, reason=reason, actor=actor, at=at)
    return row


@transaction.atomic
def retake(*, rehearsal_id: int, actor: Actor, at: datetime) -> Rehearsal:
    """Have a rehearsal that was broken off computed further, after the customers that are done, in the background.

    Raises RehearsalNotFound, InvalidRehearsalState for one that was not broken off.
    """
    row = locked(rehearsal_id)
    state = rehearsal_states.after(state=row.state, verb=Verb.RETAKE)
    old, row.state, row.updated_at = {"state": row.state, "error": row.error}, state.value, at
    row.save(update_fields=["state", "updated_at"])
    audit.record(actor=actor, at=at, verb="retake", instance=row, old=old, new={"state": row.state})
    jobs.enqueue("billing.tasks.compute_rehearsal", rehearsal_id=row.pk)
    return row


def locked(rehearsal_id: int) -> Rehearsal:
    """Lock a rehearsal and return it. Needs a transaction. Raises RehearsalNotFound."""
    try:
        return db.lock_one(Rehearsal.objects.filter(pk=rehearsal_id))
    except Rehearsal.DoesNotExist:
        raise RehearsalNotFound("rehearsal_not_found", f"There is no rehearsal {rehearsal_id}.") from None


def _locked_with_others(rehearsal_id: int) -> tuple[Rehearsal, list[Rehearsal]]:
    """Lock all rehearsals of the same time, in their order, so that two who sign off at once see each other. Return the
    one and the others that are signed off.
    """
    as_of = Rehearsal.objects.filter(pk=rehearsal_id).values("as_of")
    rows = {row.pk: row for row in db.lock(Rehearsal.objects.filter(as_of__in=as_of))}
    row = rows.pop(rehearsal_id, None) or locked(rehearsal_id)
    return row, [other for other in rows.values() if other.state == Rehearsal.State.SIGNED_OFF]


def _being_billed(row: Rehearsal) -> rehearsal_states.InvalidRehearsalState:
    return rehearsal_states.InvalidRehearsalState("rehearsal_state_not_allowed", f"Rehearsal {row.pk} is being billed.")


def _drop(row: Rehearsal, *, reason: str, actor: Actor, at: datetime) -> None:
    old, row.state, row.updated_at = row.state, Rehearsal.State.DROPPED.value, at
    row.save(update_fields=["state", "updated_at"])
    audit.record(
        actor=actor, at=at, verb="drop", instance=row, old={"state": old}, new={"state": row.state}, reason=reason
    )


def _invalid(name: str, code: str, message: str) -> InvalidRehearsal:
    return InvalidRehearsal(code, message, {name: [code]})

"""Billing what was signed off: the run of a rehearsal, in the background or here. Owns its beginning and its end; the
gate that refuses what changed is `rehearsal_gate`'s.

A run that was interrupted goes on as the same run: what it billed is billed, what it refused stays refused.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from billing.domain import rehearsal_states
from billing.domain.rehearsal_states import Verb
from billing.models import BillingRun, Rehearsal
from billing.queries import rehearsals as known
from billing.services import rehearsal_gate, rehearsal_presence, rehearsals, runs
from config.kernel import errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told the number of customers done and in all."""


class NotDueYet(errors.NotAllowed):
    """The clock of the rehearsal is still to come."""


class BeingBilled(errors.Conflict):
    """Somebody else is billing this rehearsal at this moment."""


@transaction.atomic
def ask(*, rehearsal_id: int, actor: Actor, at: datetime) -> Rehearsal:
    """Have a signed-off rehearsal billed in the background. Asking again changes nothing but wakes a worker.

    Raises RehearsalNotFound, InvalidRehearsalState, NotDueYet.
    """
    row = _billable(rehearsal_id, at)
    if row.bill_asked_at is None:
        row.bill_asked_by_id, row.bill_asked_label, row.bill_asked_at = actor.user_id, actor.label, at
        row.updated_at = at
        row.save(update_fields=["bill_asked_by", "bill_asked_label", "bill_asked_at", "updated_at"])
        audit.record(actor=actor, at=at, verb="bill", instance=row, new={"as_of": row.as_of})
    jobs.enqueue("billing.tasks.bill_rehearsal", rehearsal_id=row.pk)
    return row


def bill(*, rehearsal_id: int, actor: Actor, at: datetime, progress: Progress | None = None) -> BillingRun:
    """Bill at the rehearsal's clock what was signed off, and nothing else, in this process. Return the run.

    The audit trail and the run itself have the real time at which it was done.

    A customer whose invoices are not exactly those of the rehearsal is refused: an item ``inputs_changed`` says which
    inputs changed. One that was broken off goes on. Must not be called inside a transaction. Raises RehearsalNotFound,
    InvalidRehearsalState, NotDueYet, BeingBilled.
    """
    if not rehearsal_presence.appear(rehearsal_id=rehearsal_id):
        raise BeingBilled("rehearsal_is_being_billed", "Somebody else is billing this rehearsal at this moment.")
    try:
        with transaction.atomic():
            row = _billable(rehearsal_id, at)
        started = time.monotonic()
        with audit.timed(lambda: at + timedelta(seconds=time.monotonic() - started)):
            run = runs.run(
                as_of=row.as_of,
                trigger=f"rehearsal {row.pk}",
                actor=actor,
                progress=progress,
                bill=rehearsal_gate.biller(rehearsal_id=row.pk),
                opened=functools.partial(_belong, row.pk, at),
                again=row.run,
                at=at,
            )
        return _finish(row.pk, run, actor, at)
    finally:
        rehearsal_presence.leave(rehearsal_id=rehearsal_id)


def run(*, as_of: datetime) -> int:
    """Bill rehearsals that somebody asked to be billed and nobody is billing: the periodic job. Returns how many."""
    done = 0
    asked = Rehearsal.objects.filter(state=Rehearsal.State.SIGNED_OFF, bill_asked_at__isnull=False, as_of__lte=as_of)
    for row in list(asked.order_by("as_of", "pk")):
        try:
            bill(rehearsal_id=row.pk, actor=asker(row), at=as_of)
            done += 1
        except (BeingBilled, rehearsal_states.InvalidRehearsalState):
            continue  # billed, or dropped, by somebody else in the meantime
        except Exception:
            log.exception("rehearsal %s could not be billed", row.pk)
    return done


def bill_asked(*, rehearsal_id: int, at: datetime) -> BillingRun | None:
    """Bill a rehearsal for whoever asked; where it is billed already, or by somebody else, do nothing."""
    row = known.by_id(rehearsal_id=rehearsal_id)
    if row.state != Rehearsal.State.SIGNED_OFF or row.bill_asked_at is None:
        return None
    try:
        return bill(rehearsal_id=rehearsal_id, actor=asker(row), at=at)
    except BeingBilled:
        return None


def asker(row: Rehearsal) -> Actor:
    """Return who asked for a rehearsal to be billed."""
    kind = "job" if row.bill_asked_by_id is None else "user"
    return Actor(kind=kind, label=row.bill_asked_label, user_id=row.bill_asked_by_id)


def _billable(rehearsal_id: int, at: datetime) -> Rehearsal:
    row = rehearsals.locked(rehearsal_id)
    rehearsal_states.after(state=row.state, verb=Verb.BILL)
    if row.as_of > at:
        raise NotDueYet("rehearsal_not_due_yet", "A rehearsal is billed once its time has come.")
    return row


def _belong(rehearsal_id: int, at: datetime, run: BillingRun) -> None:
    """Tie the run to its rehearsal in the transaction that makes it, so that an interrupted one is found again."""
    row = rehearsals.locked(rehearsal_id)
    rehearsal_states.after(state=row.state, verb=Verb.BILL)
    row.run, row.updated_at = run, at
    row.save(update_fields=["run", "updated_at"])


@transaction.atomic
def _finish(rehearsal_id: int, run: BillingRun, actor: Actor, at: datetime) -> BillingRun:
    row = rehearsals.locked(rehearsal_id)
    row.state, row.updated_at = rehearsal_states.after(state=row.state, verb=Verb.BILL).value, at
    row.save(update_fields=["state", "updated_at"])
    run.failures_count += rehearsal_gate.note_missing(rehearsal=row, run_id=run.pk, at=row.as_of)
    if run.failures_count:
        run.status = BillingRun.Status.FAILED
    run.save(update_fields=["failures_count", "status"])
    new = {"state": row.state, "run": run.pk, "invoices": run.invoices_count, "refused": run.failures_count}
    audit.record(actor=actor, at=at, verb="billed", instance=row, new=new)
    return run

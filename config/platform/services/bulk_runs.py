"""Doing a verb on all rows that a list shows. Owns the order and its rows; the admin says what a verb does.

Each row is done in a transaction of its own together with its mark, so a worker that was killed leaves no row done
twice or half. A message is only the wake-up: the sweeper goes on with what was left.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from config.kernel import db, errors, jobs, rows
from config.kernel.actors import Actor
from config.platform.models import BulkRow, BulkRun
from config.platform.services import audit

log = logging.getLogger(__name__)

State = BulkRun.State
Outcome = BulkRow.Outcome
MOST = 10_000
"""As many rows as a list counts. Whoever means more narrows the list."""
CHUNK = 200
"""Rows of one message: the clock is read again with each."""


class NotYourRun(errors.Forbidden):
    """Only who ordered it may stop it."""


@dataclass(frozen=True)
class Result:
    """What became of a row: its outcome, what the object is called, and a remark for people."""

    outcome: str
    label: str
    remark: str = ""


Performer = Callable[[int, datetime], Result]
_prepare: list[Callable[[BulkRun], Performer]] = []


def performed_by(prepare: Callable[[BulkRun], Performer]) -> None:
    """Say who does the verbs: a function from an order to a function of a row's key and the clock, which refuses by its
    result and never raises a DomainError. Said once, by the admin.
    """
    _prepare[:] = [prepare]


@transaction.atomic
def order(
    *,
    object_type: str,
    verb: str,
    label: str,
    object_ids: Collection[int],
    query: str,
    values: Mapping[str, Sequence[str]],
    actor: Actor,
    at: datetime,
    once: UUID | None = None,
) -> BulkRun:
    """Order a verb for these rows, to be done by a worker. The same ``once`` orders it once and returns that order.

    Raises Forbidden for whoever is no person, and Invalid (`nothing_chosen`, `too_many`).
    """
    if actor.user_id is None:
        raise errors.Forbidden("people_only", "Bulk runs are ordered by people.")
    ids = list(dict.fromkeys(object_ids))
    if not ids:
        raise errors.Invalid("nothing_chosen", "No row matches.")
    if len(ids) > MOST:
        raise errors.Invalid("too_many", f"More than {MOST:,} rows match: narrow the list down.")
    if once is not None:
        db.advisory_lock(f"platform.bulkrun.{once}")
        known = BulkRun.objects.filter(uuid=once, person_id=actor.user_id).first()
        if known is not None:
            return known
    run = BulkRun(
        person_id=actor.user_id,
        person_label=actor.label[:255],
        object_type=object_type,
        verb=verb,
        label=label,
        query=query[:2000],
        values={name: list(texts) for name, texts in values.items()},
        total=len(ids),
        address=actor.address[:64],
        client=actor.client[:512],
        created_at=at,
    )
    if once is not None:
        run.uuid = once
    run.save()
    rows.insert([BulkRow(run=run, object_id=pk) for pk in ids])
    audit.record(
        actor=actor,
        at=at,
        verb="order bulk run",
        instance=run,
        new={"verb": verb, "of": object_type, "rows": len(ids), "query": run.query},
    )
    jobs.enqueue("config.platform.tasks.run_bulk", run_id=run.pk)
    return run


@transaction.atomic
def keep(
    *,
    object_type: str,
    verb: str,
    label: str,
    values: Mapping[str, Sequence[str]],
    results: Mapping[int, Result],
    actor: Actor,
    at: datetime,
) -> BulkRun:
    """Keep what became of rows that a person ticked and that are done already, by their keys, to be read later."""
    run = BulkRun.objects.create(
        person_id=actor.user_id,
        person_label=actor.label[:255],
        object_type=object_type,
        verb=verb,
        label=label,
        values={name: list(texts) for name, texts in values.items()},
        state=State.ENDED,
        total=len(results),
        started_at=at,
        ended_at=at,
        address=actor.address[:64],
        client=actor.client[:512],
        created_at=at,
    )
    rows.insert(
        [
            BulkRow(
                run=run,
                object_id=pk,
                outcome=result.outcome,
                object_label=result.label[:255],
                remark=result.remark[:1000],
                at=at,
            )
            for pk, result in results.items()
        ]
    )
    new = {"verb": verb, "of": object_type, "rows": len(results)}
    audit.record(actor=actor, at=at, verb="do in bulk", instance=run, new=new)
    return run


def work(*, run_id: int, at: datetime) -> bool:
    """Do the next rows of a run and say whether there are more. Any number of workers may do it at the same time."""
    run = BulkRun.objects.filter(pk=run_id, ended_at__isnull=True).first()
    if run is None:
        return False
    if run.state == State.WAITING:
        BulkRun.objects.filter(pk=run.pk, state=State.WAITING).update(state=State.RUNNING, started_at=at)
    perform = _performer(run)
    waiting = run.rows.filter(outcome=Outcome.WAITING)
    for pk in list(waiting.order_by("id").values_list("pk", flat=True)[:CHUNK]):
        _do(pk, perform, at)
    return not _end(run.pk, at)


def go_on(*, run_id: int, at: datetime) -> None:
    """Do the next rows of a run, and send a message for those that follow."""
    if work(run_id=run_id, at=at):
        jobs.enqueue("config.platform.tasks.run_bulk", run_id=run_id)


def sweep(*, as_of: datetime) -> int:
    """Go on with every run that is not through: the periodic job. Returns how many runs there were."""
    open_runs = list(BulkRun.objects.filter(ended_at__isnull=True).order_by("id").values_list("pk", "total"))
    for pk, total in open_runs:
        for _ in range(total // CHUNK + 1):  # rows that another worker is at are its to end
            if not work(run_id=pk, at=as_of):
                break
    return len(open_runs)


@transaction.atomic
def stop(*, run_id: int, actor: Actor, at: datetime) -> BulkRun:
    """Leave the rows undone that nobody began. What was done stays done. Stopping what has ended changes nothing.

    Raises NotYourRun for whoever did not order it.
    """
    run = db.lock_one(BulkRun.objects.filter(pk=run_id))
    if run.person_id != actor.user_id:
        raise NotYourRun("not_yours", f"{run.person_label} ordered it, and only they may stop it.")
    if run.ended_at is not None:
        return run
    skipped = run.rows.filter(outcome=Outcome.WAITING).update(outcome=Outcome.SKIPPED, at=at)
    run.state, run.ended_at = State.STOPPED, at
    run.save(update_fields=["state", "ended_at"])
    audit.record(actor=actor, at=at, verb="stop bulk run", instance=run, new={"left": skipped})
    return run


def counts(run_id: int) -> dict[str, int]:
    """How many rows of a run came out how; every outcome is there. One query."""
    found = BulkRow.objects.filter(run_id=run_id).order_by().values_list("outcome").annotate(Count("id"))
    return dict.fromkeys(Outcome.values, 0) | dict(found)


def _performer(run: BulkRun) -> Performer:
    if not _prepare:
        raise LookupError("nobody said who does bulk runs")
    return _prepare[0](run)


def _do(pk: int, perform: Performer, at: datetime) -> None:
    try:
        with transaction.atomic():
            row = _taken(pk)
            if row is not None:
                _mark(row, perform(row.object_id, at), at)
    except Exception:
        # One row that breaks must not keep the others from it, nor be tried for ever. The log has the whole of it.
        log.exception("bulk row %s failed", pk)
        with transaction.atomic():
            row = _taken(pk)
            if row is not None:
                _mark(row, Result(Outcome.REFUSED, "", "Something went wrong; the log of the worker has it."), at)


def _taken(pk: int) -> BulkRow | None:
    found = BulkRow.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=pk, outcome=Outcome.WAITING)
    return found.first()


def _mark(row: BulkRow, result: Result, at: datetime) -> None:
    row.outcome, row.object_label, row.remark = result.outcome, result.label[:255], result.remark[:1000]
    row.at = at
    row.save(update_fields=["outcome", "object_label", "remark", "at"])


@transaction.atomic
def _end(run_id: int, at: datetime) -> bool:
    run = db.lock_one(BulkRun.objects.filter(pk=run_id))
    if run.ended_at is not None:
        return True
    if run.rows.filter(outcome=Outcome.WAITING).exists():
        return False
    run.state, run.ended_at = State.ENDED, at
    run.save(update_fields=["state", "ended_at"])
    return True

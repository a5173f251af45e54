"""Computing rehearsals: chunk by chunk, one worker at a time, resumable after the last chunk that was kept.

Owns the rehearsal's progress; what a chunk finds is `rehearsal_plays`'. Each chunk is played in one transaction that is
undone, and what it found is kept in another one, so that nothing is locked for longer than a chunk.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction

from billing.domain import rehearsal_states
from billing.domain.outliers import Rule
from billing.domain.rehearsal_states import State, Verb
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import contracts, parked_accounts, rehearsals
from billing.services import rehearsal_plays, rehearsal_presence, rehearsal_reading, rehearsal_rows, webhook_types
from billing.services import rehearsals as verbs
from config.kernel import actors
from config.platform.services import audit, outbox

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told the number of customers done and in all."""

CHUNK = 50
"""So many customers are locked at once, at most, while they are played."""

_BATCH = 200


def compute(*, rehearsal_id: int, at: datetime, progress: Progress | None = None) -> Rehearsal:
    """Compute a rehearsal, or go on after the customers that are done, until it is ready, dropped, or breaks off.

    Nothing but the rehearsal itself is written. Where another worker is at it nothing is done. Memory is bounded by a
    chunk. Must not be called inside a transaction. Raises RehearsalNotFound, InvalidRehearsalState, and what breaks it
    off, which is kept as its ``error``.
    """
    if not rehearsal_presence.appear(rehearsal_id=rehearsal_id):
        return rehearsals.by_id(rehearsal_id=rehearsal_id)
    started = time.monotonic()
    try:
        row = _begin(rehearsal_id, at)
        rules = rehearsal_reading.active_rules()
        tell = progress or _silent
        tell(row.customers_done, row.customers_total)
        for chunk in _chunks(row):
            if not _chunk(row, chunk, rules, at):
                return rehearsals.by_id(rehearsal_id=rehearsal_id)
            tell(row.customers_done, row.customers_total)
        return _finish(row, at, at + timedelta(seconds=time.monotonic() - started))
    except Exception as error:
        _break_off(rehearsal_id, error, at)
        raise
    finally:
        rehearsal_presence.leave(rehearsal_id=rehearsal_id)


def compute_asked(*, rehearsal_id: int, at: datetime) -> None:
    """Compute a rehearsal because a message says so; one that was computed or dropped meanwhile is left alone."""
    try:
        compute(rehearsal_id=rehearsal_id, at=at)
    except rehearsal_states.InvalidRehearsalState:
        log.info("rehearsal %s is not to be computed any more", rehearsal_id)


def run(*, as_of: datetime) -> int:
    """Take up rehearsals that wait, because a message was lost, or whose worker is gone: the periodic job.

    Returns how many were computed. May be called any number of times, beside itself too.
    """
    done = 0
    waiting = Rehearsal.objects.filter(state__in=[Rehearsal.State.WAITING, Rehearsal.State.RUNNING])
    for pk in list(waiting.order_by("pk").values_list("pk", flat=True)):
        try:
            done += compute(rehearsal_id=pk, at=as_of).state == Rehearsal.State.READY
        except rehearsal_states.InvalidRehearsalState:
            continue  # dropped, or computed by somebody else, in the meantime
        except Exception:
            log.exception("rehearsal %s broke off", pk)
    return done


@transaction.atomic
def _begin(rehearsal_id: int, at: datetime) -> Rehearsal:
    row = verbs.locked(rehearsal_id)
    row.state = rehearsal_states.after(state=row.state, verb=Verb.COMPUTE).value
    if not row.computed_until:
        row.started_at = at
        row.customers_total = sum(1 for _ in contracts.due_customers(as_of=row.as_of, with_parked=True))
    row.error, row.updated_at = "", at
    row.save(update_fields=["state", "started_at", "customers_total", "error", "updated_at"])
    return row


def _chunks(row: Rehearsal) -> Iterator[Sequence[int]]:
    rest = contracts.due_customers(as_of=row.as_of, after=row.computed_until, with_parked=True)
    while chunk := list(islice(rest, min(CHUNK, settings.BILLING_RUN_CHUNK))):
        yield chunk


def _chunk(row: Rehearsal, customer_ids: Sequence[int], rules: Sequence[Rule], at: datetime) -> bool:
    """Play a chunk and keep what it found; say whether the rehearsal is still to be computed."""
    parked = parked_accounts.among(customer_ids=customer_ids)
    free = [pk for pk in customer_ids if pk not in parked]
    found = rehearsal_plays.of_customers(rehearsal=row, customer_ids=free, rules=rules, at=at).rows
    found += [rehearsal_rows.parked(rehearsal=row, account=parked[pk], at=at) for pk in sorted(parked)]
    with transaction.atomic():
        current = verbs.locked(row.pk)
        if current.state != Rehearsal.State.RUNNING:
            return False
        RehearsedInvoice.objects.bulk_create(found, batch_size=_BATCH)
        current.computed_until = customer_ids[-1]
        current.customers_done += len(customer_ids)
        current.customers_total = max(current.customers_total, current.customers_done)
        current.parked_count += len(parked)
        current.invoices_count += sum(not one.error_code for one in found)
        current.flagged_count += sum(one.is_flagged for one in found)
        current.failures_count += sum(
            one.error_code not in ("", rehearsals.PARKED, rehearsals.NOTHING_TO_BILL) for one in found
        )
        current.updated_at = at
        current.save()
    row.customers_done, row.customers_total = current.customers_done, current.customers_total
    return True


@transaction.atomic
def _finish(row: Rehearsal, at: datetime, finished_at: datetime) -> Rehearsal:
    current = verbs.locked(row.pk)
    if current.state != Rehearsal.State.RUNNING:
        return current
    current.state, current.finished_at, current.updated_at = State.READY.value, finished_at, at
    current.customers_total = current.customers_done
    current.save(update_fields=["state", "finished_at", "customers_total", "updated_at"])
    new = {"state": current.state, "invoices": current.invoices_count, "flagged": current.flagged_count}
    audit.record(actor=actors.job("rehearsals"), at=at, verb="compute", instance=current, new=new)
    outbox.record(webhook_types.REHEARSAL_READY, [current], at=at)
    return current


def _break_off(rehearsal_id: int, error: Exception, at: datetime) -> None:
    Rehearsal.objects.filter(pk=rehearsal_id, state=Rehearsal.State.RUNNING).update(
        state=Rehearsal.State.FAILED, error=f"{type(error).__name__}: {error}", updated_at=at
    )


def _silent(done: int, total: int) -> None:
    """Tell nobody."""

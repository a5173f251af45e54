"""Billing runs: all customers with something due, chunk by chunk. Owns the run's own row, the isolation of failures and
the progress; what a chunk does is `billing_days`'.

The chunks are the transactions: what was billed stays billed when a run is interrupted, and the next run goes on from
there, because a billing day that was not settled is simply still due.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from django.conf import settings
from django.db import IntegrityError, transaction

from billing.models import BillingRun, BillingRunItem
from billing.queries import advance_events as waiting_events
from billing.queries import contracts, parked_accounts
from billing.services import advance_events, billing_days, run_presence
from billing.services.billing_days import Outcome
from config.kernel import actors, errors
from config.kernel.actors import Actor
from config.platform.services import audit

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told the number of customers done and in all."""


class Biller(Protocol):
    """Whatever bills a chunk of customers: all that is due, or what was agreed to of it."""

    def __call__(
        self,
        *,
        customer_ids: Collection[int],
        as_of: datetime,
        catch_up: bool,
        actor: Actor,
        run_id: int | None,
        wait: bool,
    ) -> Outcome:
        """Bill in a transaction, all or nothing."""


PARKED = "parked"
"""The error code of the item of an account that was left out."""

_ONCE = ("billing_period_once", "billing_rated_once")


def run_scheduled(*, as_of: datetime) -> BillingRun | None:
    """Bill what is due at this clock: the periodic job. Nothing due makes no run. May be called any number of times."""
    if next(contracts.due_customers(as_of=as_of), None) is None:
        return None
    return run(as_of=as_of, trigger="schedule", actor=actors.job("billing"))


def run(
    *,
    as_of: datetime,
    trigger: str,
    actor: Actor,
    customer_ids: Collection[int] | None = None,
    progress: Progress | None = None,
    bill: Biller = billing_days.bill_customers,
    opened: Callable[[BillingRun], None] | None = None,
    again: BillingRun | None = None,
    at: datetime | None = None,
) -> BillingRun:
    """Bill every customer with a billing day that has come, or those of ``customer_ids`` that have one.

    With the setting BILLING_CATCH_UP every elapsed billing day is billed, else only today's, local to the customer. A
    chunk of BILLING_RUN_CHUNK customers is one transaction; when it fails its customers are billed one by one, and
    whoever fails alone is noted with the reason and tried again by the next run. Two runs at once bill everything once.
    Memory is bounded by the chunk. Accounts that are parked are left out, and told as items. Must not be called inside
    a transaction that has to live on after a failure.

    Another ``bill`` may bill less, and say who was refused; ``opened`` hears of the run in the transaction that makes
    it. A run that was broken off goes on if it is given as ``again``: whoever has an item in it is done. ``at`` is when
    it is done, where that is later than the clock that it bills at.
    """
    now, started = at or as_of, time.monotonic()
    run_presence.settle_abandoned(at=now)
    record = _start(as_of, trigger, actor, opened, now) if again is None else _reopen(again)
    try:
        _bill_all(record, as_of, actor, customer_ids, progress or _silent, bill)
        _tell_parked(record, as_of, customer_ids)
        status = BillingRun.Status.FAILED if record.failures_count else BillingRun.Status.SUCCEEDED
        _finish(record, now, started, status)
    except BaseException:
        _finish(record, now, started, BillingRun.Status.FAILED)
        raise
    finally:
        run_presence.leave(record)
    return record


def _start(
    as_of: datetime, trigger: str, actor: Actor, opened: Callable[[BillingRun], None] | None, at: datetime
) -> BillingRun:
    with transaction.atomic():
        record = BillingRun.objects.create(created_at=at, as_of=as_of, trigger=trigger)
        run_presence.appear(record)
        if opened is not None:
            opened(record)
        audit.record(actor=actor, at=at, verb="start", instance=record, new={"as_of": as_of, "trigger": trigger})
    return record


def _reopen(record: BillingRun) -> BillingRun:
    with transaction.atomic():
        run_presence.appear(record)
        record.status, record.finished_at = BillingRun.Status.RUNNING, None
        items = BillingRunItem.objects.filter(run=record)
        record.invoices_count = items.filter(invoice__isnull=False).count()
        record.failures_count = items.filter(invoice__isnull=True).exclude(error_code=PARKED).count()
        done = items.values("customer").distinct().count()
        record.customers_done = max(record.customers_done, done)
        record.save(update_fields=["status", "finished_at", "customers_done", "invoices_count", "failures_count"])
    return record


def _bill_all(
    record: BillingRun,
    as_of: datetime,
    actor: Actor,
    customer_ids: Collection[int] | None,
    progress: Progress,
    bill: Biller,
) -> None:
    failed = set(_failed(record))
    record.customers_total = record.customers_done + sum(
        1 for pk in contracts.due_customers(as_of=as_of, customer_ids=customer_ids) if pk not in failed
    )
    record.save(update_fields=["customers_total"])
    progress(record.customers_done, record.customers_total)
    busy: list[int] = []
    due = (pk for pk in contracts.due_customers(as_of=as_of, customer_ids=customer_ids) if pk not in failed)
    for chunk in _chunks(due):
        found = _bill_chunk(record, chunk, as_of, actor, bill, wait=False)
        busy += found
        _advance(record, len(chunk) - len(found), progress)
    # Somebody else was billing these: a second look makes sure that all is done when this run is.
    for chunk in _chunks(busy):
        _bill_chunk(record, chunk, as_of, actor, bill, wait=True)
        _advance(record, len(chunk), progress)


def _failed(record: BillingRun) -> Iterator[int]:
    """Yield the customers whom the run has given up on already."""
    items = BillingRunItem.objects.filter(run=record, invoice__isnull=True)
    yield from items.values_list("customer_id", flat=True)


def _tell_parked(record: BillingRun, as_of: datetime, customer_ids: Collection[int] | None) -> None:
    """Note the accounts that had something due and were left out. They are no failures."""
    known = set(_failed(record))
    wanted = parked_accounts.customers().exclude(pk__in=known).values_list("pk", flat=True)
    parked = set(wanted if customer_ids is None else wanted.filter(pk__in=customer_ids))
    due = contracts.due_customers(as_of=as_of, customer_ids=parked, with_parked=True) if parked else ()
    reasons = parked_accounts.among(customer_ids=parked)
    BillingRunItem.objects.bulk_create(
        BillingRunItem(created_at=as_of, run=record, customer_id=pk, error_code=PARKED, error=reasons[pk].reason)
        for pk in due
        if pk in reasons
    )


def _chunks(ids: Iterable[int]) -> Iterator[Sequence[int]]:
    rest = iter(ids)
    while chunk := list(islice(rest, settings.BILLING_RUN_CHUNK)):
        yield chunk


def _bill_chunk(
    record: BillingRun, customer_ids: Sequence[int], as_of: datetime, actor: Actor, bill: Biller, *, wait: bool
) -> Sequence[int]:
    """Bill a chunk and return the customers that were busy.

    Usage in advance that waits to be billed counts against a minimum, so that it is billed before that is settled.
    """
    if first := waiting_events.before_minimums(customer_ids=customer_ids):
        advance_events.bill_waiting(as_of=as_of, external_ids=first)
    try:
        return _bill(record, customer_ids, as_of, actor, bill, wait=wait)
    except Exception:  # whatever it was, it is told of the customer who fails alone
        if len(customer_ids) > 1:
            log.warning("could not bill %s customers at once, trying one by one", len(customer_ids), exc_info=True)
    busy: list[int] = []
    for customer_id in customer_ids:
        try:
            busy += _bill(record, [customer_id], as_of, actor, bill, wait=wait)
        except Exception as error:  # noqa: BLE001 - one customer's fault, of any kind, must not stop the others
            _note_failure(record, customer_id, error, as_of)
    return busy


def _bill(
    record: BillingRun, customer_ids: Sequence[int], as_of: datetime, actor: Actor, bill: Biller, *, wait: bool
) -> Sequence[int]:
    outcome = bill(
        customer_ids=customer_ids,
        as_of=as_of,
        catch_up=settings.BILLING_CATCH_UP,
        actor=actor,
        run_id=record.pk,
        wait=wait,
    )
    record.invoices_count += len(outcome.invoices)
    record.failures_count += len(outcome.refused_customer_ids)
    return outcome.busy_customer_ids


def _note_failure(record: BillingRun, customer_id: int, error: Exception, at: datetime) -> None:
    code, message = _reason(error)
    log.error("customer %s could not be billed: %s", customer_id, code, exc_info=error)
    BillingRunItem.objects.create(created_at=at, run=record, customer_id=customer_id, error_code=code, error=message)
    record.failures_count += 1


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, errors.DomainError):
        return error.code, error.message
    if isinstance(error, IntegrityError) and any(name in str(error) for name in _ONCE):
        return "already_billed", "The time is billed already; the database refused to bill it again."
    return "unexpected_error", f"{type(error).__name__}: {error}"


def _advance(record: BillingRun, done: int, progress: Progress) -> None:
    record.customers_done += done
    record.save(update_fields=["customers_done", "invoices_count", "failures_count"])
    progress(record.customers_done, record.customers_total)


def _finish(record: BillingRun, at: datetime, started: float, status: BillingRun.Status) -> None:
    record.status = status
    record.finished_at = at + timedelta(seconds=time.monotonic() - started)
    record.save(update_fields=["status", "finished_at", "customers_done", "invoices_count", "failures_count"])


def _silent(done: int, total: int) -> None:
    """Tell nobody."""

"""Playing a billing run for some customers and undoing it: by the same code, so that it cannot differ from the run.

Owns the transaction that is rolled back. No row, no number, no message and no mail stays; what was read in it does.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from billing.domain.outliers import Rule
from billing.models import Rehearsal, RehearsedInvoice
from billing.queries import advance_events as waiting_events
from billing.queries import contracts
from billing.services import advance_events, billing_days, forecasts, rehearsal_reading, rehearsal_rows, rehearsal_steps
from config.kernel import actors, errors
from config.platform.services import outbox
from invoicing.models import Invoice

log = logging.getLogger(__name__)

_ACTOR = actors.job("rehearsal")
_WAIT, _WAIT_ALONE = "5s", "60s"
"""How long a play waits for a lock, such as that of a number: a whole chunk shortly, a customer alone for longer."""


@dataclass
class Played:
    """What a play found: invoices and failures, as unsaved rows, and customers that somebody else was billing."""

    rows: list[RehearsedInvoice] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)


class _Undo(Exception):
    """Ends a play, so that nothing of it stays."""


def of_customers(*, rehearsal: Rehearsal, customer_ids: Sequence[int], rules: Sequence[Rule], at: datetime) -> Played:
    """Return what the run would make of these customers, and who could not be billed, with the reason.

    They are locked while it is played, nobody else is. When the chunk fails they are played one by one. For a clock
    that is to come all that is agreed until then comes to pass first; usage is what is known now.
    """
    if not customer_ids:
        return Played()
    try:
        played = _undone(rehearsal, customer_ids, rules, at, wait=False)
    except Exception:  # whatever it was, it is told of the customer who fails alone
        if len(customer_ids) > 1:
            log.warning("could not rehearse %s customers at once, trying one by one", len(customer_ids), exc_info=True)
        played = Played(busy=list(customer_ids))
    rows = list(played.rows)
    for customer_id in played.busy:
        try:
            rows += _undone(rehearsal, [customer_id], rules, at, wait=True).rows
        except Exception as error:  # one customer's fault, of any kind, must not stop the others
            code, message = _reason(error)
            log.warning("customer %s could not be rehearsed: %s", customer_id, code, exc_info=error)
            rows.append(
                rehearsal_rows.failure(rehearsal=rehearsal, customer_id=customer_id, code=code, message=message, at=at)
            )
    return Played(rows=rows)


def _undone(
    rehearsal: Rehearsal, customer_ids: Sequence[int], rules: Sequence[Rule], at: datetime, *, wait: bool
) -> Played:
    found: list[Played] = []
    try:
        with forecasts.hurried(), outbox.silence(), transaction.atomic():
            found.append(_play(rehearsal, customer_ids, rules, at, wait=wait))
            raise _Undo
    except _Undo:
        return found[0]


def _play(
    rehearsal: Rehearsal, customer_ids: Sequence[int], rules: Sequence[Rule], at: datetime, *, wait: bool
) -> Played:
    as_of = rehearsal.as_of
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_WAIT_ALONE if wait else _WAIT])
    last = Invoice.objects.aggregate(last=Max("pk"))["last"] or 0
    free, busy = billing_days.hold(customer_ids=customer_ids, wait=wait)
    made: list[int] = []
    if as_of > at:
        for customer_id in rehearsal_steps.moving(customer_ids=free, until=as_of):
            made += rehearsal_steps.play(customer_id=customer_id, at=at, until=as_of, actor=_ACTOR)
    if first := waiting_events.before_minimums(customer_ids=free):
        advance_events.bill_waiting(as_of=as_of, external_ids=first)
    due = contracts.next_days(customer_ids=free, as_of=as_of)
    outcome = billing_days.bill_customers(
        customer_ids=free, as_of=as_of, catch_up=settings.BILLING_CATCH_UP, actor=_ACTOR
    )
    made += [invoice.pk for invoice in outcome.invoices]
    rows = rehearsal_reading.of_invoices(
        rehearsal=rehearsal, invoice_ids=made, due=due, rules=rules, last_invoice_id=last, at=at
    )
    return Played(rows=rows, busy=busy)


def _reason(error: Exception) -> tuple[str, str]:
    if isinstance(error, errors.DomainError):
        return error.code, error.message
    if isinstance(error, IntegrityError):
        return "already_billed", "The time is billed already; the database refused to bill it again."
    return "unexpected_error", f"{type(error).__name__}: {error}"

"""Asking tax engines about invoices that wait, and issuing those whose taxes are known by now.

Nothing is asked inside a transaction: a question is claimed, asked, and its answer written with what follows from it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from config.kernel import actors, db, errors, jobs
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.domain import eu_vat
from invoicing.domain import states, tax_engines
from invoicing.models import Invoice, TaxCalculation
from invoicing.queries import invoices as known_invoices
from invoicing.services import announcements, finalization, tax_engine_clients

log = logging.getLogger(__name__)

CHUNK = 50
_CLAIMED = timedelta(minutes=5)


@dataclass(frozen=True)
class Round:
    """What a round did: questions answered, refused and without an answer; invoices issued."""

    answered: int = 0
    refused: int = 0
    unanswered: int = 0
    issued: int = 0


def run(*, as_of: datetime) -> Round:
    """Ask the engines what is due, then issue the invoices that wait for nothing any more. A periodic job.

    May run any number of times and beside itself. A question without an answer is asked again after a while, longer
    each time, until somebody has to look at it.
    """
    counts = {"answered": 0, "refused": 0, "unanswered": 0}
    for calculation in _claim(as_of):
        counts[_ask(calculation, as_of)] += 1
    return Round(**counts, issued=issue_ready(as_of=as_of))


def issue_ready(*, as_of: datetime, customer_id: int | None = None) -> int:
    """Issue the invoices, of one customer or of all, whose taxes are known by now, each in a transaction of its own.

    One that cannot be issued stops no other: it is logged and tried again by the next round. Returns how many were.
    """
    waiting = Invoice.objects.filter(status=Invoice.Status.PENDING, customer__awaits_tax_decision=False)
    if customer_id is not None:
        waiting = waiting.filter(customer_id=customer_id)
    done = 0
    for pk in list(waiting.order_by("billed_at", "pk").values_list("pk", flat=True)):
        try:
            found = finalization.issue_taxed(invoice_ids=[pk], actor=actors.job("taxes"), at=as_of)
        except Exception:
            log.exception("invoice %s has its taxes and could not be issued", pk)
        else:
            done += sum(1 for one in found if one.status != Invoice.Status.PENDING)
    return done


def wake(*, customer_id: int) -> None:
    """Have the invoices of a customer looked at that wait for their taxes, once the transaction is committed."""
    if Invoice.objects.filter(customer_id=customer_id, status=Invoice.Status.PENDING).exists():
        jobs.enqueue("invoicing.tasks.issue_taxed", customer_id=customer_id)


@transaction.atomic
def retry(*, invoice_id: int, actor: Actor, at: datetime) -> Invoice:
    """Have a failed invoice asked about anew, as it is now: it waits again.

    Raises NotFound, and InvalidTransition (`invalid_status`) for one that did not fail.
    """
    invoice = known_invoices.locked(invoice_id)
    invoice.status = Invoice.Status(states.move(status=invoice.status, verb=states.RETRY_TAXES))
    invoice.error_details, invoice.updated_at = [], at
    invoice.save(update_fields=["status", "error_details", "updated_at"])
    TaxCalculation.objects.filter(invoice=invoice).exclude(status=TaxCalculation.Status.ANSWERED).delete()
    audit.record(
        actor=actor,
        at=at,
        verb="retry_taxes",
        instance=invoice,
        old={"status": states.UNTAXED},
        new={"status": states.WAITING_FOR_TAXES},
    )
    jobs.enqueue("invoicing.tasks.issue_taxed", customer_id=invoice.customer_id)
    return invoice


def _ask(calculation: TaxCalculation, at: datetime) -> str:
    places = [line["id"] for line in calculation.question["lines"]]
    try:
        engine = tax_engine_clients.client(calculation.engine)
        content = engine.calculate(question=calculation.question, key=str(calculation.uuid))
    except tax_engine_clients.Unavailable as error:
        if calculation.attempts + 1 >= tax_engines.ATTEMPTS:
            _fail(calculation.pk, "engine_unavailable", str(error), at)
            return "refused"
        _put_off(calculation.pk, str(error), at)
        return "unanswered"
    try:
        tax_engines.parse(content, places=places)
    except errors.DomainError as error:
        _fail(calculation.pk, error.code, error.message, at)
        return "refused"
    _settle(calculation.pk, content, at)
    return "answered"


@transaction.atomic
def _claim(as_of: datetime) -> list[TaxCalculation]:
    due = TaxCalculation.objects.filter(
        status=TaxCalculation.Status.WAITING, next_attempt_at__lte=as_of, invoice__status=Invoice.Status.PENDING
    )
    rows = list(
        due.select_related("engine")
        .order_by("pk")
        .select_for_update(no_key=True, skip_locked=True, of=("self",))[:CHUNK]
    )
    for row in rows:
        row.next_attempt_at = as_of + _CLAIMED
    TaxCalculation.objects.bulk_update(rows, ["next_attempt_at"])
    return rows


@transaction.atomic
def _settle(pk: int, content: Any, at: datetime) -> None:
    row = db.lock_one(TaxCalculation.objects.filter(pk=pk))
    row.status, row.answer, row.answered_at = TaxCalculation.Status.ANSWERED, content, at
    row.attempts += 1
    row.next_attempt_at, row.error_code, row.error_message = None, "", ""
    row.save()


@transaction.atomic
def _put_off(pk: int, error: str, at: datetime) -> None:
    row = db.lock_one(TaxCalculation.objects.filter(pk=pk))
    row.attempts += 1
    row.error_code, row.error_message = "engine_unavailable", error
    row.next_attempt_at = eu_vat.next_attempt(attempts=row.attempts, at=at)
    row.save()


@transaction.atomic
def _fail(pk: int, code: str, message: str, at: datetime) -> None:
    """Mark a question as refused and its invoice as failed, for somebody to look at."""
    found = TaxCalculation.objects.filter(pk=pk).values_list("invoice_id", flat=True).get()
    invoice = known_invoices.locked(found)
    row = db.lock_one(TaxCalculation.objects.filter(pk=pk))
    row.status, row.error_code, row.error_message = TaxCalculation.Status.FAILED, code[:255], message
    row.attempts += 1
    row.next_attempt_at = None
    row.save()
    if invoice.status != Invoice.Status.PENDING:
        return
    invoice.status = Invoice.Status(states.move(status=invoice.status, verb=states.FAIL_TAXES))
    invoice.error_details = [
        {
            "lago_id": str(row.uuid),
            "error_code": "tax_error",
            "details": {"tax_error": code, "tax_error_message": message},
        }
    ]
    invoice.updated_at = at
    invoice.save(update_fields=["status", "error_details", "updated_at"])
    audit.record(
        actor=actors.job("taxes"),
        at=at,
        verb="fail_taxes",
        instance=invoice,
        old={"status": states.WAITING_FOR_TAXES},
        new={"status": states.UNTAXED},
        reason=message,
    )
    announcements.untaxed(invoice=invoice, calculation=row, at=at)

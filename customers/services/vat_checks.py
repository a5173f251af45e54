"""Checking VAT numbers: asks the register about those that are due, and has the customers decided that wait for it.

Nothing is asked inside a transaction: a question is claimed, asked, and its answer written with what follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from config.kernel import actors, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.domain import eu_vat
from customers.models import Customer, VatCheck
from customers.services import tax_decisions, vat_questions, vies, webhook_types
from customers.services.vies import Answer

CHUNK = 50
_CLAIMED = timedelta(minutes=5)


@dataclass(frozen=True)
class Round:
    """What a round did: numbers answered, questions without an answer, customers decided."""

    answered: int
    unanswered: int
    decided: int


def run(*, as_of: datetime) -> Round:
    """Ask about all numbers that are due, then decide for the customers that wait. A periodic job.

    May run any number of times and beside itself. A number without an answer is asked about again after a while, longer
    each time; its old answer, if it has one, goes on counting.
    """
    answered = unanswered = 0
    for check in _claim(as_of):
        try:
            answer = (vies.checker() or vies.by_form)(number=check.number, at=as_of)
        except vies.Unavailable as error:
            _put_off(check.pk, str(error), as_of)
            unanswered += 1
        else:
            settle(check_id=check.pk, answer=answer, actor=actors.job("vat_checks"), at=as_of)
            answered += 1
    return Round(answered, unanswered, tax_decisions.decide_waiting(as_of=as_of))


@transaction.atomic
@tellings.gathered
def settle(*, check_id: int, answer: Answer, actor: Actor, at: datetime, reason: str = "") -> VatCheck:
    """Write an answer and decide the taxes of the customers with that number anew, all or nothing.

    A person's answer needs a ``reason`` and counts until the register is asked again. Raises NotFound.
    """
    customer_ids = list(
        Customer.objects.filter(vat_check_id=check_id, deleted_at__isnull=True).values_list("pk", flat=True)
    )
    customers = db.lock(Customer.objects.filter(pk__in=customer_ids))
    check = _locked(check_id)
    before = check.status
    check.status = VatCheck.Status.VALID if answer.is_valid else VatCheck.Status.INVALID
    check.name, check.address, check.reference = answer.name, answer.address, answer.reference
    check.told_by, check.checked_at, check.error, check.attempts = answer.told_by, at, "", 0
    check.next_attempt_at = at + vat_questions.KEPT
    check.save()
    if before != check.status or reason:
        audit.record(
            actor=actor,
            at=at,
            verb="check",
            instance=check,
            old={"status": before},
            new={"status": check.status, "name": check.name, "told_by": check.told_by},
            reason=reason,
        )
    for customer in customers:
        tax_decisions.decide(customer=customer, actor=actor, at=at)
        tellings.tell(webhook_types.VIES_CHECK, customer, at=at)
    return check


@transaction.atomic
def ask_again(*, check_id: int, actor: Actor, at: datetime) -> VatCheck:
    """Have a number asked about now; what is known goes on counting until the answer is there. Raises NotFound."""
    check = _locked(check_id)
    check.next_attempt_at, check.attempts = at, 0
    check.save(update_fields=["next_attempt_at", "attempts"])
    audit.record(actor=actor, at=at, verb="ask_again", instance=check)
    vat_questions.wake()
    return check


def _locked(check_id: int) -> VatCheck:
    found = db.lock(VatCheck.objects.filter(pk=check_id))
    if not found:
        raise errors.NotFound("vat_check_not_found", "There is no such check of a VAT number.")
    return found[0]


@transaction.atomic
def _claim(as_of: datetime) -> list[VatCheck]:
    """Take the questions that are due, so that nobody else asks them meanwhile. Numbers of nobody are left alone."""
    due = VatCheck.objects.filter(
        next_attempt_at__lte=as_of, customers__deleted_at__isnull=True, customers__isnull=False
    )
    ids = list(due.order_by("next_attempt_at", "pk").values_list("pk", flat=True).distinct()[:CHUNK])
    rows = list(
        VatCheck.objects.filter(pk__in=ids, next_attempt_at__lte=as_of)
        .select_for_update(no_key=True, skip_locked=True)
        .order_by("pk")
    )
    for row in rows:
        row.next_attempt_at = as_of + _CLAIMED
    VatCheck.objects.bulk_update(rows, ["next_attempt_at"])
    return rows


@transaction.atomic
def _put_off(check_id: int, error: str, at: datetime) -> None:
    check = _locked(check_id)
    check.attempts += 1
    check.error = error[:255]
    check.next_attempt_at = eu_vat.next_attempt(attempts=check.attempts, at=at)
    check.save(update_fields=["attempts", "error", "next_attempt_at"])

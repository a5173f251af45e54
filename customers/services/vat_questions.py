"""Questions about VAT numbers: the rows that say which number is to be asked about. Asking is `vat_checks`'."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.kernel import jobs
from customers.models import VatCheck
from customers.services import vies

KEPT = timedelta(days=90)
"""How long an answer is good for before the register is asked again; meanwhile it goes on counting."""


def of(*, number: str, at: datetime) -> VatCheck:
    """Return what is known of a normalized number. One that is new is to be asked about, after the commit.

    Where no checker is set its form decides at once.
    """
    found = VatCheck.objects.filter(number=number).first()
    if found is not None:
        return found
    VatCheck.objects.bulk_create([_question(number, at)], ignore_conflicts=True)
    wake()
    return VatCheck.objects.get(number=number)


def wake() -> None:
    """Have what waits looked at soon, once the transaction is committed."""
    jobs.enqueue("customers.tasks.check_vat_numbers")


def _question(number: str, at: datetime) -> VatCheck:
    if vies.checker() is not None:
        return VatCheck(created_at=at, number=number, next_attempt_at=at)
    answer = vies.by_form(number=number, at=at)
    return VatCheck(
        created_at=at,
        number=number,
        status=VatCheck.Status.VALID if answer.is_valid else VatCheck.Status.INVALID,
        told_by=answer.told_by,
        checked_at=at,
        next_attempt_at=at + KEPT,
    )

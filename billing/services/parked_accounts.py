"""Parked accounts: customers whom no billing run bills for a while, and for which reason. Owns parking and releasing.

What parking stops is in docs/month-end: billing runs, issuing of drafts by the clock, invoices of usage thresholds and
of gathered fees. What a person asks for, payments and prepaid money go on.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from billing.models import ParkedAccount
from config.kernel import actors, dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import Customer

_LONGEST = 2000


class ParkedAccountNotFound(errors.NotFound):
    """There is no such parked account."""


class UnableToPark(errors.Invalid):
    """The account is parked already, or what is asked for makes no sense."""


@transaction.atomic
def park(
    *,
    customer_id: int,
    reason: str,
    until: date | None = None,
    rehearsal_id: int | None = None,
    actor: Actor,
    at: datetime,
) -> ParkedAccount:
    """Leave a customer out of billing until it is released, or until the local day ``until`` comes, which is to come.

    What is being billed at this moment is waited for. Raises NotFound (``customer_not_found``), UnableToPark
    (``reason``, ``until``, ``customer`` for one that is parked already).
    """
    if not reason.strip() or len(reason) > _LONGEST:
        code = "value_is_too_long" if reason.strip() else "value_is_mandatory"
        raise _refusal("reason", code, "An account is parked for a reason.")
    rows = Customer.objects.filter(pk=customer_id, deleted_at__isnull=True).select_related("billing_entity")
    try:
        customer = db.lock_one(rows)
    except Customer.DoesNotExist:
        raise errors.NotFound("customer_not_found", "There is no such customer.") from None
    if until is not None and until <= dates.local_date(at, dates.zone(customer.applicable_timezone)):
        raise _refusal("until", "value_is_out_of_range", "An account is parked until a day that is to come.")
    if ParkedAccount.objects.filter(customer_id=customer_id, released_at__isnull=True).exists():
        raise _refusal("customer", "already_parked", "The account is parked already.")
    row = ParkedAccount.objects.create(
        created_at=at,
        customer=customer,
        reason=reason,
        parked_by_id=actor.user_id,
        parked_label=actor.label,
        parked_at=at,
        until=until,
        rehearsal_id=rehearsal_id,
    )
    audit.record(
        actor=actor, at=at, verb="park", instance=row, new={"customer": str(customer), "until": until}, reason=reason
    )
    return row


@transaction.atomic
def release(*, parked_id: int, reason: str = "", actor: Actor, at: datetime) -> ParkedAccount:
    """Let billing go on for a parked account. Releasing it again changes nothing. Raises ParkedAccountNotFound."""
    try:
        row = db.lock_one(ParkedAccount.objects.filter(pk=parked_id))
    except ParkedAccount.DoesNotExist:
        raise ParkedAccountNotFound("parked_account_not_found", "There is no such parked account.") from None
    if len(reason) > _LONGEST:
        raise _refusal("reason", "value_is_too_long", f"A reason has at most {_LONGEST} characters.")
    if row.released_at is None:
        row.released_at, row.released_label, row.release_reason = at, actor.label, reason
        row.save(update_fields=["released_at", "released_label", "release_reason"])
        audit.record(actor=actor, at=at, verb="release", instance=row, reason=reason)
    return row


def run(*, as_of: datetime) -> int:
    """Release the accounts whose day has come in their customers' time zones: the periodic job. Return how many."""
    waiting = ParkedAccount.objects.filter(released_at__isnull=True, until__isnull=False)
    done = 0
    for row in waiting.select_related("customer__billing_entity").order_by("pk"):
        if row.until is not None and row.until <= dates.local_date(as_of, dates.zone(row.customer.applicable_timezone)):
            release(
                parked_id=row.pk, reason="The day came until which it was parked.", actor=actors.job("parked"), at=as_of
            )
            done += 1
    return done


def _refusal(name: str, code: str, message: str) -> UnableToPark:
    return UnableToPark(code, message, {name: [code]})

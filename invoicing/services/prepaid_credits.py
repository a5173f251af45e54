"""Granting prepaid credit, and what becomes of the rest: it expires, or goes on in another credit. Drawing is
next door.

The money was booked when the invoice that sold it was issued: as the customer's, no revenue. What expires is earned.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from moneyed import Money

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit
from invoicing.domain import ledger
from invoicing.models import PrepaidCredit
from invoicing.services import ledger as books

DEFAULT_PRIORITY = 50


class InvalidPrepaidCredit(errors.Invalid):
    """Nothing is granted, it is finer than the currency, or its last day is before its first."""


@dataclass(frozen=True)
class Grant:
    """What is granted. ``valid_from`` and ``valid_until`` are local days, both included; no group keys mean all lines.

    ``source_uuid`` is the row that grants it, once.
    """

    customer_id: int
    billing_entity_id: int
    amount: Money
    valid_from: date
    valid_until: date
    source: str
    source_uuid: uuid.UUID
    group_keys: Sequence[str] = ()
    priority: int = DEFAULT_PRIORITY


@transaction.atomic
def grant(*, new: Grant, actor: Actor, at: datetime) -> PrepaidCredit:
    """Grant credit that was bought. Granted once by each source: called again it returns the first one.

    Books nothing: the sale was booked with its invoice. Raises InvalidPrepaidCredit.
    """
    db.advisory_lock(f"invoicing.prepaid:{new.source_uuid}")
    first = PrepaidCredit.objects.filter(source_uuid=new.source_uuid).first()
    return first or _granted(new, None, actor, at)


@transaction.atomic
def widen(*, credit_ids: Collection[int], group_keys: Sequence[str], actor: Actor, at: datetime) -> None:
    """Let restricted credits pay lines of more groups; those for all lines, or closed, are left alone. Idempotent."""
    for credit in db.lock(PrepaidCredit.objects.filter(pk__in=credit_ids, status=PrepaidCredit.Status.ACTIVE)):
        wider = sorted({*credit.group_keys, *group_keys})
        if not credit.group_keys or wider == credit.group_keys:
            continue
        old = {"group_keys": credit.group_keys}
        credit.group_keys, credit.updated_at = wider, at
        credit.save(update_fields=["group_keys", "updated_at"])
        audit.record(actor=actor, at=at, verb="widen", instance=credit, old=old, new={"group_keys": wider})


@transaction.atomic
def expire(*, credit_id: int, on: date, actor: Actor, at: datetime) -> PrepaidCredit:
    """Let what is left of a credit expire: it is earned, booked on the local day ``on``. Idempotent.

    No tax: nothing was supplied for it. One that is used up or closed is returned as it is.
    """
    credit = _locked(credit_id)
    left = credit.left
    if credit.status != PrepaidCredit.Status.ACTIVE:
        return credit
    _close(credit, PrepaidCredit.Status.EXPIRED, "expire", on, actor, at)
    source = books.Source(
        booking=ledger.prepaid_expired(left),
        instance=credit,
        billing_entity_id=credit.billing_entity_id,
        customer_id=credit.customer_id,
        accounting_date=on,
        description=f"Prepaid credit {credit} expired",
    )
    books.post_many(sources=[source], at=at)
    return credit


@transaction.atomic
def roll_over(*, credit_id: int, valid_until: date, source: str, on: date, actor: Actor, at: datetime) -> PrepaidCredit:
    """Let what is left of a credit go on, from the day after its last one until ``valid_until``; return the new credit.

    Nothing is booked: it is the customer's still. Idempotent: of one that was rolled over before the new credit is
    returned, and one of which nothing is left, or that expired, is returned itself. Raises InvalidPrepaidCredit.
    """
    credit = _locked(credit_id)
    if credit.status == PrepaidCredit.Status.ROLLED_OVER:
        return PrepaidCredit.objects.get(rolled_from=credit)
    if credit.status != PrepaidCredit.Status.ACTIVE:
        return credit
    new = Grant(
        customer_id=credit.customer_id,
        billing_entity_id=credit.billing_entity_id,
        amount=credit.left,
        valid_from=date.fromordinal(credit.valid_until.toordinal() + 1),
        valid_until=valid_until,
        source=source,
        source_uuid=uuid.uuid5(credit.uuid, "rolled over"),
        group_keys=credit.group_keys,
        priority=credit.priority,
    )
    _close(credit, PrepaidCredit.Status.ROLLED_OVER, "roll_over", on, actor, at)
    return _granted(new, credit, actor, at)


def _granted(new: Grant, rolled_from: PrepaidCredit | None, actor: Actor, at: datetime) -> PrepaidCredit:
    if new.amount.amount <= 0 or new.amount != money.rounded(new.amount):
        raise InvalidPrepaidCredit(
            "invalid_amount", "Credit is more than nothing, in minor units.", {"amount_cents": ["invalid_value"]}
        )
    if new.valid_until < new.valid_from:
        raise InvalidPrepaidCredit(
            "invalid_dates", "Credit ends before it starts.", {"valid_until": ["must_be_after_start"]}
        )
    credit = PrepaidCredit.objects.create(
        created_at=at,
        updated_at=at,
        customer_id=new.customer_id,
        billing_entity_id=new.billing_entity_id,
        currency=new.amount.currency.code,
        amount=new.amount,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        priority=new.priority,
        group_keys=sorted(new.group_keys),
        source=new.source[:255],
        source_uuid=new.source_uuid,
        rolled_from=rolled_from,
    )
    audit.record(
        actor=actor,
        at=at,
        verb="grant",
        instance=credit,
        new={
            "amount_cents": money.to_minor(credit.amount),
            "currency": credit.currency,
            "valid_from": credit.valid_from,
            "valid_until": credit.valid_until,
            "source": credit.source,
        },
    )
    return credit


def _close(
    credit: PrepaidCredit, status: PrepaidCredit.Status, verb: str, on: date, actor: Actor, at: datetime
) -> None:
    credit.closed_amount = credit.left
    credit.status, credit.closed_on, credit.updated_at = status, on, at
    credit.save(update_fields=["closed_amount", "status", "closed_on", "updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb=verb,
        instance=credit,
        old={"status": PrepaidCredit.Status.ACTIVE},
        new={"status": status, "amount_cents": money.to_minor(credit.closed_amount), "day": on},
    )


def _locked(credit_id: int) -> PrepaidCredit:
    try:
        return db.lock_one(PrepaidCredit.objects.filter(pk=credit_id))
    except PrepaidCredit.DoesNotExist:
        raise errors.NotFound("prepaid_credit_not_found", "There is no such prepaid credit.") from None

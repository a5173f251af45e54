"""Opening balances: booking what customers owed or had with a former system, and settling it.

Each is one booking by hand against the seller's account of opening balances, which ends at nothing once the general
ledger took over the same sums. It is no invoice: reports of revenue and taxes know nothing of it, what customers owe
does.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Sum
from moneyed import Money

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from customers.models import BillingEntity, Customer
from invoicing.domain import ledger
from invoicing.models import LedgerAccount, LedgerEntry, OpeningBalance, OpeningSettlement
from invoicing.services import accounts, approval_actions, manual_entries
from invoicing.services import ledger as books
from invoicing.services.manual_entries import Side

ACCOUNT_NAME = "Opening balances"
_CODES = range(9000, 9100)
_ROLES = {OpeningBalance.Kind.OWED: ledger.RECEIVABLE, OpeningBalance.Kind.CREDIT: ledger.CUSTOMER_CREDIT}


class InvalidOpening(errors.Invalid):
    """The balance cannot be as it is asked for."""


class AlreadyBooked(errors.Conflict):
    """The reference was booked with other figures: what is booked stays."""


class UnableToSettle(errors.NotAllowed):
    """It is not settled that way, or not so much is open."""


@dataclass(frozen=True)
class OpeningValues:
    """What was open. ``reference`` is its number in the former system; both dates are local dates of the seller."""

    kind: str
    reference: str
    issuing_date: date
    due_date: date
    original_amount: Money
    amount: Money


@transaction.atomic
def record(
    *,
    billing_entity: BillingEntity,
    customer: Customer,
    values: OpeningValues,
    accounting_date: date,
    actor: Actor,
    at: datetime,
) -> tuple[OpeningBalance, bool]:
    """Book a balance, and say whether it is new: the same reference with the same figures again changes nothing.

    Raises InvalidOpening, AlreadyBooked for other figures, ApprovalRequired.
    """
    _demand(values)
    db.advisory_lock(f"invoicing.opening:{billing_entity.pk}")
    found = OpeningBalance.objects.filter(
        billing_entity=billing_entity, customer=customer, kind=values.kind, reference=values.reference
    ).first()
    if found is not None:
        _demand_same(found, values)
        return found, False
    role = _ROLES[OpeningBalance.Kind(values.kind)]
    own = books.ensure_accounts(billing_entity_ids=[billing_entity.pk], at=at)[billing_entity.pk, role]
    other = _account(billing_entity.pk, actor, at)
    signed = values.amount if values.kind == OpeningBalance.Kind.OWED else -values.amount
    what = "Open invoice" if values.kind == OpeningBalance.Kind.OWED else "Credit"
    entry = manual_entries.post(
        billing_entity_id=billing_entity.pk,
        sides=[Side(own, signed), Side(other, -signed)],
        accounting_date=accounting_date,
        reason=f"Opening balance: {what.lower()} {values.reference} of the former system",
        reference=f"{what} {values.reference}"[:255],
        customer_id=customer.pk,
        actor=actor,
        at=at,
    )
    row = OpeningBalance.objects.create(
        created_at=at,
        billing_entity=billing_entity,
        customer=customer,
        kind=values.kind,
        reference=values.reference,
        issuing_date=values.issuing_date,
        due_date=values.due_date,
        currency=values.amount.currency.code,
        original_amount=values.original_amount,
        amount=values.amount,
        entry=entry,
    )
    new = {"kind": values.kind, "amount": str(values.amount), "due_date": values.due_date}
    audit.record(actor=actor, at=at, verb="create", instance=row, new=new)
    return row, True


@transaction.atomic
def settle(
    *,
    opening_id: int,
    kind: str,
    amount: Money,
    accounting_date: date,
    reason: str,
    actor: Actor,
    at: datetime,
    idempotency_key: uuid.UUID | None = None,
) -> OpeningSettlement:
    """Book that an open item was paid or is given up, or that a credit was paid back; with the same key once.

    Raises NotFound, UnableToSettle, InvalidEntry without a reason, ApprovalRequired.
    """
    if not OpeningBalance.objects.filter(pk=opening_id).exists():
        raise errors.NotFound("opening_balance_not_found", "There is no such opening balance.")
    opening = db.lock_one(OpeningBalance.objects.filter(pk=opening_id))
    if idempotency_key and (first := OpeningSettlement.objects.filter(idempotency_key=idempotency_key).first()):
        return first
    demand_settleable(opening)
    is_owed = opening.kind == OpeningBalance.Kind.OWED
    if (kind == OpeningSettlement.Kind.PAID_BACK) == is_owed or kind not in OpeningSettlement.Kind.values:
        raise UnableToSettle("wrong_settlement", "What is owed is paid or given up, a credit is paid back.")
    left = left_of(opening)
    if amount.currency != left.currency or amount.amount <= 0 or amount > left or money.rounded(amount) != amount:
        words = f"It is more than nothing and at most {left}."
        raise UnableToSettle("invalid_amount", words, {"amount": ["value_is_out_of_range"]})
    if kind == OpeningSettlement.Kind.WRITTEN_OFF:
        approvals.demand(action=approval_actions.WRITE_OFF, amount=amount, actor=actor)
    entry = _settled(opening, kind, amount, accounting_date, reason, actor, at)
    row = OpeningSettlement.objects.create(
        created_at=at,
        opening=opening,
        kind=kind,
        currency=opening.currency,
        amount=amount,
        entry=entry,
        idempotency_key=idempotency_key,
    )
    new = {"kind": kind, "amount": str(amount), "left": str(left - amount)}
    audit.record(actor=actor, at=at, verb="settle", instance=opening, new=new, reason=reason.strip())
    return row


def left_of(opening: OpeningBalance) -> Money:
    """Return what is open of a balance. One query."""
    settled = opening.settlements.aggregate(total=Sum("amount"))["total"]
    return opening.amount - Money(settled or 0, opening.currency)


def demand_settleable(opening: OpeningBalance) -> None:
    """Demand that something of a balance is open. Raises UnableToSettle."""
    if left_of(opening).amount <= 0:
        raise UnableToSettle("nothing_open", "Nothing of it is open.")


def _settled(
    opening: OpeningBalance, kind: str, amount: Money, day: date, reason: str, actor: Actor, at: datetime
) -> LedgerEntry:
    other = ledger.WRITE_OFF if kind == OpeningSettlement.Kind.WRITTEN_OFF else ledger.CASH
    own = _ROLES[OpeningBalance.Kind(opening.kind)]
    seller = opening.billing_entity_id
    found = books.ensure_accounts(billing_entity_ids=[seller], at=at)
    signed = amount if opening.kind == OpeningBalance.Kind.OWED else -amount
    return manual_entries.post(
        billing_entity_id=seller,
        sides=[Side(found[seller, other], signed), Side(found[seller, own], -signed)],
        accounting_date=day,
        reason=reason,
        reference=f"{OpeningSettlement.Kind(kind).label.capitalize()}: {opening.reference}"[:255],
        customer_id=opening.customer_id,
        actor=actor,
        at=at,
    )


def _demand(values: OpeningValues) -> None:
    details: dict[str, list[str]] = {}
    if values.kind not in OpeningBalance.Kind.values:
        details["kind"] = ["value_is_invalid"]
    if not values.reference.strip():
        details["reference"] = ["value_is_mandatory"]
    if values.due_date < values.issuing_date:
        details["due_date"] = ["value_is_out_of_range"]
    for name, amount in (("amount", values.amount), ("original_amount", values.original_amount)):
        if amount.amount <= 0 or money.rounded(amount) != amount:
            details[name] = ["value_is_out_of_range"]
    if values.original_amount.currency != values.amount.currency or values.original_amount < values.amount:
        details["original_amount"] = ["value_is_out_of_range"]
    if details:
        raise InvalidOpening("validation_errors", "", details)


def _demand_same(found: OpeningBalance, values: OpeningValues) -> None:
    booked = (found.amount, found.original_amount, found.issuing_date, found.due_date)
    if booked != (values.amount, values.original_amount, values.issuing_date, values.due_date):
        words = f"{found.reference} is booked with {found.amount}, due {found.due_date}: what is booked stays."
        raise AlreadyBooked("opening_balance_booked", words, {"reference": ["value_already_exist"]})


def _account(seller: int, actor: Actor, at: datetime) -> int:
    """The seller's account of opening balances: the one used before, else one of that name, else a new one."""
    rows = LedgerAccount.objects.filter(billing_entity_id=seller, role="")
    used = rows.filter(postings__entry__opening_balance__isnull=False).order_by("pk").first()
    known = used or rows.filter(name=ACCOUNT_NAME, is_active=True).order_by("pk").first()
    if known is not None:
        return known.pk
    taken = set(LedgerAccount.objects.filter(billing_entity_id=seller).values_list("code", flat=True))
    code = next(str(code) for code in _CODES if str(code) not in taken)
    values = accounts.AccountValues(code=code, name=ACCOUNT_NAME, type=LedgerAccount.Type.LIABILITY)
    return accounts.create(billing_entity_id=seller, values=values, actor=actor, at=at).pk

"""Opening balances: booking what customers owed or had with a former system, settling it, and taking either back.

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
from invoicing.queries import had_before
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


class KeyReused(errors.Conflict):
    """The idempotency key belongs to another settlement."""


WAYS = {
    OpeningBalance.Kind.OWED: (OpeningSettlement.Kind.PAID, OpeningSettlement.Kind.WRITTEN_OFF),
    OpeningBalance.Kind.CREDIT: (OpeningSettlement.Kind.PAID_BACK,),
}
"""How each kind is settled."""


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

    One that was taken back is booked anew, with other figures too. Raises InvalidOpening, AlreadyBooked for other
    figures, ApprovalRequired.
    """
    _demand(values)
    db.advisory_lock(f"invoicing.opening:{billing_entity.pk}")
    rows = OpeningBalance.objects.filter(
        billing_entity=billing_entity, customer=customer, kind=values.kind, reference=values.reference
    )
    found = rows.order_by("-attempt").first()
    if found is not None and not is_taken_back(found):
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
        attempt=1 if found is None else found.attempt + 1,
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

    Raises NotFound, UnableToSettle, InvalidEntry without a reason, ApprovalRequired, KeyReused.
    """
    opening = _locked(opening_id)
    if idempotency_key and (first := OpeningSettlement.objects.filter(idempotency_key=idempotency_key).first()):
        if (first.opening_id, first.kind, first.amount) != (opening.pk, kind, amount):
            raise KeyReused("idempotency_key_reused", "The key was used for another settlement.")
        return first
    demand_settleable(opening)
    if kind not in WAYS[OpeningBalance.Kind(opening.kind)]:
        raise UnableToSettle("wrong_settlement", "What is owed is paid or given up, a credit is paid back.")
    left = left_of(opening)
    if amount.currency != left.currency or amount.amount <= 0 or amount > left or money.rounded(amount) != amount:
        words = f"It is more than nothing and at most {left}."
        raise UnableToSettle("invalid_amount", words, {"amount": ["value_is_out_of_range"]})
    if kind == OpeningSettlement.Kind.WRITTEN_OFF:
        had = had_before.write_offs(of=opening, at=at)
        approvals.demand(action=approval_actions.WRITE_OFF, amount=amount, actor=actor, before=had)
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


@transaction.atomic
def undo(*, settlement_id: int, accounting_date: date, reason: str, actor: Actor, at: datetime) -> OpeningSettlement:
    """Take a settlement back, whole: the opposite is booked on a day, and the balance is open again by as much.

    Undoing it again returns the first undoing and changes nothing. Raises NotFound, UnableToSettle, InvalidEntry
    without a reason, ApprovalRequired as for what is booked by hand.
    """
    found = OpeningSettlement.objects.filter(pk=settlement_id).first()
    if found is None:
        raise errors.NotFound("opening_settlement_not_found", "There is no such settlement.")
    opening = _locked(found.opening_id)
    if (first := OpeningSettlement.objects.filter(undoes=found).first()) is not None:
        return first
    if found.kind not in WAYS[OpeningBalance.Kind(opening.kind)]:
        raise UnableToSettle("wrong_settlement", "What takes something back is not taken back itself: book it anew.")
    entry = manual_entries.take_back(
        entry_id=found.entry_id, accounting_date=accounting_date, reason=reason, actor=actor, at=at
    )
    row = OpeningSettlement.objects.create(
        created_at=at,
        opening=opening,
        kind=OpeningSettlement.Kind.UNDONE,
        currency=opening.currency,
        amount=found.amount,
        entry=entry,
        undoes=found,
    )
    new = {"kind": found.kind, "amount": str(found.amount), "left": str(left_of(opening))}
    audit.record(actor=actor, at=at, verb="undo_settlement", instance=opening, new=new, reason=reason.strip())
    return row


@transaction.atomic
def take_back(*, opening_id: int, accounting_date: date, reason: str, actor: Actor, at: datetime) -> OpeningSettlement:
    """Take a balance back that should not have been booked: the opposite is booked on a day, and nothing of it is open.

    Its number may be imported anew, with other figures. Taking it back again returns the first time and changes
    nothing. Raises NotFound, UnableToSettle while something of it is settled, InvalidEntry without a reason,
    ApprovalRequired as for what is booked by hand.
    """
    opening = _locked(opening_id)
    first = opening.settlements.filter(kind=OpeningSettlement.Kind.TAKEN_BACK).first()
    if first is not None:
        return first
    demand_returnable(opening)
    entry = manual_entries.take_back(
        entry_id=opening.entry_id, accounting_date=accounting_date, reason=reason, actor=actor, at=at
    )
    row = OpeningSettlement.objects.create(
        created_at=at,
        opening=opening,
        kind=OpeningSettlement.Kind.TAKEN_BACK,
        currency=opening.currency,
        amount=opening.amount,
        entry=entry,
    )
    new = {"amount": str(opening.amount), "accounting_date": accounting_date}
    audit.record(actor=actor, at=at, verb="take_back", instance=opening, new=new, reason=reason.strip())
    return row


def left_of(opening: OpeningBalance) -> Money:
    """Return what is open of a balance. One query."""
    standing = opening.settlements.filter(undoes__isnull=True, undone_by__isnull=True)
    return opening.amount - Money(standing.aggregate(total=Sum("amount"))["total"] or 0, opening.currency)


def is_taken_back(opening: OpeningBalance) -> bool:
    """Say whether a balance was taken back. One query."""
    return opening.settlements.filter(kind=OpeningSettlement.Kind.TAKEN_BACK).exists()


def demand_returnable(opening: OpeningBalance) -> None:
    """Demand that a balance can be taken back. Raises UnableToSettle."""
    if is_taken_back(opening):
        raise UnableToSettle("taken_back", "It was taken back before.")
    if left_of(opening) != opening.amount:
        raise UnableToSettle("is_settled", "Something of it is settled: undo that first.")


def demand_settleable(opening: OpeningBalance) -> None:
    """Demand that something of a balance is open. Raises UnableToSettle."""
    if left_of(opening).amount <= 0:
        raise UnableToSettle("nothing_open", "Nothing of it is open.")


def _locked(opening_id: int) -> OpeningBalance:
    try:
        return db.lock_one(OpeningBalance.objects.filter(pk=opening_id))
    except OpeningBalance.DoesNotExist:
        raise errors.NotFound("opening_balance_not_found", "There is no such opening balance.") from None


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

"""Booking by hand, with a reason, and taking such a booking back by its opposite. Nothing is changed or deleted."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from moneyed import Money

from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import accounts, ledger
from invoicing.domain.ledger import Booking, Posting
from invoicing.models import (
    LedgerAccount,
    LedgerEntry,
    LedgerPosting,
    ManualEntry,
    OpeningBalance,
    OpeningSettlement,
)
from invoicing.services import approval_actions
from invoicing.services import ledger as books


class InvalidEntry(errors.Invalid):
    """The entry does not balance, names an account that cannot be posted to, or has no reason."""


class UnableToReverse(errors.NotAllowed):
    """The entry was not made by hand, or was taken back before."""


@dataclass(frozen=True)
class Side:
    """One side: a debit is positive, a credit negative."""

    account_id: int
    amount: Money


@transaction.atomic
def post(
    *,
    billing_entity_id: int,
    sides: Sequence[Side],
    accounting_date: date,
    reason: str,
    actor: Actor,
    at: datetime,
    reference: str = "",
    customer_id: int | None = None,
    idempotency_key: uuid.UUID | None = None,
) -> LedgerEntry:
    """Book sides that balance in every currency on a day of the books; return the entry.

    With the same key the first entry is returned. What customers owe, have or paid has a customer. Raises InvalidEntry,
    ApprovalRequired.
    """
    if idempotency_key and (first := ManualEntry.objects.filter(idempotency_key=idempotency_key).first()):
        return _entry_of(first)
    if not reason.strip():
        raise InvalidEntry("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    demand(sides=sides, billing_entity_id=billing_entity_id, customer_id=customer_id)
    _demand_second(sides, actor)
    manual = ManualEntry.objects.create(
        created_at=at,
        billing_entity_id=billing_entity_id,
        reason=reason.strip(),
        reference=reference.strip(),
        idempotency_key=idempotency_key,
    )
    entry = _book(manual, ledger.MANUAL, sides, accounting_date, customer_id, reference.strip() or reason.strip(), at)
    audit.record(
        actor=actor,
        at=at,
        verb="post",
        instance=entry,
        new={"accounting_date": accounting_date, "postings": [f"{side.account_id}: {side.amount}" for side in sides]},
        reason=reason.strip(),
    )
    return entry


@transaction.atomic
def reverse(*, entry_id: int, accounting_date: date, reason: str, actor: Actor, at: datetime) -> LedgerEntry:
    """Book the opposite of a manual entry on a day; return the new entry. What opening balances stand on is theirs.

    Raises UnableToReverse, InvalidEntry, ApprovalRequired.
    """
    entry = LedgerEntry.objects.select_for_update(no_key=True, of=("self",)).get(pk=entry_id)
    manual = demand_reversible(entry)
    return _reverse(entry, manual, accounting_date, reason, actor, at)


@transaction.atomic
def take_back(*, entry_id: int, accounting_date: date, reason: str, actor: Actor, at: datetime) -> LedgerEntry:
    """Book the opposite of a manual entry for whatever stands on it, which notes that itself; return the new entry.

    Where it was booked before, by hand, that entry is returned. Raises UnableToReverse, InvalidEntry, ApprovalRequired.
    """
    entry = LedgerEntry.objects.select_for_update(no_key=True, of=("self",)).get(pk=entry_id)
    manual = _manual(entry)
    before = ManualEntry.objects.filter(reverses=manual).first()
    if before is not None:
        return _entry_of(before)
    return _reverse(entry, manual, accounting_date, reason, actor, at)


def _reverse(
    entry: LedgerEntry, manual: ManualEntry, accounting_date: date, reason: str, actor: Actor, at: datetime
) -> LedgerEntry:
    if not reason.strip():
        raise InvalidEntry("validation_errors", "Say why.", {"reason": ["value_is_mandatory"]})
    postings = LedgerPosting.objects.filter(entry=entry).order_by("pk")
    sides = [Side(account_id=posting.account_id, amount=-posting.amount) for posting in postings]
    _demand_second(sides, actor)
    opposite = ManualEntry.objects.create(
        created_at=at,
        billing_entity_id=entry.billing_entity_id,
        reason=reason.strip(),
        reference=manual.reference,
        reverses=manual,
    )
    description = f"Taken back: {entry.description}"
    booked = _book(opposite, ledger.REVERSED, sides, accounting_date, entry.customer_id, description, at)
    audit.record(actor=actor, at=at, verb="reverse", instance=entry, new={"entry": booked.pk}, reason=reason.strip())
    return booked


def _demand_second(sides: Sequence[Side], actor: Actor) -> None:
    """Ask for a second person by the debits of each currency."""
    debits: dict[str, Money] = {}
    for side in sides:
        if side.amount.amount > 0:
            code = side.amount.currency.code
            debits[code] = debits.get(code, money.zero(code)) + side.amount
    for amount in debits.values():
        approvals.demand(action=approval_actions.MANUAL_ENTRY, amount=amount, actor=actor)


def demand_reversible(entry: LedgerEntry) -> ManualEntry:
    """Return what stands behind an entry that may be taken back. Raises UnableToReverse."""
    manual = _manual(entry)
    if ManualEntry.objects.filter(reverses=manual).exists():
        raise UnableToReverse("already_reversed", "It was taken back before.")
    if OpeningBalance.objects.filter(entry=entry).exists() or OpeningSettlement.objects.filter(entry=entry).exists():
        raise UnableToReverse("of_opening_balance", "It is of an opening balance: take it back there.")
    return manual


def _manual(entry: LedgerEntry) -> ManualEntry:
    manual = None
    if entry.source_type == ManualEntry._meta.label_lower and entry.fact == ledger.MANUAL:
        manual = ManualEntry.objects.filter(pk=entry.source_id).first()
    if manual is None:
        raise UnableToReverse("not_manual", "Only what was booked by hand is taken back by hand.")
    return manual


def demand(*, sides: Sequence[Side], billing_entity_id: int, customer_id: int | None) -> None:
    """Demand that sides can be booked: balanced, on open accounts, with a customer where it is about one.

    Raises InvalidEntry.
    """
    if len(sides) < 2:
        raise InvalidEntry("too_few_sides", "An entry has two sides at least.", {"sides": ["value_is_mandatory"]})
    ids = {side.account_id for side in sides}
    if len({(side.account_id, side.amount.currency.code) for side in sides}) < len(sides):
        raise InvalidEntry("account_twice", "Name each account once.", {"sides": ["value_is_invalid"]})
    found = {row.pk: row for row in LedgerAccount.objects.filter(pk__in=ids, billing_entity_id=billing_entity_id)}
    if set(found) != ids or not all(row.is_active for row in found.values()):
        raise InvalidEntry("account_not_found", "The seller has no such open account.", {"account": ["not_found"]})
    sums: dict[str, Money] = {}
    for side in sides:
        if not side.amount or side.amount != money.rounded(side.amount):
            raise InvalidEntry(
                "invalid_amount", "Amounts are not nothing, and in minor units.", {"amount": ["value_is_invalid"]}
            )
        code = side.amount.currency.code
        sums[code] = sums.get(code, money.zero(code)) + side.amount
    off = [str(amount) for amount in sums.values() if amount]
    if off:
        words = f"Debits and credits differ by {', '.join(off)}."
        raise InvalidEntry("not_balanced", words, {"sides": ["not_balanced"]})
    if customer_id is None and any(row.role in _OF_CUSTOMERS for row in found.values()):
        words = "Name the customer: it is about what one owes or has."
        raise InvalidEntry("customer_missing", words, {"customer": ["value_is_mandatory"]})


_OF_CUSTOMERS = frozenset({*accounts.OPEN_ITEMS, ledger.CUSTOMER_CREDIT, ledger.REFUNDS, ledger.PREPAID})


def _book(
    manual: ManualEntry,
    fact: str,
    sides: Sequence[Side],
    day: date,
    customer_id: int | None,
    description: str,
    at: datetime,
) -> LedgerEntry:
    roles = dict(LedgerAccount.objects.filter(pk__in=[side.account_id for side in sides]).values_list("pk", "role"))
    (entry,) = books.post_many(
        sources=[
            books.Source(
                booking=Booking(fact, tuple(Posting(roles[side.account_id], side.amount) for side in sides)),
                instance=manual,
                billing_entity_id=manual.billing_entity_id,
                customer_id=customer_id,
                accounting_date=day,
                description=description,
                account_ids=tuple(side.account_id for side in sides),
            )
        ],
        at=at,
    )
    return entry


def _entry_of(manual: ManualEntry) -> LedgerEntry:
    return LedgerEntry.objects.get(source_type=ManualEntry._meta.label_lower, source_id=manual.pk)

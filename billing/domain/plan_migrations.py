"""Moving a subscription to another version of its plan: which may be moved in place, who may agree to it, and the
states of a migration. Owns these rules; moving is the services'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors


class State(StrEnum):
    """Where a migration is in its life."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


class Verb(StrEnum):
    """What can happen to a migration."""

    PREVIEW = "preview"
    SUBMIT = "submit"
    APPROVE = "approve"
    WITHDRAW = "withdraw"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    RETRY = "retry"


_TRANSITIONS = {
    (State.DRAFT, Verb.PREVIEW): State.DRAFT,
    (State.SUBMITTED, Verb.PREVIEW): State.SUBMITTED,
    (State.DRAFT, Verb.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Verb.APPROVE): State.APPROVED,
    (State.DRAFT, Verb.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Verb.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Verb.WITHDRAW): State.WITHDRAWN,
    (State.APPROVED, Verb.START): State.RUNNING,
    (State.RUNNING, Verb.FINISH): State.DONE,
    (State.RUNNING, Verb.FAIL): State.FAILED,
    (State.FAILED, Verb.RETRY): State.RUNNING,
}


class InvalidTransition(errors.NotAllowed):
    """The state of the migration does not allow the verb."""


class SecondPersonNeeded(errors.Forbidden):
    """Somebody else has to agree."""


class CannotMove(errors.NotAllowed):
    """A subscription stays where it is; the code says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a version decides which time is billed when, and in which currency."""

    interval: str
    currency: str
    pay_in_advance: bool
    charges_monthly: bool
    fixed_charges_monthly: bool


def next(*, state: str, verb: Verb) -> State:  # noqa: A001 - read as plan_migrations.next
    """Return the state after the verb. Raises InvalidTransition (`invalid_status`) where the state refuses it."""
    found = _TRANSITIONS.get((State(state), verb))
    if found is None:
        raise InvalidTransition("invalid_status", f"A migration that is {state} does not allow to {verb} it.")
    return found


def check_second_person(*, approver: int | None, others: tuple[int | None, ...]) -> None:
    """Refuse an approval by who made or submitted it, or by nobody. Raises SecondPersonNeeded."""
    if approver is None or approver in others:
        raise SecondPersonNeeded(
            "second_person_needed", "A migration is approved by another person than those who made and submitted it."
        )


def check_in_place(*, current: Terms, wanted: Terms) -> None:
    """Refuse to move a running subscription in place where its time would be cut in another way.

    Raises CannotMove (`other_currency`, `other_interval`, `other_timing`).
    """
    if current.currency != wanted.currency:
        raise CannotMove("other_currency", f"It is in {current.currency}, the version in {wanted.currency}.")
    if current.interval != wanted.interval:
        raise CannotMove("other_interval", "The version has another interval; move it at the end of its period.")
    if current != wanted:
        raise CannotMove("other_timing", "The version is billed at other times; move it at the end of its period.")


def check_later(*, current: Terms, wanted: Terms) -> None:
    """Refuse to move a subscription with its next period. Raises CannotMove (`other_currency`)."""
    if current.currency != wanted.currency:
        raise CannotMove("other_currency", f"It is in {current.currency}, the version in {wanted.currency}.")


def check_begin(*, begins: date, change_date: date | None) -> None:
    """Refuse to give what begins before a day the version of that day. Raises CannotMove (`begins_before`)."""
    if change_date is not None and begins < change_date:
        raise CannotMove("begins_before", f"It begins on {begins.isoformat()}, before the date; move it once it runs.")


_BOUNDS = (Decimal("-0.5"), Decimal("-0.1"), Decimal(0), Decimal("0.1"), Decimal("0.5"))


def share_bucket(*, before: Decimal, difference: Decimal) -> int:
    """Return which of seven buckets a change is in, from much less (0) over the same (3) to much more (6).

    The bounds are half and a tenth of what it was; from nothing, anything is much more.
    """
    if not difference:
        return 3
    if not before:
        return 6 if difference > 0 else 0
    share = difference / abs(before)
    place = sum(1 for bound in _BOUNDS if share > bound)
    return place if share < 0 else place + 1

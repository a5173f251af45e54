"""Late usage: what a policy makes of it, what may be decided, and how much of it fits on an invoice. Owns these rules;
how much it comes to is rating's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from config.kernel import errors

ZERO = Decimal(0)


class Policy(StrEnum):
    """What happens to late usage by itself."""

    HOLD = "hold"
    BILL = "bill"
    CORRECT = "correct"
    WAIVE = "waive"


class Decision(StrEnum):
    """What may be decided about it."""

    BILL = "bill"
    CORRECT = "correct"
    WAIVE = "waive"


class State(StrEnum):
    """Where an entry of the inbox is."""

    HELD = "held"
    TO_BILL = "to_bill"
    CORRECTED = "corrected"
    WAIVED = "waived"
    NO_EFFECT = "no_effect"


_DECIDED = {Decision.BILL: State.TO_BILL, Decision.CORRECT: State.CORRECTED, Decision.WAIVE: State.WAIVED}


class AlreadyDecided(errors.NotAllowed):
    """Somebody decided about it before, or there is nothing to decide."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy; ``waive_below`` is an amount in major units of the currency that it is compared with."""

    policy: Policy
    waive_below: Decimal | None = None


def terms(*, own: str, own_below: Decimal | None, general: str, general_below: Decimal | None) -> Terms:
    """Return what goes for a subscription: its own policy, else the installation's."""
    return Terms(Policy(own), own_below) if own else Terms(Policy(general), general_below)


def by_policy(*, agreed: Terms, net: Decimal) -> Decision | None:
    """Return what the policy decides about late usage that comes to ``net``, in major units.

    None leaves it to a person. An amount is waived only below the limit, whichever side it favours.
    """
    if agreed.policy is Policy.BILL:
        return Decision.BILL
    if agreed.policy is Policy.CORRECT:
        return Decision.CORRECT
    if agreed.policy is Policy.WAIVE and agreed.waive_below is not None and abs(net) < agreed.waive_below:
        return Decision.WAIVE
    return None


def after(*, state: str, decision: Decision, is_billed: bool = True) -> State:
    """Return the state after a decision about what is held.

    What was to go on an invoice and is not ``is_billed`` yet, not by a draft either, may still be corrected or waived.
    Raises AlreadyDecided (`already_decided`) for anything else.
    """
    waits = State(state) is State.TO_BILL and not is_billed and decision is not Decision.BILL
    if State(state) is not State.HELD and not waits:
        raise AlreadyDecided("already_decided", "It is decided already: each entry is decided once.")
    return _DECIDED[decision]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An amount in major units that waits for an invoice, and what taxes are on it."""

    id: int
    amount: Decimal
    tax_ids: tuple[int, ...]


def placed(*, waiting: Sequence[Waiting], room: Mapping[tuple[int, ...], Decimal]) -> list[tuple[int, Decimal]]:
    """Return what of the waiting amounts an invoice takes, in their order: the id and the part of the amount.

    What is owed goes on it whole. What is the customer's takes no more than there is under the same taxes (``room`` is
    what the other lines come to), so that the invoice never comes to less than nothing; the rest waits.
    """
    left = dict(room)
    for one in waiting:
        if one.amount > 0:
            left[one.tax_ids] = left.get(one.tax_ids, ZERO) + one.amount
    found = []
    for one in waiting:
        part = one.amount
        if part < 0:
            part = -min(-part, max(left.get(one.tax_ids, ZERO), ZERO))
            left[one.tax_ids] = left.get(one.tax_ids, ZERO) + part
        if part:
            found.append((one.id, part))
    return found

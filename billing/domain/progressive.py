"""Usage thresholds and progressive billing: which thresholds a move of the lifetime usage passes, how far it is to the
next ones, and which lines take off what was billed before. Owns this arithmetic; amounts come in minor units.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from config.kernel import money

MAX_STEPS = 1000
"""How many passed steps of a recurring threshold a listing tells, the latest ones."""

_PLACES = 10
_NOTHING, _WHOLE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Threshold:
    """An amount of lifetime usage; a recurring one is a step beyond the highest of the others."""

    key: UUID
    amount_cents: int
    recurring: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """How much of a threshold is used: 1 where it was passed, with when that was seen."""

    amount_cents: int
    ratio: Decimal
    reached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A threshold that was passed: which one, the lifetime usage at that moment, and the moment."""

    key: UUID
    lifetime_cents: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bill takes off because it was billed progressively: by item, in all, and what was billed beyond that.

    ``source_id`` is the newest progressive invoice. Amounts are net and rounded.
    """

    source_id: int
    amount: Money
    excess: Money
    shares: tuple[Money, ...]


def passed(*, thresholds: Sequence[Threshold], invoiced: int, new: int) -> tuple[Threshold, ...]:
    """Return what thresholds usage passes that grows from ``invoiced`` by ``new``: by amount, a recurring one last.

    Below the highest fixed threshold: every fixed one that is reached, and the recurring one once its step beyond the
    highest is. From there on the recurring one is passed when the usage reaches the next multiple of its step, counted
    from nothing, once whatever the number of steps. Usage that does not grow passes nothing.
    """
    if new <= 0:
        return ()
    total = invoiced + new
    fixed = sorted((one for one in thresholds if not one.recurring), key=lambda one: one.amount_cents)
    recurring = next((one for one in thresholds if one.recurring), None)
    highest = fixed[-1].amount_cents if fixed else 0
    if invoiced < highest:
        found = [one for one in fixed if invoiced < one.amount_cents <= total]
        steps = recurring is not None and total - highest >= recurring.amount_cents
    else:
        found = []
        steps = recurring is not None and new + invoiced % recurring.amount_cents >= recurring.amount_cents
    return (*found, recurring) if steps and recurring is not None else tuple(found)


def completions(
    *, thresholds: Sequence[Threshold], total: int, reached: Sequence[Reached], at: datetime
) -> tuple[Completion, ...]:
    """Return how far the lifetime usage is, fixed thresholds first, by amount.

    Of the first fixed one that is not passed it is the share of the way from the one before; of later ones nothing. A
    recurring one is told by a row for each step that was passed (the last MAX_STEPS) and one for the step that runs;
    while a fixed one is not passed, by its first step. What was passed without a record is passed now. Ratios are
    rounded to ten places.
    """
    found: list[Completion] = []
    before = 0
    is_open = False
    fixed = sorted((one for one in thresholds if not one.recurring), key=lambda one: one.amount_cents)
    for one in fixed:
        if total >= one.amount_cents:
            found.append(Completion(one.amount_cents, _WHOLE, _reached_at(one, one.amount_cents, reached, at)))
            before = one.amount_cents
        else:
            ratio = _NOTHING if is_open else _ratio(total - before, one.amount_cents - before)
            found.append(Completion(one.amount_cents, ratio))
            is_open = True
    recurring = next((one for one in thresholds if one.recurring), None)
    if recurring is None:
        return tuple(found)
    highest = fixed[-1].amount_cents if fixed else 0
    step = recurring.amount_cents
    if is_open:
        return (*found, Completion(highest + step, _NOTHING))
    steps, rest = divmod(max(total - highest, 0), step)
    for number in range(max(0, steps - MAX_STEPS) + 1, steps + 1):
        amount = highest + number * step
        found.append(Completion(amount, _WHOLE, _reached_at(recurring, amount, reached, at)))
    return (*found, Completion(highest + (steps + 1) * step, _ratio(rest, step)))


def shares(*, credit: Money, amounts: Sequence[Money], billed: Sequence[Money]) -> list[Money]:
    """Split what was billed progressively over lines: no more of any than its amount, and the parts sum to the whole.

    Each line takes off what was ``billed`` of the same price before, as far as it goes; where the credit is less than
    that it is split by it, and what is left of it is split over what is left of the lines. Raises ValueError where the
    lines come to less than the credit.
    """
    nothing = credit * 0
    own = [max(min(amount, before), nothing) for amount, before in zip(amounts, billed, strict=True)]
    whole = sum(own, nothing)
    if credit <= whole:
        return money.allocate(credit, [part.amount for part in own])
    room = [max(amount, nothing) - part for amount, part in zip(amounts, own, strict=True)]
    if credit - whole > sum(room, nothing):
        raise ValueError(f"{credit} were billed progressively of lines that come to less.")
    rest = money.allocate(credit - whole, [part.amount for part in room])
    return [part + more for part, more in zip(own, rest, strict=True)]


def limited(*, billed: Money, charged: Mapping[str, Money], charges: Sequence[str]) -> tuple[Money, Money]:
    """Return what of an amount that was ``billed`` progressively is taken off, and what is beyond.

    It is no more than what the same ``charges`` come to now, by their keys.
    """
    nothing = billed * 0
    limit = sum((charged.get(key, nothing) for key in dict.fromkeys(charges)), nothing)
    credit = min(billed, max(limit, nothing))
    return credit, billed - credit


def _ratio(part: int, whole: int) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return money.round_half_up(Decimal(max(part, 0)) / Decimal(whole), _PLACES)


def _reached_at(threshold: Threshold, amount: int, reached: Sequence[Reached], at: datetime) -> datetime:
    own = (one.at for one in reached if one.key == threshold.key and one.lifetime_cents >= amount)
    return min(own, default=at)

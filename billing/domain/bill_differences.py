"""Why an invoice is not what the one before it was: the difference of each line by its causes, in minor units.

Owns the pairing of lines and the split of a difference. What was billed comes as plain values; nothing is rated here.
The causes of a line sum to its difference exactly: each is rounded once, and the largest takes what rounding leaves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum

from config.kernel import money

USAGE = "charge"
"""The kind of lines that bill usage."""


class Cause(StrEnum):
    """Why an amount changed, in the order in which they are told."""

    PRICE = "price"
    QUANTITY = "quantity"
    PRORATION = "proration"
    NEW = "new"
    ENDED = "ended"
    DISCOUNT = "discount"
    TAX = "tax"
    CREDITS = "credits"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line of an invoice, as far as it is compared.

    ``key`` tells the same item of the same ``subscription`` in every period. ``amount_minor`` is before discount and
    tax, in minor units. ``price`` is a digest of how it was priced. ``days`` of ``of_days`` were billed, all of them
    where nothing is known of it. ``is_other_currency`` is a line before that was billed in another currency.
    """

    subscription: str
    key: str
    kind: str
    item_code: str
    label: str
    units: Decimal
    unit_amount: Decimal
    amount_minor: int
    price: str = ""
    days: int = 1
    of_days: int = 1
    is_other_currency: bool = False

    @property
    def share(self) -> Decimal:
        """Return the billed part of the period."""
        return Decimal(self.days) / self.of_days if self.of_days else Decimal(1)


@dataclass(frozen=True, slots=True)
class BilledSums:
    """What an invoice says below its lines, in minor units: each as it is printed, not as it is added."""

    discount: int = 0
    tax: int = 0
    credits: int = 0


@dataclass(frozen=True, slots=True)
class PairedLine:
    """A line beside the one of the period before; one of them may be missing. ``causes`` sum to ``difference``."""

    now: BilledLine | None
    before: BilledLine | None
    causes: Mapping[Cause, int] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        """Return the difference before discount and tax, in minor units."""
        return sum(self.causes.values())


@dataclass(frozen=True, slots=True)
class Comparison:
    """An invoice beside the one before: the lines, and the difference of the totals by cause. No cause is zero."""

    lines: tuple[PairedLine, ...]
    causes: Mapping[Cause, int]

    @property
    def difference(self) -> int:
        """Return the difference of the totals, in minor units."""
        return sum(self.causes.values())


def compare(
    *,
    now: Sequence[BilledLine],
    before: Sequence[BilledLine],
    sums_now: BilledSums,
    sums_before: BilledSums,
    continuing: Collection[str] = (),
) -> Comparison:
    """Pair the lines of two periods and split the difference of their totals by cause.

    Lines pair by subscription and key, several of them in their order; a total is the lines less the discount, with
    tax, less the credits. Usage of a subscription that was there before and is there now, of those ``continuing``, is
    neither new nor ended where there was none in one of the periods: its quantity is nothing there. Never raises.
    """
    lines = tuple(_pair(now, before, frozenset(continuing)))
    causes: dict[Cause, int] = defaultdict(int)
    for line in lines:
        for cause, amount in line.causes.items():
            causes[cause] += amount
    causes[Cause.DISCOUNT] += sums_before.discount - sums_now.discount
    causes[Cause.TAX] += sums_now.tax - sums_before.tax
    causes[Cause.CREDITS] += sums_before.credits - sums_now.credits
    return Comparison(lines, {cause: causes[cause] for cause in Cause if causes.get(cause)})


def _pair(now: Sequence[BilledLine], before: Sequence[BilledLine], continuing: frozenset[str]) -> Sequence[PairedLine]:
    waiting: dict[tuple[str, str], list[BilledLine]] = defaultdict(list)
    for line in before:
        waiting[line.subscription, line.key].append(line)
    pairs = []
    for line in now:
        known = waiting[line.subscription, line.key]
        pairs.append(_paired(line, known.pop(0) if known else None, continuing))
    for rest in waiting.values():
        pairs += [_paired(None, line, continuing) for line in rest]
    return pairs


def _paired(now: BilledLine | None, before: BilledLine | None, continuing: frozenset[str]) -> PairedLine:
    if now is None:
        if before is None or before.is_other_currency:
            return PairedLine(None, before)
        gone = Cause.QUANTITY if _is_usage_of(before, continuing) else Cause.ENDED
        return PairedLine(None, before, _kept({gone: -before.amount_minor}))
    if before is None:
        came = Cause.QUANTITY if _is_usage_of(now, continuing) else Cause.NEW
        return PairedLine(now, None, _kept({came: now.amount_minor}))
    if before.is_other_currency:
        return PairedLine(now, before, _kept({Cause.CURRENCY: now.amount_minor}))
    return PairedLine(now, before, _kept(_split(now, before)))


def _is_usage_of(line: BilledLine, continuing: frozenset[str]) -> bool:
    return line.kind == USAGE and line.subscription in continuing


def _split(now: BilledLine, before: BilledLine) -> dict[Cause, int]:
    """Split the difference of a line that was there before: first as if the billed part had stayed, then that."""
    difference = now.amount_minor - before.amount_minor
    if difference == 0:
        return {}
    with localcontext(money.DECIMAL_CONTEXT):
        share_now, share_before = now.share, before.share
        if share_now == 0 or share_before == 0:
            return {Cause.PRORATION: difference}
        whole_now, whole_before = Decimal(now.amount_minor) / share_now, Decimal(before.amount_minor) / share_before
        proration = whole_now * (share_now - share_before)
        quantity = _of_quantity(now, before, whole_now - whole_before, whole_before) * share_before
        price = (whole_now - whole_before) * share_before - quantity
        return _rounded({Cause.PRICE: price, Cause.QUANTITY: quantity, Cause.PRORATION: proration}, difference)


def _of_quantity(now: BilledLine, before: BilledLine, difference: Decimal, whole_before: Decimal) -> Decimal:
    """Return what of a difference of whole periods is of the units: all of it at the same prices, else the units that
    came or went at the average price of before.
    """
    if now.units == before.units:
        return Decimal(0)
    if now.price == before.price or before.units == 0:
        return difference
    return (now.units - before.units) * whole_before / before.units


def _rounded(parts: Mapping[Cause, Decimal], difference: int) -> dict[Cause, int]:
    found = {cause: int(money.round_half_up(part, 0)) for cause, part in parts.items()}
    largest = max(parts, key=lambda cause: abs(parts[cause]))
    found[largest] += difference - sum(found.values())
    return found


def _kept(causes: Mapping[Cause, int]) -> dict[Cause, int]:
    return {cause: amount for cause, amount in causes.items() if amount}

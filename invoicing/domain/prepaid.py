"""Prepaid credit that pays invoices: in which order, how much of it, and for which of their lines. No tables.

Owns the order and the limits; what is bought, and what becomes of the rest, is said by whoever sold it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from moneyed import Money

from config.kernel import money


@dataclass(frozen=True, slots=True)
class Owed:
    """What an invoice asks, with tax, for its lines of one group whose service begins on one local day."""

    group: str
    day: date
    gross: Money


@dataclass(frozen=True, slots=True)
class Credit:
    """Prepaid credit with what is left of it, for service that begins from its first to its last local day, both
    included; ``groups`` are the groups of lines that it pays, none of them meaning all.
    """

    id: int
    left: Money
    first: date
    last: date
    groups: frozenset[str] = frozenset()
    priority: int = 0

    def pays(self, owed: Owed) -> bool:
        """Say whether it may pay these lines."""
        return self.first <= owed.day <= self.last and (not self.groups or owed.group in self.groups)


def in_order(pool: Collection[Credit]) -> list[Credit]:
    """Return credits as they are drawn: by priority, the lowest number first, then first-expiring, then the oldest."""
    return sorted(pool, key=lambda credit: (credit.priority, credit.last, credit.id))


def levelled(*, owed: Sequence[Owed], gross: Money) -> list[Owed]:
    """Bring what the lines ask to what the invoice asks: tax is rounded per line and per invoice, which may differ.

    The difference, some minor units, is the largest one's. Nothing asks less than nothing.
    """
    rows = [Owed(one.group, one.day, max(one.gross, money.zero(gross.currency.code))) for one in owed]
    if not rows:
        return rows
    gap = gross - sum((one.gross for one in owed), money.zero(gross.currency.code))
    largest = max(range(len(rows)), key=lambda place: (rows[place].gross.amount, -place))
    one = rows[largest]
    rows[largest] = Owed(one.group, one.day, max(one.gross + gap, money.zero(gross.currency.code)))
    return rows


def draw(*, due: Money, owed: Sequence[Owed], pool: Sequence[Credit]) -> list[Money]:
    """Return what each credit, in the given order, pays of an invoice of which ``due`` is left.

    A credit pays no more than it has, than is due, and than is open of the lines that it may pay. What was paid before
    (credits of credit notes), and what a credit pays of several lines, is counted on lines that the fewest of the
    credits after it may pay, so that a restricted credit is not kept from its lines. Amounts are exact: all are of the
    currency's minor units. The sum is never more than ``due``.
    """
    nothing = money.zero(due.currency.code)
    left = [one.gross for one in owed]
    _take(sum(left, nothing) - due, owed, left, range(len(owed)), pool)
    found = []
    for place, credit in enumerate(pool):
        payable = [number for number, one in enumerate(owed) if credit.pays(one)]
        amount = max(min(credit.left, due, sum((left[number] for number in payable), nothing)), nothing)
        _take(amount, owed, left, payable, pool[place + 1 :])
        due -= amount
        found.append(amount)
    return found


def _take(
    amount: Money, owed: Sequence[Owed], left: list[Money], payable: Sequence[int], later: Sequence[Credit]
) -> None:
    """Take an amount off what is left of the payable lines: first off those that the fewest later credits may pay."""
    for number in sorted(payable, key=lambda number: (sum(credit.pays(owed[number]) for credit in later), number)):
        if amount.amount <= 0:
            return
        part = min(amount, left[number])
        left[number] -= part
        amount -= part

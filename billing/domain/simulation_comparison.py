"""What two plans come to on the same usage. Owns the difference for one contract, and for many the sums, the winners
and losers and the largest changes; its memory does not grow with the number of contracts.
"""

from __future__ import annotations

import decimal
import heapq
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.domain.rating import ItemKind
from billing.domain.simulation import Played
from config.kernel import money

ZERO = Decimal(0)
MOVERS = 10

Item = tuple[ItemKind, str]


class Bucket(StrEnum):
    """How much more or less a contract would pay."""

    MUCH_LESS = "less_by_over_50_percent"
    LESS = "less_by_10_to_50_percent"
    SLIGHTLY_LESS = "less_by_up_to_10_percent"
    SAME = "same"
    SLIGHTLY_MORE = "more_by_up_to_10_percent"
    MORE = "more_by_10_to_50_percent"
    MUCH_MORE = "more_by_over_50_percent"
    NEW = "something_instead_of_nothing"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A contract, and what it comes to: on its own plan, and on the other one where there is one.

    `interval` is its own plan's. `left_out` says why it could not be played on the other plan, `has_unused` that it
    ended in the time played and one of the plans is paid in advance. `missing` are metrics that it used and that only
    its own plan has prices for, with what they come to there; `added` those that only the other plan prices.
    """

    subscription: str
    customer: str
    customer_name: str
    plan: str
    interval: str
    own: Played
    other: Played | None = None
    left_out: str = ""
    has_unused: bool = False
    missing: tuple[tuple[str, Decimal], ...] = ()
    added: tuple[tuple[str, Decimal], ...] = ()

    @property
    def difference(self) -> Decimal:
        """Return what it would pay more on the other plan, in major units; less where it is below zero."""
        return ZERO if self.other is None else self.other.total - self.own.total

    @property
    def share(self) -> Decimal | None:
        """Return the difference as a fraction of what it pays; nothing where it pays nothing."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return self.difference / self.own.total if self.own.total else None


def bucket(outcome: Outcome) -> Bucket:
    """Return how much more or less a compared contract would pay; the bounds belong to the smaller change."""
    difference, share = outcome.difference, outcome.share
    if not difference:
        return Bucket.SAME
    if share is None:
        return Bucket.NEW
    if abs(share) <= Decimal("0.1"):
        return Bucket.SLIGHTLY_MORE if difference > 0 else Bucket.SLIGHTLY_LESS
    if abs(share) <= Decimal("0.5"):
        return Bucket.MORE if difference > 0 else Bucket.LESS
    return Bucket.MUCH_MORE if difference > 0 else Bucket.MUCH_LESS


@dataclass(slots=True)
class Pair:
    """Sums on the own plan and on the other one, in major units."""

    own: Decimal = ZERO
    other: Decimal = ZERO
    own_units: Decimal = ZERO
    other_units: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """Return what the other plan comes to more."""
        return self.other - self.own


# What a plan has one of, whatever the plan's code is.
_OF_PLAN = (ItemKind.SUBSCRIPTION, ItemKind.COMMITMENT)


@dataclass(slots=True)
class Summary:
    """The contracts in one currency: how many, and what they come to by month and by what is billed.

    Contracts that could not be played on the other plan are counted, and are in none of the sums. `items` is by what a
    line is, and the code of its metric or its fixed charge (a plan's fee has none). `movers` are the contracts whose
    amounts change most. `unused` counts those that ended in time that a plan had billed in advance.
    """

    currency: str
    is_compared: bool
    contracts: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    total: Pair = field(default_factory=Pair)
    months: dict[date, Pair] = field(default_factory=dict)
    items: dict[Item, Pair] = field(default_factory=dict)
    unused: int = 0
    buckets: dict[Bucket, int] = field(default_factory=lambda: dict.fromkeys(Bucket, 0))
    missing: dict[str, Decimal] = field(default_factory=dict)
    added: dict[str, Decimal] = field(default_factory=dict)
    _movers: list[tuple[Decimal, int, Outcome]] = field(default_factory=list)

    @property
    def movers(self) -> list[Outcome]:
        """Return the contracts whose amounts change most, the largest change first."""
        return [outcome for *_, outcome in sorted(self._movers, key=lambda one: (-one[0], -one[1]))]

    @property
    def by_item(self) -> list[tuple[ItemKind, str, Pair]]:
        """Return the sums by what is billed: plan fees, fixed charges, metrics by their codes, then commitments."""
        order = (ItemKind.SUBSCRIPTION, ItemKind.FIXED_CHARGE, ItemKind.CHARGE, ItemKind.COMMITMENT)
        found = sorted(self.items, key=lambda item: (order.index(item[0]), item[1]))
        return [(kind, code, self.items[kind, code]) for kind, code in found]

    @property
    def winners(self) -> int:
        """Return how many contracts would pay less."""
        return sum(self.buckets[one] for one in (Bucket.MUCH_LESS, Bucket.LESS, Bucket.SLIGHTLY_LESS))

    @property
    def losers(self) -> int:
        """Return how many contracts would pay more."""
        more = (Bucket.MUCH_MORE, Bucket.MORE, Bucket.SLIGHTLY_MORE, Bucket.NEW)
        return sum(self.buckets[one] for one in more)

    def add(self, outcome: Outcome) -> None:
        """Count a contract in this currency."""
        if outcome.left_out:
            self.left_out[outcome.left_out] = self.left_out.get(outcome.left_out, 0) + 1
            return
        self.contracts += 1
        self.unused += outcome.has_unused
        self._sum(outcome.own, is_other=False)
        if not self.is_compared or outcome.other is None:
            return
        self._sum(outcome.other, is_other=True)
        self.buckets[bucket(outcome)] += 1
        for found, sums in ((outcome.missing, self.missing), (outcome.added, self.added)):
            for code, amount in found:
                sums[code] = sums.get(code, ZERO) + amount
        if outcome.difference:
            heapq.heappush(self._movers, (abs(outcome.difference), -self.contracts, outcome))
            if len(self._movers) > MOVERS:
                heapq.heappop(self._movers)

    def _sum(self, played: Played, *, is_other: bool) -> None:
        _into(self.total, played.total, ZERO, is_other=is_other)
        for month, amount in played.by_month.items():
            _into(self.months.setdefault(month, Pair()), amount, ZERO, is_other=is_other)
        for period in played.periods:
            for line in period.lines:
                code = "" if line.kind in _OF_PLAN else line.metric_code or line.code
                units = ZERO if line.is_true_up else line.units
                _into(self.items.setdefault((line.kind, code), Pair()), line.amount.amount, units, is_other=is_other)


def _into(pair: Pair, amount: Decimal, units: Decimal, *, is_other: bool) -> None:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        if is_other:
            pair.other += amount
            pair.other_units += units
        else:
            pair.own += amount
            pair.own_units += units


def unpriced(played: Played, *, priced: frozenset[str]) -> tuple[tuple[str, Decimal], ...]:
    """Return the metrics that one plan bills and that another, with prices for `priced`, knows nothing of.

    With what they come to on the one plan, in major units, in the order of their codes.
    """
    found: dict[str, Decimal] = {}
    for period in played.periods:
        for line in period.lines:
            if line.metric_code and line.metric_code not in priced:
                found[line.metric_code] = found.get(line.metric_code, ZERO) + line.amount.amount
    return tuple(sorted(found.items()))

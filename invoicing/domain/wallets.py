"""Wallets: credits and money, which wallet pays how much of which lines, and which credits go first. No tables.

Owns the arithmetic and the order. A credit is worth a rate: what credits come to is rounded to the currency, and
credits are what that money buys, cut off after five decimals.
"""

from __future__ import annotations

import decimal
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import errors, money

PLACES = 5
"""Decimals of credits; what is finer is cut off."""

FIRST, LAST = 1, 50
"""The priorities of wallets and their transactions: the lowest number goes first, the highest is the default."""


class InvalidCredits(errors.Invalid):
    """The credits come to nothing, or a purchase lies outside the limits of its wallet."""


@dataclass(frozen=True)
class Bucket:
    """What an invoice asks, with tax, for its lines of one kind and metric.

    ``target`` is the code of the only wallet that may pay them, empty where any may.
    """

    kind: str
    metric: str
    asked: Money
    target: str = ""


@dataclass(frozen=True)
class Purse:
    """A wallet with what is left of it. It pays all lines, or those of its kinds and of the usage of its metrics."""

    id: int
    left: Money
    priority: int
    created_at: datetime
    code: str = ""
    fee_types: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()

    @property
    def is_restricted(self) -> bool:
        """Say whether there are lines that it does not pay."""
        return bool(self.fee_types or self.metrics)

    def pays(self, bucket: Bucket) -> bool:
        """Say whether it may pay these lines."""
        if bucket.target:
            return bucket.target == self.code
        return not self.is_restricted or bucket.kind in self.fee_types or bucket.metric in self.metrics


@dataclass(frozen=True)
class Grant:
    """What remains of credits that came in: credits, their money, and the part of it that was paid for."""

    id: int
    credits: Decimal
    amount: Money
    purchased: Money
    priority: int
    is_purchased: bool
    created_at: datetime


@dataclass(frozen=True)
class Part:
    """What is taken of one grant."""

    grant_id: int
    credits: Decimal
    amount: Money
    purchased: Money


def money_of(quantity: Decimal, *, rate: Decimal, currency: str) -> Money:
    """Return what credits are worth, rounded to the currency. ``rate`` is the money of one credit."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        exact = quantity * rate
    return Money(money.quantize(exact, currency=currency), currency)


def credits_of(amount: Money, *, rate: Decimal) -> Decimal:
    """Return the credits that money buys, cut off after five decimals."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        exact = amount.amount / rate
    return money.floor_to(exact, PLACES)


def worth(quantity: Decimal, *, rate: Decimal, currency: str, field: str) -> tuple[Decimal, Money]:
    """Return the credits that somebody buys, gives or voids, and their money: the credits follow the rounded money.

    Raises InvalidCredits (`amount_rounds_to_zero`) under the name of the field.
    """
    amount = money_of(quantity, rate=rate, currency=currency)
    if amount.amount <= 0:
        raise InvalidCredits(
            "amount_rounds_to_zero", f"{quantity} credits come to nothing.", {field: ["amount_rounds_to_zero"]}
        )
    return credits_of(amount, rate=rate), amount


def demand_limits(amount: Money, *, least: Money | None, most: Money | None) -> None:
    """Demand that a purchase keeps to the limits of its wallet.

    Raises InvalidCredits (`amount_below_minimum`, `amount_above_maximum`).
    """
    if least is not None and amount < least:
        raise InvalidCredits(
            "amount_below_minimum", f"{amount} is less than {least}.", {"paid_credits": ["amount_below_minimum"]}
        )
    if most is not None and amount > most:
        raise InvalidCredits(
            "amount_above_maximum", f"{amount} is more than {most}.", {"paid_credits": ["amount_above_maximum"]}
        )


def in_order(purses: Collection[Purse]) -> list[Purse]:
    """Return wallets as they pay: by priority, the lowest number first, then the oldest."""
    return sorted(purses, key=lambda purse: (purse.priority, purse.created_at, purse.id))


def buckets(asked: Mapping[tuple[str, str, str], Decimal], *, due: Money) -> list[Bucket]:
    """Bring what lines ask, exactly and by (kind, metric, target), to minor units that sum to what is due.

    The largest comes first, and what the rounding leaves is its. Nothing asks less than nothing.
    """
    currency = due.currency.code
    nothing = money.zero(currency)
    rows = [
        Bucket(
            kind=kind,
            metric=metric,
            target=target,
            asked=max(Money(money.quantize(exact, currency=currency), currency), nothing),
        )
        for (kind, metric, target), exact in asked.items()
    ]
    rows.sort(key=lambda row: -row.asked.amount)
    if not rows:
        return rows
    gap = due - sum((row.asked for row in rows), nothing)
    first = rows[0]
    rows[0] = Bucket(kind=first.kind, metric=first.metric, target=first.target, asked=max(first.asked + gap, nothing))
    return rows


def allocate(*, due: Money, asked: Sequence[Bucket], purses: Sequence[Purse]) -> list[Money]:
    """Return what each wallet, in the given order, pays of an invoice of which ``due`` is left.

    A wallet pays no more than it has, than is due, and than is open of the lines that it may pay. What it pays is
    counted on the largest of these lines first. Amounts are exact: all are of the currency's minor units.
    """
    nothing = money.zero(due.currency.code)
    left = [bucket.asked for bucket in asked]
    found = []
    for purse in purses:
        rest = min(purse.left, due)
        paid = nothing
        for place, bucket in enumerate(asked):
            if not purse.pays(bucket):
                continue
            part = max(min(rest, left[place]), nothing)
            left[place] -= part
            rest -= part
            paid += part
        due -= paid
        found.append(paid)
    return found


def consume(amount: Money, *, grants: Collection[Grant], rate: Decimal) -> list[Part]:
    """Return which credits are taken for an amount: by priority, given before bought, then the oldest.

    Of a grant of which some was paid for the given part goes first. Of one that is used up all credits are taken, of
    another those that the money buys. Raises InvalidCredits (`insufficient_credits`) when they do not reach.
    """
    parts = []
    for grant in sorted(grants, key=lambda one: (one.priority, one.is_purchased, one.created_at, one.id)):
        if amount.amount <= 0:
            break
        part = min(grant.amount, amount)
        if part.amount <= 0:
            continue
        amount -= part
        taken = grant.credits if part == grant.amount else min(credits_of(part, rate=rate), grant.credits)
        given = grant.amount - grant.purchased
        purchased = max(part - given, money.zero(part.currency.code))
        parts.append(Part(grant_id=grant.id, credits=taken, amount=part, purchased=purchased))
    if amount.amount > 0:
        raise InvalidCredits(
            "insufficient_credits", "The wallet has less than that.", {"base": ["insufficient_credits"]}
        )
    return parts


def all_of(grants: Collection[Grant]) -> list[Part]:
    """Return all that remains of grants, credits that are worth nothing any more included."""
    return [
        Part(grant_id=grant.id, credits=grant.credits, amount=grant.amount, purchased=grant.purchased)
        for grant in grants
        if grant.credits or grant.amount
    ]

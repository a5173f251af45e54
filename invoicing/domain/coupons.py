"""Coupons on an invoice: in which order, off which lines, how much, and the share of each line. Knows no table.

Coupons lower what is taxed. Owns the arithmetic: how often a coupon may be used is said by whoever gives it here, and
taxes are next door in `tax` and `totals`.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import money

SHARE_PLACES = 5
"""Decimals of the minor unit to which the share of a line is rounded."""

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon of a customer as it may be used on one invoice: up to an ``amount``, or for a ``rate`` (a fraction).

    ``plans`` are the codes of the plans whose lines it lowers, ``metrics`` those of the metrics whose usage it lowers;
    without either it lowers all lines. It never has both.
    """

    id: int
    applied_at: datetime
    amount: Money | None = None
    rate: Decimal | None = None
    plans: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.rate is None):
            raise ValueError("A coupon is an amount or a rate.")
        if self.plans and self.metrics:
            raise ValueError("A coupon is limited to plans or to metrics.")

    def lowers(self, line: Billed) -> bool:
        """Say whether it may be taken off this line."""
        if self.metrics:
            return line.metric in self.metrics
        return not self.plans or line.plan in self.plans


@dataclass(frozen=True, slots=True)
class Billed:
    """A line before coupons: its net amount, the code of the plan that it bills, and of the metric if it is usage."""

    net: Money
    plan: str = ""
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """What a coupon takes off an invoice: a rounded ``amount`` of an unrounded ``base``, and the share of each line.

    Shares are in major units, in the order of the lines, rounded to five decimals of the minor unit; their sum may
    differ from the amount by as much for each line.
    """

    coupon_id: int
    base: Decimal
    amount: Money
    shares: tuple[Decimal, ...]


def in_order(coupons: Sequence[Coupon]) -> list[Coupon]:
    """Return coupons as they are used: limited to metrics, limited to plans, unlimited; the first applied first."""
    return sorted(coupons, key=lambda one: (0 if one.metrics else 1 if one.plans else 2, one.applied_at, one.id))


def take(*, lines: Sequence[Billed], coupons: Sequence[Coupon], currency: str) -> list[Use]:
    """Return what coupons take off the lines of an invoice, in the order of their use.

    An unlimited coupon is taken of what is left of the invoice, a limited one of what is left of its lines; never of
    more than either. A rate is rounded to the currency, half up. An amount in another currency takes nothing, and a
    coupon that takes nothing is not used. Lines below nothing lower what an unlimited coupon is taken of and have no
    share. Nothing is taken once nothing is left.
    """
    left = [line.net.amount for line in lines]
    uses: list[Use] = []
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        whole = sum(left, _ZERO)
        for coupon in in_order(coupons):
            if whole <= 0:
                break
            places = [number for number, line in enumerate(lines) if left[number] > 0 and coupon.lowers(line)]
            targeted = sum((left[number] for number in places), _ZERO)
            is_limited = bool(coupon.plans or coupon.metrics)
            base = min(whole, targeted) if is_limited else whole
            amount = _amount(coupon, base, currency)
            if amount <= 0:
                continue
            # Rounded shares add up to what is billed but for their last decimals: split by it where no line is below 0.
            weight = base if not is_limited and all(one >= 0 for one in left) else targeted
            shares = [_ZERO] * len(lines)
            for number in places:
                shares[number] = min(_share(amount * left[number] / weight, currency), left[number])
                left[number] -= shares[number]
            whole -= amount
            uses.append(Use(coupon.id, base, Money(amount, currency), tuple(shares)))
    return uses


def shares(*, uses: Sequence[Use], lines: int) -> list[Decimal]:
    """Return the share of each of so many lines in all coupons, in major units."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return [sum((use.shares[number] for use in uses), _ZERO) for number in range(lines)]


def _amount(coupon: Coupon, base: Decimal, currency: str) -> Decimal:
    """Return what a coupon comes to: never more than whole minor units of the base."""
    most = money.floor_to(base, money.exponent(currency))
    if coupon.rate is not None:
        return min(money.quantize(base * coupon.rate, currency=currency), most)
    if coupon.amount is None or coupon.amount.currency.code != currency:
        return _ZERO
    return min(coupon.amount.amount, most)


def _share(amount: Decimal, currency: str) -> Decimal:
    return money.round_half_up(amount, money.exponent(currency) + SHARE_PLACES)

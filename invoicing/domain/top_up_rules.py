"""Rules that top up a wallet by themselves: what a good rule is, on which days one is due, and how many credits it asks
for. Owns this arithmetic, in credits; no tables. What is left of a wallet is told by whoever asks.
"""

from __future__ import annotations

import decimal
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from config.kernel import dates, errors, money

INTERVAL, THRESHOLD = "interval", "threshold"
FIXED, TARGET = "fixed", "target"
MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}
WEEKLY = "weekly"
HOLD = timedelta(hours=1)
"""How long a threshold rule waits after a purchase that was declined."""
BURST, BURST_WITHIN = 3, timedelta(minutes=10)
"""How many firings within which time are suspicious."""

_ZERO = Decimal(0)
_CREDITS_END = Decimal(10) ** 15


class InvalidRule(errors.Invalid):
    """A rule lacks what its kind needs, or would top up for ever."""


@dataclass(frozen=True)
class Terms:
    """What a rule asks for. Credits; ``target`` is the ongoing balance that it tops up to."""

    trigger: str
    method: str = FIXED
    interval: str = ""
    paid: Decimal = _ZERO
    granted: Decimal = _ZERO
    grants_target: bool = False
    threshold: Decimal = _ZERO
    target: Decimal | None = None


@dataclass(frozen=True)
class Limits:
    """The smallest and the largest purchase of a wallet, in credits; None where there is none."""

    least: Decimal | None = None
    most: Decimal | None = None


@dataclass(frozen=True)
class Wanted:
    """Credits that are to be bought and given."""

    paid: Decimal = _ZERO
    granted: Decimal = _ZERO

    @property
    def is_nothing(self) -> bool:
        """Say whether nothing lacks."""
        return not (self.paid or self.granted)


def demand_good(terms: Terms) -> None:
    """Demand what the kind of a rule needs: an interval or a threshold, credits or a target.

    A rule that tops up to no more than its threshold would never end. Raises InvalidRule (`invalid_recurring_rule`).
    """
    if terms.trigger not in (INTERVAL, THRESHOLD) or terms.method not in (FIXED, TARGET):
        raise refused("A rule goes by an interval or a threshold, and adds fixed credits or up to a target.")
    if terms.trigger == INTERVAL and terms.interval not in (WEEKLY, *MONTHS):
        raise refused("A rule by interval says which.")
    if terms.trigger == THRESHOLD and terms.interval:
        raise refused("A rule by threshold has no interval.")
    numbers = (terms.paid, terms.granted, terms.threshold, terms.target or _ZERO)
    if any(not 0 <= number < _CREDITS_END for number in numbers):
        raise refused("Credits are not less than nothing, and can be counted.")
    if terms.method == FIXED and not (terms.paid or terms.granted):
        raise refused("A rule of fixed credits says how many are bought or given.")
    if terms.method == TARGET and not terms.target:
        raise refused("A rule up to a target says which.")
    is_up_to = terms.trigger == THRESHOLD and terms.method == TARGET
    if is_up_to and terms.target is not None and terms.target <= terms.threshold:
        raise refused("A target is above the threshold.")


def falls(terms: Terms, *, ongoing: Decimal, pending: Decimal) -> bool:
    """Say whether a threshold is reached: with what is left, and with what is bought and not paid yet as well."""
    return ongoing <= terms.threshold and ongoing + pending <= terms.threshold


def wanted(terms: Terms, *, ongoing: Decimal, pending: Decimal, limits: Limits) -> Wanted:
    """Return the credits that a rule asks for when it fires.

    Up to a target it is what lacks to it; a purchase is raised to the smallest one. Of fixed credits a threshold rule
    buys as many times as it takes to get above its threshold, and once where the gap is smaller. No purchase is larger
    than the largest one, unless the rule's own credits are.
    """
    if terms.method == TARGET:
        lacks = max((terms.target or _ZERO) - ongoing, _ZERO)
        if terms.grants_target:
            return Wanted(granted=lacks)
        return Wanted(paid=_limited(lacks, limits) if lacks else _ZERO)
    paid = terms.paid
    gap = terms.threshold - ongoing - terms.granted - pending
    if terms.trigger == THRESHOLD and paid and gap >= paid:
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            paid *= gap // paid + 1
        if limits.most is not None:
            paid = max(min(paid, limits.most), terms.paid)
    return Wanted(paid=paid, granted=terms.granted)


def due_day(interval: str, *, anchor: date, first: date, today: date) -> date | None:
    """Return the last day until ``today`` on which a rule by interval is due; none before ``first``.

    The days are those of the anchor's number, on the last day of months that have none; weeks go by the anchor's day.
    """
    if interval == WEEKLY:
        found = today - timedelta(days=dates.days_between(anchor, today) % 7)
    else:
        step = MONTHS[interval]
        steps = ((today.year - anchor.year) * 12 + today.month - anchor.month) // step
        found = dates.add_months(anchor, steps * step)
        if found > today:
            found = dates.add_months(anchor, (steps - 1) * step)
    return found if found >= first else None


def first_day(*, created: date, started: date | None) -> date:
    """Return the first day on which a rule may be due: its start, or the day after it was made where it has none.

    The credits that a wallet starts with are no business of its rule; a start in the past makes up for nothing.
    """
    if started is not None and started >= created:
        return started
    return created + timedelta(days=1)


def is_burst(fired: Collection[datetime], *, at: datetime) -> bool:
    """Say whether a rule fired suspiciously often lately."""
    return sum(at - BURST_WITHIN < one <= at for one in fired) >= BURST


def refused(message: str, code: str = "invalid_recurring_rule") -> InvalidRule:
    """Return the refusal of a rule."""
    return InvalidRule("validation_errors", message, {"recurring_transaction_rules": [code]})


def _limited(paid: Decimal, limits: Limits) -> Decimal:
    if limits.least is not None:
        paid = max(paid, limits.least)
    return paid if limits.most is None else min(paid, limits.most)

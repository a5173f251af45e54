"""The units of a fixed charge over time. Owns which of the written numbers counts when, and for how many days.

A number is written down with the instant from which it is to count. What is written later overrules what was written
earlier for the same time and after it, so a number that was planned for the next period is dropped by one of today.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from billing.domain.held_time import HeldTime
from catalog.domain.pricing import values
from config.kernel import dates, money

# Units of a part of a period are rounded to this many places, each part alone.
PLACES = 6
# A change of the time zone moves the start of a period by up to this much.
_LARGEST_SHIFT = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class UnitsWritten:
    """A number of units, and from when on it is to count: `at_once` within a period, or from the start of one."""

    units: Decimal
    effective_at: datetime
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class UnitsHeld:
    """A number of units that was there on so many days."""

    units: Decimal
    days: int

    def share(self, of_days: int) -> Decimal:
        """Return the units as a share of a period of so many days, rounded to six places, half up."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return money.round_half_up(self.units * self.days / of_days, PLACES)


def effective(history: Sequence[UnitsWritten]) -> list[UnitsWritten]:
    """Return the numbers that count, by time; the history is in the order of writing."""
    kept: list[UnitsWritten] = []
    for written in history:
        while kept and kept[-1].effective_at >= written.effective_at:
            kept.pop()
        kept.append(written)
    return kept


def at(history: Sequence[UnitsWritten], moment: datetime) -> Decimal:
    """Return the units that are there at an instant; none before the first number counts."""
    units = values.ZERO
    for written in effective(history):
        if written.effective_at > moment:
            break
        units = written.units
    return units


def at_opening(history: Sequence[UnitsWritten], start: datetime) -> Decimal:
    """Return the units with which a period opens: what is paid in advance, however late it is billed.

    What is agreed within the period is billed on its own. A start of a period that was planned in another time zone is
    the same start.
    """
    known = [
        written
        for written in history
        if (written.effective_at < start if written.at_once else written.effective_at <= start + _LARGEST_SHIFT)
    ]
    return effective(known)[-1].units if known else values.ZERO


def until(history: Sequence[UnitsWritten], end: datetime) -> Decimal:
    """Return the units of a period that ends, the last number that counts before its end: what is not prorated."""
    units = values.ZERO
    for written in effective(history):
        if written.effective_at >= end:
            break
        units = written.units
    return units


def held(history: Sequence[UnitsWritten], time: HeldTime) -> tuple[UnitsHeld, ...]:
    """Return the units of the days of a period, each number from its local day on until the day before the next one's.

    Numbers that were there on no day are left out.
    """
    first = time.first_day
    found = []
    numbers = [written for written in effective(history) if written.effective_at < time.billed.end]
    starts = [dates.local_date(written.effective_at, time.timezone) for written in numbers]
    # The day of a termination counts, also one at midnight; that of a change at midnight is the new plan's alone.
    last = time.last_day if time.upgraded else dates.local_date(time.billed.end, time.timezone)
    last = min(last, time.natural.next_first_day - timedelta(days=1))
    end = dates.days_between(first, last) + 1
    for position, written in enumerate(numbers):
        begin = max(dates.days_between(first, starts[position]), 0)
        stop = end if position + 1 == len(numbers) else dates.days_between(first, starts[position + 1])
        days = min(stop, end) - begin
        if days > 0:
            found.append(UnitsHeld(written.units, days))
    return tuple(found)


def prorated(parts: Sequence[UnitsHeld], *, of_days: int) -> Decimal:
    """Return the sum of the parts' shares of a period, each rounded to six places."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum((part.share(of_days) for part in parts), values.ZERO)


def is_known(history: Sequence[UnitsWritten], *, units: Decimal, moment: datetime) -> bool:
    """Say whether this number counts at an instant and from then on, so that writing it again would change nothing."""
    numbers = effective(history)
    return at(history, moment) == units and not any(written.effective_at > moment for written in numbers)


def coming(history: Sequence[UnitsWritten], moment: datetime) -> UnitsWritten | None:
    """Return the next number that is to count after an instant, if one is written."""
    return next((written for written in effective(history) if written.effective_at > moment), None)

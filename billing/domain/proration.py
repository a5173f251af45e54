"""Shares of a period's price by whole local days. Owns how days are counted for every occasion.

A day begun is a day, the first and the last one count, and the whole natural period is what they are a share of, also
when the subscription started inside it. Hours and daylight saving do not matter.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.domain import periods
from billing.domain.periods import NaturalPeriod, Schedule
from config.kernel import dates, money
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Share:
    """So many days of so many days."""

    days: int
    of_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.days <= self.of_days or self.of_days <= 0:
            raise ValueError(f"{self.days} of {self.of_days} days is no share.")

    def of(self, amount: Decimal) -> Decimal:
        """Return the share of an amount, in the amount's unit, unrounded."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return amount * self.days / self.of_days


def whole(natural: NaturalPeriod) -> Share:
    """Return the whole period."""
    return Share(natural.days, natural.days)


def covered(schedule: Schedule, period: Period, *, upgraded: bool = False) -> Share:
    """Return the share of the natural period that holds the start, for the days that the period touches.

    This is the plan fee of an invoice: the first period of a subscription, a period that nothing cuts, or a new plan's.
    The day of an upgrade, on which the period ends, is the new plan's.
    """
    natural = periods.period_at(schedule, period.start)
    last = period.last_day(schedule.timezone)
    if upgraded:
        last = min(last, dates.local_date(period.end, schedule.timezone) - timedelta(days=1))
    return _days(natural, period.first_day(schedule.timezone), last)


def first_period(schedule: Schedule, *, started_at: datetime) -> Share:
    """Return the days from the start to the end of its natural period, the day of the start included."""
    natural = periods.period_at(schedule, started_at)
    return _days(natural, dates.local_date(started_at, schedule.timezone), _last_day(natural))


def termination(schedule: Schedule, *, started_at: datetime, terminated_at: datetime, upgraded: bool = False) -> Share:
    """Return the days used of the running period, the day of termination included.

    The day of an upgrade is not: the new plan bills it.
    """
    natural = periods.period_at(schedule, terminated_at)
    start = max(natural.first_day, dates.local_date(started_at, schedule.timezone))
    used = _days(natural, start, dates.local_date(terminated_at, schedule.timezone))
    return Share(max(used.days - 1, 0), used.of_days) if upgraded else used


def unused(schedule: Schedule, *, terminated_at: datetime, upgraded: bool = False) -> Share:
    """Return the days of the running period after the day of termination: what a plan paid in advance gives back.

    The day of an upgrade is among them: the new plan bills it.
    """
    natural = periods.period_at(schedule, terminated_at)
    last_used = dates.local_date(terminated_at, schedule.timezone)
    rest = dates.days_between(last_used, natural.next_first_day) - 1
    return Share(rest + 1 if upgraded else rest, natural.days)


def _last_day(natural: NaturalPeriod) -> date:
    return date.fromordinal(natural.next_first_day.toordinal() - 1)


def _days(natural: NaturalPeriod, first: date, last: date) -> Share:
    start, end = max(first, natural.first_day), min(last, _last_day(natural))
    return Share(max(dates.days_between(start, end) + 1, 0), natural.days)

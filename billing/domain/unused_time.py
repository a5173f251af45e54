"""What a plan fee that was paid in advance is worth for the time after the end of its subscription.

Owns the days that are given back and their price. Taxes, and what was given back before, are the credit note's.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from billing.domain import periods, proration
from billing.domain.periods import Schedule
from config.kernel import dates, money


@dataclass(frozen=True, slots=True)
class Unused:
    """Days of a whole period that are given back, their amount, and that of the days used; major units, unrounded."""

    days: int
    of_days: int
    amount: Decimal
    used: Decimal


def unused(
    schedule: Schedule,
    *,
    ended_at: datetime,
    upgraded: bool,
    price: Decimal,
    billed: Decimal,
    billed_days: int,
    trial_ends_at: datetime | None = None,
) -> Unused:
    """Return what is not used of a fee of so many days, at the price of a whole period.

    The local day of a termination is used, that of an upgrade is the new plan's. A day on which a trial was still on is
    not paid for. Never more than was billed. Amounts are in major units, unrounded.
    """
    natural = periods.period_at(schedule, ended_at)
    days = proration.unused(schedule, terminated_at=ended_at, upgraded=upgraded).days
    if trial_ends_at is not None:
        last_used = natural.days - 1 - days
        trial_day = dates.days_between(natural.first_day, dates.local_date(trial_ends_at, schedule.timezone))
        if trial_day >= max(last_used, 0):
            days = max(natural.days - trial_day, 0)
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        amount = min(price * days / natural.days, billed)
        used = min(price * max(billed_days - days, 0) / natural.days, billed)
    return Unused(days, natural.days, amount, used)

"""Usage that is paid in advance, seen by the period: what all its single events come to together. Owns the highest
level of a period, which is what they are billed on.

Events are taken in their order in time, where billing takes them as they arrive. It makes a difference only where units
are taken back.
"""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain import advance
from billing.domain.aggregation import Facts, Sum, Unique
from billing.domain.periods import NaturalPeriod
from billing.domain.prorated_usage import Held, Prorated
from billing.domain.proration import Share
from catalog.domain.metrics import Aggregation
from config.kernel import dates, money


@dataclass(frozen=True, slots=True)
class DayLevel:
    """The running units of a local day (none: of all time before the period): the most and the last ones, and how many
    events there were.
    """

    day: date | None
    peak: Decimal
    last: Decimal
    events_count: int


def facts(*, kind: Aggregation, days: Sequence[DayLevel], natural: NaturalPeriod, by_days: bool) -> Facts:
    """Return the usage that all events of a period are billed on together; `days` are in their order.

    That are the units carried over and those above every level before, new ones for the days left of the period where
    units count `by_days` (each day's rounded up to 5 decimals).
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        before = sum((day.last for day in days if day.day is None), advance.ZERO)
        level = advance.opened(before)
        peak, last, counted = level.peak, level.units, level.base
        for day in days:
            if day.day is None:
                continue
            highest = max(peak, level.base + day.peak - before)
            share = Share(dates.days_between(day.day, natural.next_first_day), natural.days)
            counted += money.ceil_to(share.of(highest - peak), advance.DAYS_PLACES)
            peak, last = highest, level.base + day.last - before
        count = sum(day.events_count for day in days)
    if by_days:
        return Prorated(kind, count, max(last, advance.ZERO), (Held(counted, 1),) if counted else (), 1)
    return Unique(count, int(peak)) if kind is Aggregation.UNIQUE_COUNT else Sum(count, peak)

"""The time for which units are held. Owns the days and seconds that recurring units and levels are measured by: those
billed, and those of the whole natural period that they are a share of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.domain import periods
from billing.domain.periods import NaturalPeriod, Schedule
from config.kernel import dates
from config.kernel.dates import Period

_SECOND = Decimal(10**6)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class HeldTime:
    """Time billed inside a natural period, in a time zone. Where an upgrade ends it, the new plan bills that day for
    what was carried over; what came during the time billed counts for it here as well.
    Resumed on the day of a pause, it ``skips_first_day``, which was billed before.
    """

    billed: Period
    natural: NaturalPeriod
    timezone: ZoneInfo
    upgraded: bool = False
    skips_first_day: bool = False

    @property
    def first_day(self) -> date:
        """Return the local day on which the time billed starts, or the next one where that day was billed before."""
        first = max(self.billed.first_day(self.timezone), self.natural.first_day)
        return first + timedelta(days=1) if self.skips_first_day else first

    @property
    def last_day(self) -> date:
        """Return the last local day that is billed: also where hours of the day after the period are billed with it."""
        return min(self.billed.last_day(self.timezone), self.natural.next_first_day - timedelta(days=1))

    @property
    def carried_last_day(self) -> date:
        """Return the last local day for which units count that were there before the time billed."""
        if not self.upgraded:
            return self.last_day
        return min(self.last_day, dates.local_date(self.billed.end, self.timezone) - timedelta(days=1))

    @property
    def seconds(self) -> Decimal:
        """Return the seconds of the whole natural period: a level that is held all the time is what it is."""
        return Decimal((self.natural.period.end - self.natural.period.start) // _MICROSECOND) / _SECOND


def of(schedule: Schedule, billed: Period, *, upgraded: bool = False, skips_first_day: bool = False) -> HeldTime:
    """Return the time billed inside the natural period that holds most of it; `upgraded` says that an upgrade ends it.

    Hours of the neighbours may be billed with it, where a time zone was changed or a contract ended on a billing day.
    """
    middle = billed.start + (billed.end - billed.start) / 2
    natural = periods.period_at(schedule, middle)
    return HeldTime(billed, natural, schedule.timezone, upgraded=upgraded, skips_first_day=skips_first_day)

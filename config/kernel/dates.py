"""Calendar arithmetic. Owns the conversion between instants and local days, and periods; knows no billing rule, no
clock.

Calendar facts are local dates in a time zone, usage is instants. Both meet here and nowhere else.
"""

from __future__ import annotations

import calendar
import functools
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.kernel import errors

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time `[start, end)` between two instants; empty when both are the same."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("A period needs aware instants.")
        if self.end < self.start:
            raise ValueError(f"A period cannot end ({self.end}) before it starts ({self.start}).")

    @property
    def is_empty(self) -> bool:
        """Say whether the period holds no instant at all."""
        return self.start == self.end

    def contains(self, at: datetime) -> bool:
        """Say whether the instant lies in the period; its start does, its end does not."""
        return self.start <= at < self.end

    def days(self, tz: ZoneInfo) -> int:
        """Count the local days that the period touches; a day begun counts in full. Daylight saving does not matter."""
        if self.is_empty:
            return 0
        return days_between(self.first_day(tz), self.last_day(tz)) + 1

    def first_day(self, tz: ZoneInfo) -> date:
        """Return the local date of the first instant."""
        return local_date(self.start, tz)

    def last_day(self, tz: ZoneInfo) -> date:
        """Return the local date of the last instant: 31 January for a period that ends where 1 February starts."""
        return local_date(self.start if self.is_empty else self.end - _INSTANT, tz)

    def overlap(self, other: Period) -> Period | None:
        """Return the time that both periods share, or nothing when they share no instant."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


@functools.cache
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def zone(name: str) -> ZoneInfo:
    """Return the time zone of an IANA name. Raises Invalid (`invalid_timezone`) for any other text."""
    if name not in _zone_names():
        raise errors.Invalid("invalid_timezone", f"{name} is not a time zone.", {"timezone": ["invalid_timezone"]})
    return ZoneInfo(name)


def local_date(at: datetime, tz: ZoneInfo) -> date:
    """Return the date that the calendar on the wall shows at this instant. Raises ValueError for a naive one."""
    if at.tzinfo is None:
        raise ValueError("A local date needs an aware instant.")
    return at.astimezone(tz).date()


def start_of_day(day: date, tz: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a local day starts.

    Where clocks are put forward at midnight the day starts at its first minute that exists; where midnight happens
    twice, at the first one. A day that a zone left out (30 December 2011 in Apia) starts and ends at the same
    instant.
    """
    return datetime.combine(day, time.min, tzinfo=tz).astimezone(UTC)


def days_between(start: date, end: date) -> int:
    """Count the days from one date to another, the last one excluded: 1 to 31 January are 30."""
    return (end - start).days


def add_months(anchor: date, months: int) -> date:
    """Return the date so many months after the anchor (or before), on the month's last day where its day is missing.

    Always count from the original anchor: 31 January gives 28 February and then 31 March.
    """
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))

"""Natural periods of a plan: the weeks, months, quarters, half-years and years that tile a subscription's time.

Owns their dates, in the time zone of the schedule. What an invoice covers of them is `boundaries`, what is due when
is `due_dates`. The n-th period is counted from the anchor, never from the one before: 31 January is followed by 28
February and then by 31 March. Period 0 holds the anchor; periods before it exist too, so that every day is in exactly
one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from catalog.domain import intervals
from catalog.domain.intervals import BillingTime, Interval
from config.kernel import dates
from config.kernel.dates import Period

_WEEK = 7


@dataclass(frozen=True, slots=True)
class Schedule:
    """How time is cut: interval, calendar or anniversary, the local date that anchors it, and the time zone."""

    interval: Interval
    billing_time: BillingTime
    anchor: date
    timezone: ZoneInfo

    @property
    def origin(self) -> date:
        """Return the first day of period 0: the anchor, or the start of the calendar's period that holds it."""
        if self.billing_time is BillingTime.ANNIVERSARY:
            return self.anchor
        length = intervals.months(self.interval)
        if length is None:
            return self.anchor - timedelta(days=self.anchor.weekday())
        return self.anchor.replace(month=(self.anchor.month - 1) // length * length + 1, day=1)


@dataclass(frozen=True, slots=True)
class NaturalPeriod:
    """A whole period: its number, its first local day, the next one's first day, and both as instants."""

    number: int
    first_day: date
    next_first_day: date
    period: Period

    @property
    def days(self) -> int:
        """Return how many local days the period has, whatever its hours: what a day's price is divided by."""
        return dates.days_between(self.first_day, self.next_first_day)


def schedule(
    *, interval: str, billing_time: str, subscription_at: datetime, timezone: ZoneInfo, anchor: date | None = None
) -> Schedule:
    """Return the schedule of a subscription, anchored on a date: by default the local one of `subscription_at`."""
    anchor = anchor or dates.local_date(subscription_at, timezone)
    return Schedule(Interval(interval), BillingTime(billing_time), anchor, timezone)


def monthly(schedule: Schedule) -> Schedule:
    """Return the months inside the schedule's periods, on the same anchor: usage of a yearly plan may be billed so."""
    return replace(schedule, interval=Interval.MONTHLY)


def first_day(schedule: Schedule, number: int) -> date:
    """Return the local date on which the n-th period starts."""
    length = intervals.months(schedule.interval)
    if length is None:
        return schedule.origin + timedelta(days=_WEEK * number)
    return dates.add_months(schedule.origin, length * number)


def nth_period(schedule: Schedule, number: int) -> NaturalPeriod:
    """Return the n-th period, from local midnight to local midnight."""
    start, end = first_day(schedule, number), first_day(schedule, number + 1)
    zone = schedule.timezone
    period = Period(dates.start_of_day(start, zone), dates.start_of_day(end, zone))
    return NaturalPeriod(number, start, end, period)


def number_on(schedule: Schedule, day: date) -> int:
    """Return the number of the period that holds a local date."""
    length = intervals.months(schedule.interval)
    if length is None:
        return dates.days_between(schedule.origin, day) // _WEEK
    months = (day.year - schedule.origin.year) * 12 + day.month - schedule.origin.month
    number = months // length
    # In the month of its first day a period starts only on that day.
    return number if first_day(schedule, number) <= day else number - 1


def period_on(schedule: Schedule, day: date) -> NaturalPeriod:
    """Return the period that holds a local date."""
    return nth_period(schedule, number_on(schedule, day))


def period_at(schedule: Schedule, at: datetime) -> NaturalPeriod:
    """Return the period that holds an instant."""
    return period_on(schedule, dates.local_date(at, schedule.timezone))


def elapsed_periods(schedule: Schedule, *, after: datetime, until: datetime) -> list[NaturalPeriod]:
    """Return the periods that end after the one instant and not after the other, oldest first."""
    found = []
    current = period_at(schedule, after)
    while current.period.end <= until:
        if current.period.end > after:
            found.append(current)
        current = nth_period(schedule, current.number + 1)
    return found


def starts_on(schedule: Schedule, day: date) -> bool:
    """Say whether a period starts on this local date."""
    return first_day(schedule, number_on(schedule, day)) == day

"""Periods found by walking over days, one after the other."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MONTHS = {"monthly": 1, "quarterly": 3, "semiannual": 6, "yearly": 12}
DAY = timedelta(days=1)


def begins(day: date, *, anchor: date, interval: str, billing_time: str) -> bool:
    """Say whether a period begins on a day."""
    if interval == "weekly":
        return day.weekday() == (0 if billing_time == "calendar" else anchor.weekday())
    months = MONTHS[interval]
    if billing_time == "calendar":
        return day.day == 1 and (day.month - 1) % months == 0
    last = calendar.monthrange(day.year, day.month)[1]
    distance = (day.year - anchor.year) * 12 + day.month - anchor.month
    return day.day == min(anchor.day, last) and distance % months == 0


def around(day: date, *, anchor: date, interval: str, billing_time: str) -> tuple[date, date]:
    """Return the first day of the period that a day is in, and the first day after it."""
    first = day
    while not begins(first, anchor=anchor, interval=interval, billing_time=billing_time):
        first -= DAY
    after = day + DAY
    while not begins(after, anchor=anchor, interval=interval, billing_time=billing_time):
        after += DAY
    return first, after


def midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a local day begins."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def day_of(at: datetime, zone: str) -> date:
    """Return the local date of an instant."""
    return at.astimezone(ZoneInfo(zone)).date()

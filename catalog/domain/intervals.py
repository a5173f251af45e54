"""Intervals of a plan. Owns their names and sizes; the dates of the periods they make are billing's."""

from __future__ import annotations

from enum import StrEnum


class Interval(StrEnum):
    """How long a period of a plan is."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    SEMIANNUAL = "semiannual"
    YEARLY = "yearly"


class BillingTime(StrEnum):
    """Whether periods start with the calendar's (Mondays, months, quarters, years) or on the subscription's own day."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"


_MONTHS = {Interval.MONTHLY: 1, Interval.QUARTERLY: 3, Interval.SEMIANNUAL: 6, Interval.YEARLY: 12}
_PER_YEAR = {
    Interval.WEEKLY: 52,
    Interval.MONTHLY: 12,
    Interval.QUARTERLY: 4,
    Interval.SEMIANNUAL: 2,
    Interval.YEARLY: 1,
}


def months(interval: Interval) -> int | None:
    """Return the length in months; a week has none."""
    return _MONTHS.get(interval)


def yearly_factor(interval: Interval) -> int:
    """Return how many periods make a year, by which prices of different intervals are compared (a week counts 52)."""
    return _PER_YEAR[interval]


def can_split_monthly(interval: Interval) -> bool:
    """Say whether usage may be billed every month inside the period: half-years and years only."""
    return interval in (Interval.SEMIANNUAL, Interval.YEARLY)

"""The stretches of time that usage is told of by: days, weeks from Monday on, or months. Owns their bounds only."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from moneyed import Money

from config.kernel import dates, errors

MOST_SPANS = 1000
"""More than so many stretches are refused: three years by the day."""

USUAL = 12
"""So many weeks or months are told of where nothing else is asked for."""

USUAL_DAYS = 30
_DAY = timedelta(days=1)


class Granularity(enum.StrEnum):
    """How long a stretch is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of local days, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Used:
    """What was used of a metric in a stretch, in one currency; amounts net and before coupons."""

    span: Span
    metric_code: str
    is_metric_deleted: bool
    amount: Money
    units: Decimal


def usual_start(*, last: date, granularity: Granularity) -> date:
    """Return the first day that is told of where none is given: 30 days, 12 weeks or 12 months back from the last."""
    if granularity is Granularity.DAILY:
        return last - _DAY * (USUAL_DAYS - 1)
    if granularity is Granularity.WEEKLY:
        return _monday(last) - timedelta(weeks=USUAL - 1)
    return dates.add_months(last.replace(day=1), 1 - USUAL)


def spans(*, first: date, last: date, granularity: Granularity) -> list[Span]:
    """Cut days, both included, into stretches; the first and the last are cut where the days begin and end.

    Raises Invalid (`from_date`) for days that end before they begin, and for more than `MOST_SPANS`.
    """
    if first > last:
        raise _refused("invalid_date_range")
    found: list[Span] = []
    start = first
    while start <= last:
        if len(found) == MOST_SPANS:
            raise _refused("value_is_out_of_range")
        end = min(_following(start, granularity) - _DAY, last)
        found.append(Span(start, end))
        start = end + _DAY
    return found


def _following(day: date, granularity: Granularity) -> date:
    if granularity is Granularity.DAILY:
        return day + _DAY
    if granularity is Granularity.WEEKLY:
        return _monday(day) + timedelta(weeks=1)
    return dates.add_months(day.replace(day=1), 1)


def _monday(day: date) -> date:
    return day - _DAY * day.weekday()


def _refused(code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", "The days are not valid.", {"from_date": [code]})

"""The days of a contract: its terms of so many months, the days in them, and the instants at which they begin and end.

Owns days and spans of days; what is sold in them, and what happens when they are over, is next door.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.kernel import dates, errors

MOST_MONTHS = 240
LAST_YEAR = 2900
"""No contract goes on beyond it, so that the days after one can be told."""

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


class InvalidTerm(errors.Invalid):
    """The dates of a contract, a phase or a commitment do not fit together."""


@dataclass(frozen=True, slots=True)
class Span:
    """Local days from the first to the last one, both included, as contracts are written."""

    first: date
    last: date

    def __post_init__(self) -> None:
        check_day(self.last)
        if self.last < self.first:
            raise InvalidTerm(
                "invalid_dates", f"{self.last} is before {self.first}.", {"ends_on": ["must_be_after_start"]}
            )

    @property
    def after(self) -> date:
        """Return the first day that is not in it any more."""
        return self.last + _DAY

    @property
    def days(self) -> int:
        """Count its days."""
        return dates.days_between(self.first, self.after)

    def contains(self, day: date) -> bool:
        """Say whether the day is one of them."""
        return self.first <= day <= self.last

    def overlap(self, other: Span) -> Span | None:
        """Return the days that both have, or nothing."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Span(first, last) if first <= last else None


def check_day(day: date) -> None:
    """Demand a day that a contract can have. Raises InvalidTerm (`ends_on`)."""
    if day.year > LAST_YEAR:
        raise InvalidTerm(
            "value_is_out_of_range",
            f"A contract ends before the year {LAST_YEAR + 1}.",
            {"ends_on": ["value_is_out_of_range"]},
        )


def term(*, starts_on: date, months: int) -> Span:
    """Return a term of so many months: twelve from 1 January end on 31 December, one from 31 January on 27 February.

    Raises InvalidTerm (`term_months`) for no month at all, or more than MOST_MONTHS.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise InvalidTerm(
            "value_is_out_of_range",
            f"A term has 1 to {MOST_MONTHS} months.",
            {"term_months": ["value_is_out_of_range"]},
        )
    check_day(starts_on)
    return Span(starts_on, dates.add_months(starts_on, months) - _DAY)


def following(*, anchor: date, elapsed_months: int, last: date, months: int) -> Span:
    """Return the term after one that ends on ``last``.

    Where all terms so far are whole months from the ``anchor`` (``elapsed_months`` of them), the next one is counted
    from there too, so that 31 January comes back after a short month. After a term that was extended to some other day
    it is counted from the day after that.
    """
    starts_on = dates.add_months(anchor, elapsed_months)
    if starts_on - _DAY != last:
        return term(starts_on=last + _DAY, months=months)
    whole = term(starts_on=anchor, months=elapsed_months + months)
    return Span(starts_on, whole.last)


def starts_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which service begins on a local day."""
    return dates.start_of_day(day, zone)


def ends_at(day: date, zone: ZoneInfo) -> datetime:
    """Return the last instant of a last local day: it is used in full, and the day after is not touched."""
    return dates.start_of_day(day + _DAY, zone) - _INSTANT

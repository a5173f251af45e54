"""When a change or an end shall take effect, as somebody chose it: now, at the end of the period, or on a day.

Owns reading such a choice and refusing a day that cannot be meant; the instants are `plan_changes`' and `periods`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from billing.domain import periods, terms
from billing.domain.periods import Schedule
from config.kernel import dates

_DAY = timedelta(days=1)
_LAST_INSTANT = timedelta(microseconds=1)
LAST_DAY = date(2199, 12, 31)
"""The last day that can be chosen: what is later is a mistake, and no calendar can go far beyond it."""


class Timing(StrEnum):
    """What a choice goes by."""

    NOW = "now"
    PERIOD_END = "period_end"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class ChosenTime:
    """A choice; ``day`` is a local date of the customer, and there only for a date."""

    timing: Timing
    day: date | None = None

    def __post_init__(self) -> None:
        if (self.timing is Timing.DATE) != (self.day is not None):
            raise ValueError("A day belongs to a date, and to nothing else.")


NOW = ChosenTime(Timing.NOW)
PERIOD_END = ChosenTime(Timing.PERIOD_END)


def on(day: date) -> ChosenTime:
    """Return the choice of a day."""
    return ChosenTime(Timing.DATE, day)


def read(text: str, *, field: str) -> ChosenTime:
    """Read "now", "period_end" or an ISO date. Raises InvalidTerms under the name of the field (`value_is_invalid`)."""
    if text in (Timing.NOW, Timing.PERIOD_END):
        return ChosenTime(Timing(text))
    try:
        # Only the plain form: others that ISO 8601 has (weeks, no hyphens) are more likely a mistake.
        day = date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        day = None
    if day is None:
        raise terms.InvalidTerms(
            "value_is_invalid", f"{field} is now, period_end or a date.", {field: ["value_is_invalid"]}
        )
    return ChosenTime(Timing.DATE, day)


def check_day(day: date, *, schedule: Schedule, at: datetime, ends_at: datetime | None, field: str) -> None:
    """Refuse a day that is not after today or too far away, or whose start is not before the agreed end.

    Days are local to the schedule. Raises InvalidTerms under the name of the field (`invalid_date`).
    """
    if not dates.local_date(at, schedule.timezone) < day <= LAST_DAY:
        raise terms.InvalidTerms("invalid_date", f"{field} has to be after today.", {field: ["invalid_date"]})
    check_end(day, schedule=schedule, ends_at=ends_at, field=field)


def check_end(day: date, *, schedule: Schedule, ends_at: datetime | None, field: str) -> None:
    """Refuse a day that starts no earlier than the agreed end. Raises InvalidTerms (`invalid_date`)."""
    if ends_at is not None and dates.start_of_day(day, schedule.timezone) >= ends_at:
        raise terms.InvalidTerms(
            "invalid_date", f"The subscription ends before {day.isoformat()}.", {field: ["invalid_date"]}
        )


def ends_at(chosen: ChosenTime, *, schedule: Schedule, started_at: datetime, at: datetime, field: str) -> datetime:
    """Return the instant at which a subscription ends that is to end with its period or with a local day.

    With the period: where the next one starts, so that it is paid as a whole. With a day: its last instant, so that the
    day is used and the next one is not. Raises InvalidTerms under the name of the field (`invalid_date`) for a day that
    is over, that lies before the start, or that is too far away.
    """
    if chosen.day is None:
        return periods.period_at(schedule, max(at, started_at)).period.end
    if chosen.day > LAST_DAY:
        raise terms.InvalidTerms("invalid_date", f"{field} is too far away.", {field: ["invalid_date"]})
    end = dates.start_of_day(chosen.day + _DAY, schedule.timezone) - _LAST_INSTANT
    if end <= at or end <= started_at:
        raise terms.InvalidTerms("invalid_date", f"{field} has to be today or later.", {field: ["invalid_date"]})
    return end

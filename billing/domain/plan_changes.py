"""What a change of plan is: an upgrade at once or a downgrade at the end of the period, and what of it is carried over.

Owns the comparison of prices, the day of a change that waits, and which usage the new plan bills instead of the
old one. The fees of both sides are `plan_fees`', the credit for unused time `unused_time`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from billing.domain import periods
from billing.domain.periods import Schedule
from catalog.domain import intervals
from catalog.domain.intervals import Interval
from config.kernel import dates, errors


class Kind(StrEnum):
    """Which way a change of plan goes."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


class PlanChangeConflict(errors.Conflict):
    """Somebody else changed the subscription in between; what was asked for was decided by what it was before."""


@dataclass(frozen=True, slots=True)
class Price:
    """The plan's own price of a whole interval, in major units of its currency."""

    amount: Decimal
    interval: Interval

    @property
    def yearly(self) -> Decimal:
        """Return what a year costs, by which prices of different intervals are compared (a year has 52 weeks)."""
        return self.amount * intervals.yearly_factor(self.interval)


def kind(*, current: Price, wanted: Price) -> Kind:
    """Return which way a change goes: it is a downgrade only if a year of the wanted plan costs less.

    Charges, intervals and currencies do not matter; the same price is an upgrade.
    """
    return Kind.UPGRADE if wanted.yearly >= current.yearly else Kind.DOWNGRADE


def change_date(schedule: Schedule, *, at: datetime, started_at: datetime) -> date:
    """Return the local day on which the end of the period comes: the first one after the running period.

    A subscription that starts later today is in its first period already.
    """
    return periods.period_at(schedule, max(at, started_at)).next_first_day


def takes_effect_at(schedule: Schedule, *, day: date) -> datetime:
    """Return the instant at which a waiting change takes effect: the local start of its day, however late it is."""
    return dates.start_of_day(day, schedule.timezone)


def cuts(schedule: Schedule, *, day: date) -> bool:
    """Say whether a change on this local day falls inside a period of the plan it ends, as an upgrade does."""
    return not periods.starts_on(schedule, day)


def moves_on(*, is_recurring: bool, is_prorated: bool, is_followed: bool) -> bool:
    """Say whether an upgrade leaves the usage of a charge in arrears to the new plan, which has the metric too.

    Units that are carried over and cost the same however long they were there would be billed by both plans.
    """
    return is_recurring and not is_prorated and is_followed

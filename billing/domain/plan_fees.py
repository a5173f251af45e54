"""Which time the plan fee of an invoice is for, and the share of a whole period that it comes to. Owns advance and
arrears, the trial, and the first and the last period; on which days there are invoices at all is `dues`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.domain import periods, proration, standing, unbilled
from billing.domain.periods import NaturalPeriod
from billing.domain.proration import Share
from billing.domain.standing import Billed, Standing
from config.kernel import dates
from config.kernel.dates import Period


@dataclass(frozen=True, slots=True)
class Fee:
    """The time of a plan fee and its share. One that is not billed only says which period the invoice is in."""

    period: Period
    share: Share
    is_billed: bool = True


def on_billing_day(where: Standing, day: date, billed: Sequence[Billed]) -> Fee | None:
    """Return the fee of an invoice on a billing day; nothing where its time is billed already.

    In advance it is for the period that starts on the day, in arrears for the one that ended. Days on which no period
    starts (months inside a year) have none, nor has the trial; in advance neither has the day of the end.
    """
    schedule = where.schedule
    opens = periods.starts_on(schedule, day)
    number = periods.number_on(schedule, day)
    natural = periods.nth_period(schedule, number if where.pays_in_advance or not opens else number - 1)
    # The day of a pause belongs to its period, unlike that of another end.
    ends_now = where.last_day is not None and where.last_day <= day and not where.is_paused
    if not opens or (where.pays_in_advance and ends_now):
        return _none(where, natural)
    return of_period(where, natural, billed, day=day)


def of_period(where: Standing, natural: NaturalPeriod, billed: Sequence[Billed], *, day: date) -> Fee | None:
    """Return the fee of a period as it is known on a local day, from the first day to be paid on.

    Nothing where it is billed already, and none to be billed while the trial goes on or takes up all of the period.
    """
    start = _first_instant(where, natural)
    trial_ends_on = where.first_day_after_trial
    goes_on = trial_ends_on is not None and trial_ends_on > day
    if goes_on or start >= natural.period.end:
        return _none(where, natural)
    covered = Period(start, natural.period.end)
    left = unbilled.rest(covered, standing.billed_fees(billed))
    return None if left is None else Fee(left, proration.covered(where.schedule, covered))


def around(where: Standing, day: date) -> Fee:
    """Return the period that a local day is in, with no fee to be billed."""
    return _none(where, periods.period_on(where.schedule, day))


def up_to_the_end(where: Standing, end: datetime, billed: Sequence[Billed]) -> Fee | None:
    """Return the fee of the running period up to a termination: the days used, its own day included, in arrears.

    Nothing where there is no such time or where it is billed already. A plan paid in advance has billed it. The day
    of an upgrade is the new plan's. A pause with whole periods costs all that the period would have.
    """
    natural = periods.period_on(where.schedule, dates.local_date(end, where.schedule.timezone))
    begin = max(natural.period.start, dates.start_of_day(where.first_day, where.schedule.timezone))
    if begin >= end:
        return None
    start = _first_instant(where, natural)
    in_trial = where.trial_ends_at is not None and where.trial_ends_at >= end
    if where.pays_in_advance or in_trial or start >= end:
        return Fee(Period(begin, end), Share(0, natural.days), is_billed=False)
    covered = Period(start, natural.period.end if where.pauses_whole else end)
    left = unbilled.rest(covered, standing.billed_fees(billed))
    if left is None:
        return None
    if where.pauses_whole:
        return Fee(left, proration.covered(where.schedule, covered))
    used = proration.termination(where.schedule, started_at=start, terminated_at=end, upgraded=where.is_upgraded)
    return Fee(left, used, is_billed=used.days > 0)


def _first_instant(where: Standing, natural: NaturalPeriod) -> datetime:
    return max(natural.period.start, dates.start_of_day(where.first_paid_day, where.schedule.timezone))


def _none(where: Standing, natural: NaturalPeriod) -> Fee:
    start = max(natural.period.start, dates.start_of_day(where.first_day, where.schedule.timezone))
    return Fee(Period(min(start, natural.period.end), natural.period.end), Share(0, natural.days), is_billed=False)

"""What an invoice of a subscription covers: the plan fee's time, and the time of usage and of fixed charges.

Owns the choice of periods and their limits by the start and the end of the subscription. A regular invoice is drawn
on a billing day (the first day after a period), a last one at the instant of termination, and current usage now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.domain import due_dates, periods
from billing.domain.periods import NaturalPeriod, Schedule
from catalog.domain import intervals
from config.kernel import dates
from config.kernel.dates import Period

# A change of the time zone moves midnight by up to this much; beyond it, periods do not belong together.
_LARGEST_SHIFT = timedelta(hours=26)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a plan decides about boundaries."""

    schedule: Schedule
    pay_in_advance: bool = False
    charges_monthly: bool = False
    fixed_charges_monthly: bool = False

    @property
    def bills_monthly(self) -> bool:
        """Say whether a half-yearly or yearly plan bills anything monthly."""
        return (self.charges_monthly or self.fixed_charges_monthly) and intervals.can_split_monthly(
            self.schedule.interval
        )

    @property
    def billing_schedule(self) -> Schedule:
        """Return the schedule of the billing days."""
        return due_dates.billing_schedule(self.schedule, bills_monthly=self.bills_monthly)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time between two instants, the second excluded, inside a whole natural period.

    It covers nothing when it does not end after it starts (a start in the future, a termination before the period).
    """

    start: datetime
    end: datetime
    natural: NaturalPeriod

    @property
    def period(self) -> Period | None:
        """Return the time that is covered, or nothing."""
        return Period(self.start, self.end) if self.start < self.end else None

    @property
    def shown_end(self) -> datetime:
        """Return the end as interfaces show it: the last second of a period, but the very instant of a termination."""
        return self.end - _SECOND if self.end == self.natural.period.end else self.end


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The stretches of an invoice. Usage or fixed charges that are not due on this billing day have none."""

    subscription: Stretch
    charges: Stretch | None
    fixed_charges: Stretch | None
    fee_due: bool


@dataclass(frozen=True, slots=True)
class _Moment:
    started_at: datetime
    billing_at: datetime
    terminated_at: datetime | None
    current_usage: bool

    @property
    def is_last(self) -> bool:
        return self.terminated_at is not None and self.terminated_at <= self.billing_at


def boundaries(
    *,
    terms: Terms,
    started_at: datetime,
    billing_at: datetime,
    terminated_at: datetime | None = None,
    downgraded: bool = False,
    current_usage: bool = False,
    charges_billed_until: datetime | None = None,
) -> Boundaries:
    """Return what an invoice drawn at `billing_at` covers, in the schedule's time zone.

    With `terminated_at` at or before `billing_at` it is the last invoice, which covers the running period up to
    there; `downgraded` says that it ends on a billing day for a cheaper plan, so that the period before is due as
    always. The plan fee starts at the local midnight of the day of the start, usage at the very instant.
    `charges_billed_until` is the end of the usage billed before: usage goes on from there when the time zone was
    changed in between.
    """
    moment = _Moment(started_at, billing_at, None if downgraded else terminated_at, current_usage)
    schedule = terms.schedule
    fee = _natural(schedule, moment, holds_now=terms.pay_in_advance)
    start_of_first_day = dates.start_of_day(dates.local_date(started_at, schedule.timezone), schedule.timezone)
    charges = _usage(terms, moment, monthly=terms.charges_monthly, other_monthly=terms.fixed_charges_monthly)
    return Boundaries(
        subscription=_limited(fee, start=start_of_first_day, moment=moment),
        charges=_continued(charges, charges_billed_until),
        fixed_charges=_usage(terms, moment, monthly=terms.fixed_charges_monthly, other_monthly=terms.charges_monthly),
        fee_due=not terms.bills_monthly or moment.is_last or _opens_period(schedule, moment),
    )


def running_period(schedule: Schedule, at: datetime) -> Period:
    """Return the natural period that an instant is in: its end is where a downgrade takes effect."""
    return periods.period_at(schedule, at).period


def previous_period(schedule: Schedule, at: datetime) -> Period:
    """Return the natural period before the one that an instant is in: what is due on a billing day in arrears."""
    return periods.nth_period(schedule, periods.period_at(schedule, at).number - 1).period


def _natural(schedule: Schedule, moment: _Moment, *, holds_now: bool) -> NaturalPeriod:
    running = periods.period_at(schedule, moment.billing_at)
    if holds_now or moment.is_last or moment.current_usage:
        return running
    return periods.nth_period(schedule, running.number - 1)


def _usage(terms: Terms, moment: _Moment, *, monthly: bool, other_monthly: bool) -> Stretch | None:
    can_split = intervals.can_split_monthly(terms.schedule.interval)
    if monthly and can_split:
        natural = _natural(periods.monthly(terms.schedule), moment, holds_now=False)
    else:
        # On the monthly invoices of the other kind this one is due only where a whole period ends.
        on_time = moment.current_usage or moment.is_last or _opens_period(terms.schedule, moment)
        if other_monthly and can_split and not on_time:
            return None
        natural = _natural(terms.schedule, moment, holds_now=False)
    return _limited(natural, start=moment.started_at, moment=moment)


def _opens_period(schedule: Schedule, moment: _Moment) -> bool:
    """Say whether the month of the billing day is the first one of a period."""
    months = periods.period_at(periods.monthly(schedule), moment.billing_at)
    return periods.starts_on(schedule, months.first_day)


def _limited(natural: NaturalPeriod, *, start: datetime, moment: _Moment) -> Stretch:
    end = natural.period.end
    if moment.is_last and moment.terminated_at is not None:
        end = min(end, moment.terminated_at)
    return Stretch(start=max(natural.period.start, start), end=end, natural=natural)


def _continued(charges: Stretch | None, billed_until: datetime | None) -> Stretch | None:
    if charges is None or billed_until is None or abs(billed_until - charges.start) >= _LARGEST_SHIFT:
        return charges
    return Stretch(start=billed_until, end=charges.end, natural=charges.natural)

"""Which time of a subscription is due for an invoice now. Owns the choice: regular billing days, the last invoice at
the termination, what was billed before, catching up, and the date of the next billing day.

The dates of billing days are `due_dates`', the natural periods `periods`', the shares of the plan fee `proration`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.domain import due_dates, periods, proration
from billing.domain.periods import NaturalPeriod, Schedule
from billing.domain.proration import Share
from config.kernel import dates
from config.kernel.dates import Period

_DAY = timedelta(days=1)
# A change of the customer's time zone moves midnight by up to this much; what lies closer belongs together.
_LARGEST_SHIFT = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a subscription stands. `next_billing_date` is its oldest billing day that is not settled yet.

    `ends_at` is the instant of its termination, or the one that is agreed for it. `bills_end` says whether a
    termination makes a last invoice.
    """

    schedule: Schedule
    started_at: datetime
    next_billing_date: date
    ends_at: datetime | None = None
    is_terminated: bool = False
    bills_end: bool = True

    @property
    def first_day(self) -> date:
        """Return the local date of the start."""
        return dates.local_date(self.started_at, self.schedule.timezone)

    @property
    def last_day(self) -> date | None:
        """Return the local date of the end, if there is one."""
        return None if self.ends_at is None else dates.local_date(self.ends_at, self.schedule.timezone)


@dataclass(frozen=True, slots=True)
class Billed:
    """Time that an invoice covers already, or did until its draft was voided (`is_released`)."""

    billing_date: date
    fee: Period
    charges: Period
    is_released: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """Time to be billed: of the plan fee with its share, and of usage (empty when no usage is left to bill).

    `due_at` is the local start of the billing day, or the instant of the termination.
    """

    billing_date: date
    due_at: datetime
    fee: Period
    charges: Period
    share: Share
    is_last: bool = False


def first_billing_date(
    schedule: Schedule, *, started_at: datetime, created_at: datetime, bills_backdated: bool
) -> date:
    """Return the first billing day of a subscription that starts or started at that instant.

    With `bills_backdated` periods that had elapsed when it was created are billed too; without, billing starts at the
    first billing day that had not passed by then.
    """
    after = dates.local_date(started_at, schedule.timezone)
    if not bills_backdated:
        after = max(after, dates.local_date(created_at, schedule.timezone) - _DAY)
    return due_dates.next_billing_date(schedule, after=after)


def due(standing: Standing, *, as_of: datetime, catch_up: bool, billed: Sequence[Billed] = ()) -> list[Due]:
    """Return what is to be billed now, oldest first, the last invoice of a terminated subscription at the end.

    With `catch_up` every billing day up to now is due; without it only today's, and those whose draft was voided. Time
    that is billed already is never due, whatever the billing days say.
    """
    zone = standing.schedule.timezone
    today = dates.local_date(as_of, zone)
    released = {span.billing_date for span in billed if span.is_released}
    found = [
        _regular(standing, day, billed)
        for day in _regular_days(standing, today=today)
        if (catch_up or day == today or day in released) and _is_regular(standing, day)
    ]
    if standing.is_terminated and standing.bills_end and standing.ends_at is not None:
        found.append(_last(standing, standing.ends_at, billed))
    return [item for item in found if item is not None]


def next_billing_date(standing: Standing, *, as_of: datetime) -> date | None:
    """Return the next billing day once everything that is due at this clock was billed; none after a termination.

    A billing day on or after the agreed end stays where it is: it is the termination that settles it. (One on the very
    day of an end without a last invoice is settled as any other.)
    """
    if standing.is_terminated:
        return None
    today = dates.local_date(as_of, standing.schedule.timezone)
    for day in _regular_days(standing, today=today):
        if not _is_regular(standing, day):
            return day
    return due_dates.next_billing_date(standing.schedule, after=max(today, standing.first_day))


def _regular_days(standing: Standing, *, today: date) -> list[date]:
    # A change of the time zone can move a billing day by one date; billing days are a week apart at least, and what was
    # billed under the earlier date is known by its time.
    seen = max(standing.first_day, standing.next_billing_date - 2 * _DAY)
    return due_dates.due_billing_dates(standing.schedule, first=seen, last_billed=None, today=today, catch_up=True)


def _is_regular(standing: Standing, day: date) -> bool:
    if standing.last_day is None or day < standing.last_day:
        return True
    # Without a last invoice nobody else bills the period that was complete when the day of the end began.
    return day == standing.last_day and not standing.bills_end


def _regular(standing: Standing, day: date, billed: Sequence[Billed]) -> Due | None:
    schedule = standing.schedule
    natural = periods.nth_period(schedule, periods.number_on(schedule, day) - 1)
    return _whole(
        standing, natural, billed, billing_date=day, due_at=natural.period.end, usage_until=natural.period.end
    )


def _last(standing: Standing, end: datetime, billed: Sequence[Billed]) -> Due | None:
    if end <= standing.started_at:  # ended before it began: the day of a start that never came costs nothing
        return None
    schedule = standing.schedule
    last_day = dates.local_date(end, schedule.timezone)
    running = periods.period_on(schedule, last_day)
    opens_today = running.first_day == last_day and standing.first_day < last_day
    if opens_today and standing.next_billing_date <= last_day:
        # The period before is due as a whole, and the new day's fee is not: a contract of one month costs one month.
        before = periods.nth_period(schedule, running.number - 1)
        whole = _whole(standing, before, billed, billing_date=last_day, due_at=end, usage_until=end)
        if whole is not None:
            return whole
    start = max(running.period.start, dates.start_of_day(standing.first_day, schedule.timezone))
    if start >= end:
        return None
    fee = _unbilled(Period(start, end), [span.fee for span in billed if not span.is_released])
    if fee is None:
        return None
    usage_from = max(running.period.start, standing.started_at)
    share = proration.termination(schedule, started_at=standing.started_at, terminated_at=end)
    return Due(last_day, end, fee, _usage(usage_from, end, billed), share, is_last=True)


def _whole(
    standing: Standing,
    natural: NaturalPeriod,
    billed: Sequence[Billed],
    *,
    billing_date: date,
    due_at: datetime,
    usage_until: datetime,
) -> Due | None:
    schedule = standing.schedule
    start = max(natural.period.start, dates.start_of_day(standing.first_day, schedule.timezone))
    covered = Period(start, natural.period.end)
    fee = _unbilled(covered, [span.fee for span in billed if not span.is_released])
    if fee is None:
        return None
    usage_from = max(natural.period.start, standing.started_at)
    is_last = standing.is_terminated and billing_date == standing.last_day
    share = proration.covered(schedule, covered)
    return Due(billing_date, due_at, fee, _usage(usage_from, usage_until, billed), share, is_last=is_last)


def _usage(start: datetime, end: datetime, billed: Sequence[Billed]) -> Period:
    if start >= end:
        return Period(end, end)
    left = _unbilled(Period(start, end), [span.charges for span in billed if not span.is_released])
    return Period(end, end) if left is None else left


def _unbilled(period: Period, spans: Sequence[Period]) -> Period | None:
    """Return what is left of a period besides what was billed; nothing when that is most of it.

    Where a time zone was changed, the period before ended some hours earlier or later: the new one goes on from there.
    """
    shared = [overlap for span in spans if (overlap := period.overlap(span)) is not None]
    covered = sum((overlap.end - overlap.start for overlap in shared), timedelta())
    if covered * 2 > period.end - period.start:
        return None
    earlier = [
        span.end for span in spans if span.start < period.start and abs(span.end - period.start) < _LARGEST_SHIFT
    ]
    start = max(earlier, default=period.start)
    end = min((span.start for span in spans if start <= span.start < period.end), default=period.end)
    return Period(start, end) if start < end else None

"""Which time of a subscription is due for an invoice now. Owns the choice: the start of a plan paid in advance, billing
days, the end of a trial, the last invoice at the termination, catching up, and the date of the next billing day.

The dates of billing days are `due_dates`', the natural periods `periods`', the time and share of the fee `plan_fees`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from billing.domain import commitment_dues, due_dates, fixed_dues, periods, plan_fees, standing, unbilled
from billing.domain.periods import Schedule
from billing.domain.standing import Billed, Due, Standing
from config.kernel import dates
from config.kernel.dates import Period

_DAY = timedelta(days=1)


def first_billing_date(
    schedule: Schedule, *, started_at: datetime, created_at: datetime, bills_backdated: bool, bills_start: bool = False
) -> date:
    """Return the first billing day of a subscription that starts or started at that instant, by its billing schedule.

    With `bills_backdated` periods that had elapsed when it was created are billed too; without, billing starts at the
    first billing day that had not passed by then. `bills_start` makes the day of the start one: a plan paid in advance.
    """
    first_day = dates.local_date(started_at, schedule.timezone)
    made_on = dates.local_date(created_at, schedule.timezone)
    if bills_start and (bills_backdated or first_day >= made_on):
        return first_day
    after = first_day if bills_backdated else max(first_day, made_on - _DAY)
    return due_dates.next_billing_date(schedule, after=after)


def usage_starts(where: Standing) -> datetime:
    """Return from when usage is billed: from the start on, or later where earlier billing days are passed over."""
    schedule, day = where.usage_schedule, where.next_billing_date
    number = periods.number_on(schedule, day)
    if periods.starts_on(schedule, day):
        number -= 1
    return max(where.started_at, periods.nth_period(schedule, number).period.start)


def due(where: Standing, *, as_of: datetime, catch_up: bool, billed: Sequence[Billed] = ()) -> list[Due]:
    """Return what is to be billed now, oldest first, the last invoice of a terminated subscription at the end.

    With `catch_up` every billing day up to now is due; without it only today's, and those whose draft was voided. The
    start and the end of a trial are due until they are billed. Time that is billed already is never due, whatever the
    billing days say.
    """
    zone = where.schedule.timezone
    today = dates.local_date(as_of, zone)
    released = {span.billing_date for span in billed if span.is_released}
    found = [_opening(where, billed)]
    found += [
        _regular(where, day, billed)
        for day in _regular_days(where, today=today)
        if (catch_up or day == today or day in released) and _is_regular(where, day)
    ]
    found.append(_after_trial(where, as_of, billed, released))
    if where.is_terminated and where.bills_end and where.ends_at is not None:
        found.append(_last(where, where.ends_at, billed))
    ordered = sorted((item for item in found if item is not None), key=lambda item: (item.billing_date, item.is_last))
    return commitment_dues.settled(where, _with_first_hours(where, ordered, billed), billed=billed)


def next_billing_date(where: Standing, *, as_of: datetime) -> date | None:
    """Return the next billing day once everything that is due at this clock was billed; none after a termination.

    A billing day on or after the agreed end stays where it is: it is the termination that settles it. (One on the very
    day of an end without a last invoice is settled as any other.)
    """
    if where.is_terminated:
        return None
    today = dates.local_date(as_of, where.schedule.timezone)
    for day in _regular_days(where, today=today):
        if not _is_regular(where, day):
            return day
    return due_dates.next_billing_date(where.billing_schedule, after=max(today, where.first_day))


def _with_first_hours(where: Standing, ordered: list[Due], billed: Sequence[Billed]) -> list[Due]:
    first = next((number for number, item in enumerate(ordered) if not item.charges.is_empty), None)
    if first is None:
        return ordered
    usage = unbilled.from_the_start(
        ordered[first].charges, standing.billed_usage(billed), since=where.usage_from or where.started_at
    )
    return [*ordered[:first], replace(ordered[first], charges=usage), *ordered[first + 1 :]]


def bills_start(where: Standing) -> bool:
    """Say whether the plan fee is billed at the start: in advance, and not put off by a trial."""
    return where.pays_in_advance and (where.trial_ends_at is None or where.trial_ends_at <= where.started_at)


def bills_opening(where: Standing) -> bool:
    """Say whether the start has an invoice: for the plan fee, or for fixed charges that are paid in advance."""
    return bills_start(where) or where.has_fixed_advance


def _regular_days(where: Standing, *, today: date) -> list[date]:
    # A change of the time zone can move a billing day by one date; billing days are a week apart at least, and what was
    # billed under the earlier date is known by its time.
    seen = max(where.first_day, where.next_billing_date - 2 * _DAY)
    return due_dates.due_billing_dates(where.billing_schedule, first=seen, last_billed=None, today=today, catch_up=True)


def _is_regular(where: Standing, day: date) -> bool:
    if where.last_day is None or day < where.last_day:
        return True
    # Without a last invoice nobody else bills the period that was complete when the day of the end began. The day of a
    # pause belongs to the period that it is in.
    return day == where.last_day and (not where.bills_end or where.is_paused)


def _opening(where: Standing, billed: Sequence[Billed]) -> Due | None:
    """The start: what is paid in advance, the fee and fixed charges of the period that it is in, and no usage."""
    if where.next_billing_date > where.first_day or not bills_opening(where):
        return None
    if where.ends_at is not None and where.ends_at <= where.started_at:
        return None
    day, at = where.first_day, where.started_at
    natural = periods.period_on(where.schedule, day)
    fee = plan_fees.of_period(where, natural, billed, day=day) if bills_start(where) else None
    fee = fee or plan_fees.around(where, day)
    fixed = fixed_dues.at_start(where, billed)
    if not fee.is_billed and not fixed:
        return None
    return Due(day, at, fee.period, Period(at, at), fee.share, is_first=True, bills_fee=fee.is_billed, fixed=fixed)


def _regular(where: Standing, day: date, billed: Sequence[Billed], *, ended_at: datetime | None = None) -> Due | None:
    """A billing day: the usage of the period that ended, and the fee of it or, in advance, of the one that starts.

    With `ended_at` it is the last invoice of a subscription that ended on the day, whose hours are billed with it.
    """
    schedule = where.usage_schedule
    natural = periods.nth_period(schedule, periods.number_on(schedule, day) - 1)
    fee = plan_fees.on_billing_day(where, day, billed)
    until = ended_at or dates.start_of_day(day, schedule.timezone)
    # Where only fixed charges are billed monthly, usage waits for the end of its own period.
    is_over = periods.starts_on(schedule, day)
    usage = _usage(where, natural.period.start, until, billed) if is_over else None
    if ended_at is None:
        fixed = fixed_dues.on_billing_day(where, day, billed)
    else:
        fixed = fixed_dues.up_to_the_end(where, ended_at, billed)
    if fee is None or (usage is None and not fee.is_billed and not fixed):
        return None
    return Due(
        day,
        until,
        fee.period,
        usage or Period(until, until),
        fee.share,
        is_last=where.is_terminated and day == where.last_day and not where.is_paused,
        bills_fee=fee.is_billed,
        even_of_nothing=ended_at is not None and _tells_its_end(where),
        fixed=fixed,
    )


def _after_trial(where: Standing, as_of: datetime, billed: Sequence[Billed], released: set[date]) -> Due | None:
    """The end of a trial of a plan paid in advance: the fee of what is left of the period, and no usage."""
    at, day = where.trial_ends_at, where.first_paid_day
    if not where.pays_in_advance or at is None or at > as_of or not _is_regular(where, day):
        return None
    if where.trial_is_over and day not in released:
        return None
    if where.is_paused and where.ends_at is not None and where.ends_at <= at:
        return None
    if day > where.first_day and periods.starts_on(where.schedule, day):  # a billing day, which bills all of it
        return None
    fee = plan_fees.of_period(where, periods.period_on(where.schedule, day), billed, day=day)
    if fee is None or not fee.is_billed:
        return None
    return Due(day, at, fee.period, Period(at, at), fee.share, is_first=True)


def _last(where: Standing, end: datetime, billed: Sequence[Billed]) -> Due | None:
    # Ended before it began: the day of a start that never came costs nothing, unless it was paid in advance.
    if end <= where.started_at and not where.pays_in_advance:
        return None
    last_day = dates.local_date(end, where.schedule.timezone)
    natural = periods.period_on(where.usage_schedule, last_day)
    opens_today = natural.first_day == last_day and where.first_day < last_day and not where.is_paused
    usage_from = natural.period.start
    if opens_today and where.next_billing_date <= last_day:
        if where.pays_in_advance or periods.starts_on(where.schedule, last_day):
            # The period before is due as a whole, and the new day's fee is not: a contract of one month costs one
            # month.
            whole = _regular(where, last_day, billed, ended_at=end)
            if whole is not None:
                return whole
        else:
            usage_from = periods.nth_period(where.usage_schedule, natural.number - 1).period.start
    fee = plan_fees.up_to_the_end(where, end, billed)
    usage = _usage(where, usage_from, end, billed)
    fixed = fixed_dues.up_to_the_end(where, end, billed)
    if fee is None or (usage is None and not fee.is_billed and not fixed and not _is_unsaid(where, end, billed)):
        return None
    return Due(
        last_day,
        end,
        fee.period,
        usage or Period(end, end),
        fee.share,
        is_last=True,
        bills_fee=fee.is_billed,
        even_of_nothing=_tells_its_end(where),
        fixed=fixed,
    )


def _tells_its_end(where: Standing) -> bool:
    """Say whether the end is told by an invoice even of nothing: in advance, unless another plan goes on."""
    return where.pays_in_advance and not where.is_replaced


def _is_unsaid(where: Standing, end: datetime, billed: Sequence[Billed]) -> bool:
    """Say whether the end of a plan paid in advance has no invoice yet: it gets one though there is no time to bill."""
    return _tells_its_end(where) and not any(span.fee.end == end for span in billed if not span.is_released)


def _usage(where: Standing, start: datetime, end: datetime, billed: Sequence[Billed]) -> Period | None:
    start = max(start, where.started_at)
    return unbilled.rest(Period(start, end), standing.billed_usage(billed)) if start < end else None

"""Which time of a subscription's fixed charges is due. Owns the two times of an invoice: the one that is over, of what
is billed in arrears, and the one that begins, of what is paid in advance.

On which days there are invoices is `dues`', which units a time has `fixed_units`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from billing.domain import pauses, periods, standing, unbilled
from billing.domain.periods import NaturalPeriod
from billing.domain.standing import Billed, FixedTimes, Standing
from config.kernel import dates
from config.kernel.dates import Period


def at_start(where: Standing, billed: Sequence[Billed]) -> FixedTimes:
    """Return what is due at the start: the running period of what is paid in advance, a trial or not."""
    return FixedTimes(advance=_running(where, where.first_day, billed))


def on_billing_day(where: Standing, day: date, billed: Sequence[Billed]) -> FixedTimes:
    """Return what is due on a billing day: the period that ended, and the one that begins.

    Half-years and years whose fixed charges are not billed monthly have nothing on the days in between. On the day of
    the end nothing begins.
    """
    if not periods.starts_on(where.fixed_schedule, day):
        return FixedTimes()
    ends_now = where.last_day is not None and where.last_day <= day and not where.is_paused
    natural = periods.nth_period(where.fixed_schedule, periods.number_on(where.fixed_schedule, day) - 1)
    return FixedTimes(
        arrears=_over(where, natural, natural.period.end, billed),
        advance=None if ends_now else _running(where, day, billed),
    )


def up_to_the_end(where: Standing, end: datetime, billed: Sequence[Billed]) -> FixedTimes:
    """Return what is due at a termination: the running period up to there, and nothing that begins.

    Where the period before is still to be billed as the first day of another one breaks, that is what is due: the new
    day costs nothing, as it costs no plan fee.
    """
    last_day = dates.local_date(end, where.schedule.timezone)
    natural = periods.period_on(where.fixed_schedule, last_day)
    opens_today = natural.first_day == last_day and where.first_day < last_day and not where.is_paused
    if opens_today and where.next_billing_date <= last_day:
        before = periods.nth_period(where.fixed_schedule, natural.number - 1)
        return FixedTimes(arrears=_over(where, before, before.period.end, billed))
    return FixedTimes(arrears=_over(where, natural, end, billed))


def running_period(where: Standing, at: datetime) -> Period:
    """Return the period of fixed charges that an instant is in, from the start of the subscription on."""
    natural = periods.period_at(where.fixed_schedule, at).period
    return Period(min(max(natural.start, where.started_at), natural.end), natural.end)


def _over(where: Standing, natural: NaturalPeriod, end: datetime, billed: Sequence[Billed]) -> Period | None:
    start = max(natural.period.start, where.started_at)
    if not where.has_fixed_arrears or start >= end:
        return None
    return unbilled.rest(Period(start, end), standing.billed_fixed(billed, in_advance=False))


def _running(where: Standing, day: date, billed: Sequence[Billed]) -> Period | None:
    natural = periods.period_on(where.fixed_schedule, day)
    start = max(natural.period.start, where.started_at)
    # What was paid in advance before a pause is paid for all of its period.
    if not where.has_fixed_advance or start >= natural.period.end or pauses.had_begun(where, natural):
        return None
    return unbilled.rest(Period(start, natural.period.end), standing.billed_fixed(billed, in_advance=True))

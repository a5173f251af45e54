"""Which time's minimum commitment an invoice settles. Owns the choice: the interval that is over, on the day on which
the next one begins, and the running one up to the end of the contract.

A plan paid in advance is settled on the same day as one in arrears: with the fee of the next interval, or at the end.
What the minimum comes to, and what counts against it, is `commitments`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from billing.domain import periods, proration, unbilled
from billing.domain.periods import NaturalPeriod
from billing.domain.proration import Share
from billing.domain.standing import Billed, CommittedTime, Due, Standing
from config.kernel import dates
from config.kernel.dates import Period


def settled(where: Standing, found: Iterable[Due], *, billed: Sequence[Billed]) -> list[Due]:
    """Return what is due, in its order, with the time whose minimum each of it settles.

    Every time is settled once; what a voided draft settled is settled anew. Starts, the ends of trials, and months
    inside a longer interval settle nothing. No minimum goes with an interval that the trial takes up as a whole, nor,
    in advance, with one whose fee nobody billed, because the contract was made after it began.
    """
    known = [span.commitment for span in billed if span.commitment is not None and not span.is_released]
    dues: list[Due] = []
    for due in found:
        time = None if due.is_first else _time(where, due, known)
        if time is not None:
            known.append(time.period)
        dues.append(replace(due, commitment=time))
    return dues


def _time(where: Standing, due: Due, known: Sequence[Period]) -> CommittedTime | None:
    day = due.billing_date
    opens = periods.starts_on(where.schedule, day) and where.first_day < day
    before = _whole(where, periods.nth_period(where.schedule, periods.number_on(where.schedule, day) - 1), known)
    if not due.is_last or not where.bills_end or where.ends_at is None:
        return before if opens else None
    # The period before is due as a whole, and the new day's minimum is not: as it is with the plan fee.
    if opens and where.next_billing_date <= day and before is not None:
        return before
    return _up_to_the_end(where, where.ends_at, known)


def _whole(where: Standing, natural: NaturalPeriod, known: Sequence[Period]) -> CommittedTime | None:
    end = natural.period.end
    start = _start(where, natural)
    if start is None or start >= end:
        return None
    return _left(Period(start, end), proration.covered(where.schedule, Period(start, end)), known)


def _up_to_the_end(where: Standing, end: datetime, known: Sequence[Period]) -> CommittedTime | None:
    """Return the running interval up to the end: all days that it touches, that of an upgrade within it included.

    On that day usage and fixed charges are billed up to the change as well. A pause with whole periods commits to all
    of the interval, as it costs all of its fee.
    """
    natural = periods.period_on(where.schedule, dates.local_date(end, where.schedule.timezone))
    start = _start(where, natural)
    in_trial = where.trial_ends_at is not None and where.trial_ends_at >= end
    if start is None or start >= end or in_trial:
        return None
    if where.pauses_whole:
        share = proration.covered(where.schedule, Period(start, natural.period.end))
    elif where.is_upgraded:
        share = proration.covered(where.schedule, Period(start, end))
    else:
        share = proration.termination(where.schedule, started_at=start, terminated_at=end)
    return _left(Period(start, end), share, known)


def _start(where: Standing, natural: NaturalPeriod) -> datetime | None:
    """Return from when on an interval is committed to, if it is: after a pause, from the first day that it pays."""
    paid_from = where.first_day_after_trial
    begins = [day for day in (paid_from, where.commits_from) if day is not None]
    if any(day >= natural.next_first_day for day in begins):
        return None
    return max(natural.period.start, dates.start_of_day(where.fee_from or where.first_day, where.schedule.timezone))


def _left(period: Period, share: Share, known: Sequence[Period]) -> CommittedTime | None:
    left = unbilled.rest(period, known)
    return None if left is None else CommittedTime(left, share)

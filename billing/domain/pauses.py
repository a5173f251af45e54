"""What a pause does to the time that is billed: which days a resumed subscription still pays, and what is paid already.

Owns the first paid day after a pause and the comparison of periods with the pause before. The fee at the pause itself
is `plan_fees`', when it is billed `dues`'.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from billing.domain import chosen_times, periods, proration
from billing.domain.periods import NaturalPeriod, Schedule
from billing.domain.proration import Share
from billing.domain.standing import Standing
from config.kernel import dates, errors
from config.kernel.dates import Period

_DAY = timedelta(days=1)


class PauseFee(StrEnum):
    """What the plan fee does in a pause: it is paid by the days of service, or by whole periods that saw any."""

    PRORATED = "prorated"
    WHOLE = "whole"


class InvalidPause(errors.Invalid):
    """The choice or the day of a pause does not fit the subscription."""


def check_resume(*, resume_on: date | None, today: date, last_day: date | None) -> None:
    """Refuse to resume on a day that is not after today, or not before the day of an agreed end; days are local.

    Raises InvalidPause (`resume_on`).
    """
    if resume_on is None:
        return
    if resume_on <= today or resume_on > chosen_times.LAST_DAY or (last_day is not None and resume_on >= last_day):
        raise InvalidPause(
            "invalid_date",
            "It resumes on a day after today, and before the agreed end.",
            {"resume_on": ["invalid_date"]},
        )


def unpaid_from(*, before: Standing, fee: PauseFee) -> date:
    """Return the first local day that is not paid at a pause, in the time zone of the pause.

    `before` is the one that the pause ended. A day, or with whole periods a period, that it paid is not paid again.
    Days of a trial are free, also one that ends during the pause.
    """
    if before.ends_at is None or not _pays_its_last_day(before):
        return before.first_paid_day
    paused_on = dates.local_date(before.ends_at, before.schedule.timezone)
    if fee is PauseFee.PRORATED:
        return paused_on + _DAY
    return periods.period_on(before.schedule, paused_on).next_first_day


def fee_from(*, schedule: Schedule, fee: PauseFee, unpaid_from: date, resumed_on: date) -> date:
    """Return the first local day that a resumed subscription pays the plan fee of: none that is paid already.

    With whole periods all of the period of the resume is paid otherwise.
    """
    first = resumed_on if fee is PauseFee.PRORATED else periods.period_on(schedule, resumed_on).first_day
    return max(first, unpaid_from)


def had_begun(where: Standing, natural: NaturalPeriod) -> bool:
    """Say whether a period had begun before the pause that a subscription was resumed from: it ran in both parts."""
    if where.paused_at is None:
        return False
    return natural.first_day <= dates.local_date(where.paused_at, where.schedule.timezone)


def skips_first_day(where: Standing, time: Period) -> bool:
    """Say whether the first local day of billed time was billed before the pause: resumed on the day of the pause."""
    if where.paused_at is None or time.start != where.started_at:
        return False
    return dates.local_date(where.paused_at, where.schedule.timezone) == where.first_day


def share(where: Standing, schedule: Schedule, time: Period, *, upgraded: bool = False) -> Share:
    """Return the days of a period that usage was billed for, without a day that was billed before a pause."""
    found = proration.covered(schedule, time, upgraded=upgraded)
    return replace(found, days=max(found.days - 1, 0)) if skips_first_day(where, time) else found


def billed_before(where: Standing, natural: NaturalPeriod, *, is_recurring: bool, is_prorated: bool) -> bool:
    """Say whether a pause billed a usage charge for all of a period: units that cost the same all the time."""
    return is_recurring and not is_prorated and had_begun(where, natural)


def _pays_its_last_day(before: Standing) -> bool:
    end = before.ends_at
    if end is None or (before.trial_ends_at is not None and before.trial_ends_at >= end):
        return False
    return dates.start_of_day(before.first_paid_day, before.schedule.timezone) < end

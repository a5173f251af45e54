"""Billing days: the local dates on which a subscription is due for an invoice. Owns which they are and catching up.

A billing day is the first day after a period: of the plan's interval, or of the months inside it when usage is billed
monthly. The day a subscription starts is none.
"""

from __future__ import annotations

from datetime import date

from billing.domain import periods
from billing.domain.periods import Schedule
from catalog.domain import intervals


def billing_schedule(schedule: Schedule, *, bills_monthly: bool) -> Schedule:
    """Return the schedule of the billing days: months where a half-yearly or yearly plan bills something monthly."""
    splits = bills_monthly and intervals.can_split_monthly(schedule.interval)
    return periods.monthly(schedule) if splits else schedule


def next_billing_date(schedule: Schedule, *, after: date) -> date:
    """Return the first billing day after a local date, by the schedule that `billing_schedule` gives."""
    return periods.first_day(schedule, periods.number_on(schedule, after) + 1)


def due_billing_dates(
    schedule: Schedule, *, first: date, last_billed: date | None, today: date, catch_up: bool
) -> list[date]:
    """Return the billing days to be billed now, oldest first.

    Billing days count from the day after `first` (the local start of the subscription) and after `last_billed`, up to
    and including `today`, all local dates. With `catch_up` all of them are due, without it only today's, if it is
    one.
    """
    seen = first if last_billed is None else max(first, last_billed)
    if not catch_up:
        return [today] if today > seen and periods.starts_on(schedule, today) else []
    found = []
    day = next_billing_date(schedule, after=seen)
    while day <= today:
        found.append(day)
        day = next_billing_date(schedule, after=day)
    return found

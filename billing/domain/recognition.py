"""Revenue recognition: how much of an amount is earned in which month of its service. Owns the straight-line rules;
what is posted from them is not decided here.

An amount is earned evenly over the time that it is for. The rule says how fine that time is looked at. What is earned
until a moment is rounded, and a month earns the difference of two such figures: the months always add up to the whole.
The method is that of IFRS 15 (B18, time-based input) and ASC 606-10-55-20 for services that are rendered evenly.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from enum import StrEnum
from zoneinfo import ZoneInfo

from moneyed import Money

from config.kernel import dates, money
from config.kernel.dates import Period

ZERO = Decimal(0)
_SECOND = timedelta(seconds=1)


class Rule(StrEnum):
    """How fine the time of a service is looked at."""

    BY_SECOND = "by_second"
    BY_DAY = "by_day"
    EVENLY_BY_MONTH = "evenly_by_month"


@dataclass(frozen=True, slots=True)
class Earned:
    """What one calendar month earns, by its first day, and what of the whole is deferred after it."""

    month: date
    amount: Money
    deferred: Money


def schedule(*, amount: Money, service: Period, rule: Rule, timezone: ZoneInfo) -> list[Earned]:
    """Return what each calendar month of a service earns, in order; months are local to the time zone.

    By day, the day that the service starts in counts in full and a last day that is only begun does not; a service
    within one day is earned on it. Evenly by month, each month earns the same, and a last month that is only begun
    earns nothing, unless it is the only one. Amounts are rounded half up to the currency, as sums since the start.
    An instant without duration is earned in its month at once.
    """
    first = dates.local_date(service.start, timezone).replace(day=1)
    months = _months_between(first, service.last_day(timezone)) + 1
    earned: list[Earned] = []
    before = money.zero(amount.currency.code)
    for number in range(months):
        end = dates.start_of_day(dates.add_months(first, number + 1), timezone)
        until = earned_until(amount=amount, service=service, rule=rule, timezone=timezone, at=end)
        earned.append(Earned(dates.add_months(first, number), until - before, amount - until))
        before = until
    while len(earned) > 1 and not earned[-1].amount.amount and not earned[-2].deferred.amount:
        earned.pop()
    return earned


def earned_until(*, amount: Money, service: Period, rule: Rule, timezone: ZoneInfo, at: datetime) -> Money:
    """Return what is earned until an instant (it excluded), rounded half up to the currency.

    By day, the local day of the instant has not earned yet; evenly by month, its month has not, unless it is over with
    that instant. A change of the service at that instant splits its amount here.
    """
    if at >= service.end:
        return amount
    if at <= service.start:
        return money.zero(amount.currency.code)
    part, whole = _elapsed(service, rule, timezone, at)
    with localcontext(money.DECIMAL_CONTEXT):
        precise = amount.amount * min(part, whole) / whole
    return Money(money.quantize(precise, currency=amount.currency.code), amount.currency.code)


def months(*, service: Period, timezone: ZoneInfo) -> int:
    """Count the calendar months that earn evenly: those begun, but for a last one that is not over; at least one."""
    first = dates.local_date(service.start, timezone).replace(day=1)
    return max(_months_between(first, dates.local_date(service.end, timezone)), 1)


def _elapsed(service: Period, rule: Rule, timezone: ZoneInfo, at: datetime) -> tuple[Decimal, Decimal]:
    """Return what has elapsed of the service and how long it is, in the unit of the rule."""
    start = dates.local_date(service.start, timezone)
    here = dates.local_date(at, timezone)
    match rule:
        case Rule.BY_SECOND:
            return _seconds(service.start, at), _seconds(service.start, service.end)
        case Rule.BY_DAY:
            days = dates.days_between(start, dates.local_date(service.end, timezone))
            return Decimal(dates.days_between(start, here)), Decimal(max(days, 1))
        case Rule.EVENLY_BY_MONTH:
            return Decimal(_months_between(start, here)), Decimal(months(service=service, timezone=timezone))


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // timedelta(microseconds=1)) / Decimal(_SECOND // timedelta(microseconds=1))


def _months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month

"""Playing a contract over some months without billing it. Owns which of its time is played, and how what it comes to is
told by period and by month.

Which time is due, and what it costs, is decided where bills are made: `dues` and `rating`. So a simulation of the past
comes to what was billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from moneyed import Money

from billing.domain import dues, periods
from billing.domain.rating import ItemKind, RatedItem
from billing.domain.standing import Billed, Due, FixedTimes, Standing
from config.kernel import dates, errors, money
from config.kernel.dates import Period

MAX_MONTHS = 120
DEFAULT_MONTHS = 3
EARLIEST, LATEST = date(1970, 1, 1), date(2200, 1, 1)
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)


class InvalidFrame(errors.Invalid):
    """The time to be played is none, or too long."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Local days, the last one excluded. What is played is all time whose period starts on one of them."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if not self.first < self.end <= dates.add_months(self.first, MAX_MONTHS):
            raise InvalidFrame(
                "invalid_date",
                f"A simulation plays from one day to a later one, {MAX_MONTHS // 12} years at most.",
                {"to": ["invalid_date"]},
            )

    def holds(self, at: datetime, tz: ZoneInfo) -> bool:
        """Say whether an instant is on one of the days."""
        return self.first <= dates.local_date(at, tz) < self.end

    @property
    def months(self) -> list[date]:
        """Return the first days of the calendar months that the days are in."""
        found = [self.first.replace(day=1)]
        while (month := dates.add_months(found[-1], 1)) < self.end:
            found.append(month)
        return found


def frame(*, today: date, months: int | None, first: date | None, end: date | None, ahead: bool) -> Frame:
    """Return the days from `first` to `end`, or else so many calendar months: those that are over, or those `ahead`.

    Months count from `first`, or back from `end`, where only one of them is given; three unless told. Raises
    InvalidFrame, also where all three are given.
    """
    if any(day is not None and not EARLIEST <= day < LATEST for day in (first, end)):
        raise InvalidFrame(
            "value_is_out_of_range",
            f"A simulation plays days from {EARLIEST} up to {LATEST}.",
            {"from": ["value_is_out_of_range"]},
        )
    if first is not None and end is not None:
        if months is not None:
            raise InvalidFrame(
                "invalid_date", "Give the months, or both the first and the last day.", {"months": ["invalid_date"]}
            )
        return Frame(first, end)
    count = _count(DEFAULT_MONTHS if months is None else months)
    if first is not None:
        return Frame(first, dates.add_months(first, count))
    if end is not None:
        return Frame(dates.add_months(end, -count), end)
    this = today.replace(day=1)
    return Frame(this, dates.add_months(this, count)) if ahead else Frame(dates.add_months(this, -count), this)


def begun(where: Standing, *, created_at: datetime, bills_backdated: bool) -> Standing:
    """Return where a contract stood before anything of it was billed, also one that has ended since.

    A trial that had ended when the contract was made is dealt with, unless elapsed periods are billed.
    """
    trial_is_over = where.trial_ends_at is not None and where.trial_ends_at <= created_at and not bills_backdated
    fresh = replace(where, trial_is_over=trial_is_over)
    first = dues.first_billing_date(
        fresh.billing_schedule,
        started_at=fresh.started_at,
        created_at=created_at,
        bills_backdated=bills_backdated,
        bills_start=dues.bills_opening(fresh),
    )
    return replace(fresh, next_billing_date=first)


def stretches(where: Standing, *, frame: Frame, ends_as_agreed: bool = True) -> list[Due]:
    """Return the time that a contract that has just begun bills of all periods that start in the frame, oldest first.

    One that was ended without having agreed on it had been billed until then, on the very day of its end as well.

    Plan fee and usage count where their own time starts, so that it does not matter whether a plan is paid in advance.
    The period that the frame ends in is played to its end.
    """
    zone = where.schedule.timezone
    as_of = dates.start_of_day(periods.period_on(where.schedule, frame.end - _DAY).next_first_day, zone)
    if where.started_at >= as_of:
        return []
    ends = where.ends_at is not None and where.ends_at <= as_of
    playing = replace(where, is_terminated=ends, next_billing_date=max(where.next_billing_date, frame.first))
    before: list[Due] = []
    if ends and not ends_as_agreed and playing.ends_at is not None:
        before, playing = _until_the_end(playing, playing.ends_at)
    billed = [
        Billed(
            due.billing_date,
            due.fee,
            due.charges,
            bills_fee=due.bills_fee,
            fixed=due.fixed,
            commitment=None if due.commitment is None else due.commitment.period,
        )
        for due in before
    ]
    after = dues.due(playing, as_of=as_of, catch_up=True, billed=billed)
    found = [_inside(due, frame, zone) for due in (*before, *after)]
    return [due for due in found if due is not None]


def _until_the_end(where: Standing, end: datetime) -> tuple[list[Due], Standing]:
    """Return what a contract of which nobody knew that it would end had billed by then, and where it stood."""
    running = replace(where, is_terminated=False, ends_at=None)
    last = end - _INSTANT
    if last < where.started_at:
        return [], where
    found = dues.due(running, as_of=last, catch_up=True)
    following = dues.next_billing_date(running, as_of=last) or where.next_billing_date
    trial_is_over = where.trial_is_over or (where.trial_ends_at is not None and where.trial_ends_at <= last)
    next_billing_date = max(where.next_billing_date, following)
    return found, replace(where, next_billing_date=next_billing_date, trial_is_over=trial_is_over)


def _inside(due: Due, frame: Frame, zone: ZoneInfo) -> Due | None:
    bills_fee = due.bills_fee and frame.holds(due.fee.start, zone)
    has_usage = not due.charges.is_empty and frame.holds(due.charges.start, zone)
    arrears, advance = (
        time if time is not None and frame.holds(time.start, zone) else None
        for time in (due.fixed.arrears, due.fixed.advance)
    )
    fixed = FixedTimes(arrears=arrears, advance=advance)
    # All that counts against a minimum starts after its interval does, so that it is played as well.
    commits = due.commitment is not None and frame.holds(due.commitment.period.start, zone)
    if not bills_fee and not has_usage and not fixed and not commits:
        return None
    charges = due.charges if has_usage else Period(due.charges.end, due.charges.end)
    commitment = due.commitment if commits else None
    return replace(due, bills_fee=bills_fee, charges=charges, fixed=fixed, commitment=commitment)


def _count(count: int) -> int:
    if not 1 <= count <= MAX_MONTHS:
        raise InvalidFrame(
            "value_is_out_of_range",
            f"A simulation plays 1 to {MAX_MONTHS} months.",
            {"months": ["value_is_out_of_range"]},
        )
    return count


@dataclass(frozen=True, slots=True)
class PlayedLine:
    """A line that an invoice would have, without tax: the plan's fee, a fixed charge, the usage of a charge, filter and
    group, or what is missing to a minimum commitment.

    `code` and `name` are those of the plan or the charge, `metric_code` that of what is counted.
    """

    kind: ItemKind
    code: str
    name: str
    units: Decimal
    events_count: int
    amount: Money
    metric_code: str = ""
    filter_name: str = ""
    group: Mapping[str, str | None] = field(default_factory=dict)
    is_true_up: bool = False


@dataclass(frozen=True, slots=True)
class PlayedPeriod:
    """The local days of a period, the last one included, and what they come to."""

    first_day: date
    last_day: date
    lines: tuple[PlayedLine, ...]

    @property
    def fees(self) -> Decimal:
        """Return the plan's fee, in major units."""
        return _total(line for line in self.lines if line.kind is ItemKind.SUBSCRIPTION)

    @property
    def total(self) -> Decimal:
        """Return all of it, in major units."""
        return _total(self.lines)


@dataclass(frozen=True, slots=True)
class Played:
    """What a contract comes to on one plan, by period; the amounts are those of invoice lines, without tax."""

    currency: str
    periods: tuple[PlayedPeriod, ...]

    @property
    def total(self) -> Decimal:
        """Return the sum of all periods, in major units."""
        return sum((period.total for period in self.periods), Decimal(0))

    @property
    def by_month(self) -> dict[date, Decimal]:
        """Return the sums by the calendar month that the periods start in, in major units."""
        found: dict[date, Decimal] = {}
        for period in self.periods:
            month = period.first_day.replace(day=1)
            found[month] = found.get(month, Decimal(0)) + period.total
        return found


def told(*, currency: str, tz: ZoneInfo, items: Sequence[tuple[RatedItem, PlayedLine]]) -> Played:
    """Return rated items by the local days of their time, the oldest first, each with the line that it becomes."""
    found: dict[tuple[date, date], list[PlayedLine]] = {}
    for item, line in items:
        days = item.period.first_day(tz), item.period.last_day(tz)
        found.setdefault(days, []).append(line)
    return Played(currency, tuple(PlayedPeriod(*days, tuple(lines)) for days, lines in sorted(found.items())))


def together(parts: Sequence[Played]) -> Played:
    """Return several contracts in one currency as one. Raises ValueError for several currencies, or no contract."""
    [currency] = {part.currency for part in parts}
    found: dict[tuple[date, date], list[PlayedLine]] = {}
    for part in parts:
        for period in part.periods:
            found.setdefault((period.first_day, period.last_day), []).extend(period.lines)
    return Played(currency, tuple(PlayedPeriod(*days, tuple(lines)) for days, lines in sorted(found.items())))


def _total(lines: Iterable[PlayedLine]) -> Decimal:
    return sum((line.amount.amount for line in lines), Decimal(0))


def minor(value: Decimal, currency: str) -> int:
    """Return the minor units of an amount in major units that is rounded to the currency."""
    return money.to_minor(Money(value, currency))

"""Usage that stays until it is taken back, such as seats, priced for the days that it is there. Owns how days count.

What was carried over from before counts from the first day billed, what came later from its own local day on, up to
the last day billed or the day on which it was removed. Both ends count in full, and the share is of the days of the
whole period. Hours and daylight saving do not matter.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.values import Movement
from config.kernel import dates, money

ZERO = Decimal(0)
ONE = Decimal(1)
_PLACES = 5


@dataclass(frozen=True, slots=True)
class Held:
    """A change by so many units, which count for so many days. A removal whose units are counted already has none."""

    units: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class DaysChange:
    """What the events of one local day (none: of all time before) change a sum by, and its peak during that day."""

    day: date | None
    units: Decimal
    peak: Decimal


@dataclass(frozen=True, slots=True)
class Prorated:
    """Changes in their order in time, in a period of `of_days` days. `full_units` is what is there at the end."""

    kind: Aggregation
    events_count: int
    full_units: Decimal
    held: tuple[Held, ...]
    of_days: int

    def __post_init__(self) -> None:
        if self.of_days <= 0:
            raise ValueError(f"A period of {self.of_days} days holds nothing.")


def value(facts: Prorated) -> Decimal:
    """Return the prorated units: units times days by the days of the period, summed and rounded up to 5 decimals."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        total = sum((change.units * change.days for change in facts.held), ZERO)
        return money.ceil_to(total / facts.of_days, _PLACES)


def movements(*, held: Sequence[Held], of_days: int) -> tuple[Movement, ...]:
    """Return the changes with their prorated units, unrounded, as graduated prices take them."""
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return tuple(Movement(change.units, change.units * change.days / of_days) for change in held)


def by_days(held: Iterable[Held]) -> tuple[Held, ...]:
    """Return one change for each number of days, the longest first: all that matters where order does not."""
    found: dict[int, Decimal] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for change in held:
            found[change.days] = found.get(change.days, ZERO) + change.units
    return tuple(Held(units, days) for days, units in sorted(found.items(), reverse=True) if units and days)


def of_sum(
    *, changes: Iterable[DaysChange], first_day: date, last_day: date, carried_last_day: date | None = None
) -> Iterator[Held]:
    """Yield the changes of a sum, in the order of days, with the days that they count for.

    What was carried over counts up to `carried_last_day`, if that is another one.
    Where the sum was higher during a day than at its end, it is raised first and then lowered: a range of prices that
    was reached stays reached.
    """
    for change in changes:
        until = (carried_last_day or last_day) if change.day is None else last_day
        days = _days(change.day, first_day, until)
        if change.peak > max(change.units, ZERO):
            yield Held(change.peak, days)
            yield Held(change.units - change.peak, days)
        elif change.units:
            yield Held(change.units, days)


def stays(operations: Iterable[tuple[date, str]]) -> list[tuple[date, date | None]]:
    """Return the first and the last day of each stay of one unique value (no last day: it is still there).

    Operations are "remove" or anything else, which adds, in their order in time. Repeating one changes nothing, nor
    does removing what is not there; removed and added again on one day, the value never left.
    """
    found: list[tuple[date, date | None]] = []
    for day, operation in operations:
        is_there = bool(found) and found[-1][1] is None
        if operation == "remove" and is_there:
            found[-1] = (found[-1][0], day)
        elif operation != "remove" and not is_there:
            if found and found[-1][1] == day:
                found[-1] = (found[-1][0], None)
            else:
                found.append((day, None))
    return found


def _days(day: date | None, first_day: date, last_day: date) -> int:
    start = first_day if day is None else max(day, first_day)
    return max(dates.days_between(start, last_day) + 1, 0)

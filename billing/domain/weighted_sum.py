"""The weighted sum: the average level over a period, as of gigabytes stored or machines running. Owns its formula.

Every event changes the level by its value. A level counts for the seconds that it is held, until the next change or the
end of the time billed, as a share of the seconds of the whole period. What each change adds does not depend on the
others, so parts of the usage add up in any order.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from config.kernel import errors, money

ZERO = Decimal(0)
_PLACES = 20
_SECOND = Decimal(10**6)
_MICROSECOND = timedelta(microseconds=1)


class NoCommonPeriod(errors.Invalid):
    """Levels of periods of different lengths do not add up."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """Levels held: `area` is the sum of level times seconds, `seconds` what the period has of them, `level` the last.

    Without events there is no period, and nothing is held.
    """

    events_count: int = 0
    area: Decimal = ZERO
    level: Decimal = ZERO
    seconds: Decimal | None = None

    def __post_init__(self) -> None:
        if self.seconds is not None and self.seconds <= 0:
            raise ValueError(f"A period of {self.seconds} seconds holds nothing.")


def held(
    *, changes: Iterable[tuple[datetime, Decimal]], start: datetime, end: datetime, seconds: Decimal, before: Decimal
) -> Weighted:
    """Return the levels held from `start` to `end` after changes in any order, beginning with the level `before`.

    `seconds` are those of the whole period. A change before the start counts from the start on.
    """
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        level, area, count = before, before * _seconds(start, end), 0
        for at, value in changes:
            count += 1
            level += value
            area += value * _seconds(max(at, start), end)
        return Weighted(count, area, level, seconds)


def value(facts: Weighted) -> Decimal:
    """Return the average level over the whole period, rounded up to 20 decimals."""
    if facts.seconds is None:
        return ZERO
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return money.ceil_to(facts.area / facts.seconds, _PLACES)


def merge(first: Weighted, second: Weighted) -> Weighted:
    """Put two parts of the usage of one period together. Raises NoCommonPeriod for parts of different ones."""
    lengths = {part.seconds for part in (first, second) if part.seconds is not None}
    if len(lengths) > 1:
        raise NoCommonPeriod("cannot_merge", "These levels are of periods of different lengths.")
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return Weighted(
            events_count=first.events_count + second.events_count,
            area=first.area + second.area,
            level=first.level + second.level,
            seconds=next(iter(lengths), None),
        )


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal(max((end - start) // _MICROSECOND, 0)) / _SECOND

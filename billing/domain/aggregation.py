"""Units from usage. Owns the facts that the database returns for a stretch of usage, how facts of parts of it are put
together, and the units they mean.

One type per kind of aggregation, because what may be added differs: counts and sums add up, maxima and latest values
compete, and unique values can only be united, not counted twice.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_never

from billing.domain import prorated_usage, weighted_sum
from billing.domain.prorated_usage import Prorated
from billing.domain.weighted_sum import Weighted
from catalog.domain import rounding
from catalog.domain.metrics import Aggregation
from catalog.domain.rounding import Rounding
from config.kernel import errors, money

ZERO = Decimal(0)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Count:
    """A number of events."""

    events_count: int = 0


@dataclass(frozen=True, slots=True)
class Sum:
    """The sum of the values of events."""

    events_count: int = 0
    total: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Maximum:
    """The highest value of events; none without events."""

    events_count: int = 0
    highest: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Latest:
    """The value of the last event, its instant, and what decides between events of one instant (the higher wins)."""

    events_count: int = 0
    value: Decimal | None = None
    at: datetime | None = None
    order: str = ""


@dataclass(frozen=True, slots=True)
class Unique:
    """How many different values there are: values whose last operation added them.

    `values` are the values themselves, which putting parts together needs; without them only the number is known.
    """

    events_count: int = 0
    count: int = 0
    values: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.values is not None and len(self.values) != self.count:
            raise ValueError(f"{len(self.values)} values are not {self.count}.")


Facts = Count | Sum | Maximum | Latest | Unique | Weighted | Prorated


class CannotMerge(errors.Invalid):
    """The facts of these parts do not tell the facts of the whole."""


def of(
    *, kind: Aggregation, events_count: int, value: Decimal | None = None, at: datetime | None = None, order: str = ""
) -> Facts:
    """Return the facts of a row that the database aggregated: the number of events and the kind's own figure.

    The figure is missing where no event counts, and is not read for a count or a weighted sum, which has its own facts.
    `at` and `order` belong to the latest value.
    """
    match kind:
        case Aggregation.COUNT:
            return Count(events_count)
        case Aggregation.SUM:
            return Sum(events_count, ZERO if value is None else value)
        case Aggregation.MAX:
            return Maximum(events_count, value)
        case Aggregation.LATEST:
            return Latest(events_count, value, at, order)
        case Aggregation.UNIQUE_COUNT:
            return Unique(events_count, 0 if value is None else int(value))
        case Aggregation.WEIGHTED_SUM:
            return Weighted(events_count)
    assert_never(kind)


def kind(facts: Facts) -> Aggregation:
    """Return the kind of aggregation that these facts belong to."""
    match facts:
        case Count():
            return Aggregation.COUNT
        case Sum():
            return Aggregation.SUM
        case Maximum():
            return Aggregation.MAX
        case Latest():
            return Aggregation.LATEST
        case Unique():
            return Aggregation.UNIQUE_COUNT
        case Weighted():
            return Aggregation.WEIGHTED_SUM
        case Prorated():
            return facts.kind
    assert_never(facts)


def active_values(operations: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the values that are there after operations `(value, "add" | "remove")` in their order in time.

    Repeating an operation changes nothing, nor does removing what was never added.
    """
    active: set[str] = set()
    for value, operation in operations:
        if operation == "remove":
            active.discard(value)
        else:
            active.add(value)
    return frozenset(active)


def merge(first: Facts, second: Facts) -> Facts:
    """Put the facts of two parts of the usage together; neither the order nor the cut matters.

    Raises CannotMerge for facts of different kinds, for unique counts whose values are not known, and for prorated
    units, whose order in time is lost in parts.
    """
    events_count = first.events_count + second.events_count
    match first, second:
        case Count(), Count():
            return Count(events_count)
        case Sum(), Sum():
            with decimal.localcontext(money.DECIMAL_CONTEXT):
                return Sum(events_count, first.total + second.total)
        case Maximum(), Maximum():
            found = [part.highest for part in (first, second) if part.highest is not None]
            return Maximum(events_count, max(found, default=None))
        case Latest(), Latest():
            last = max(first, second, key=_when)
            return Latest(events_count, last.value, last.at, last.order)
        case Unique(), Unique():
            return _unite(first, second)
        case Weighted(), Weighted():
            return weighted_sum.merge(first, second)
    raise CannotMerge("cannot_merge", f"{kind(first)} and {kind(second)} do not add up to one figure.")


def units(*, facts: Facts, rounding_rule: Rounding | None = None) -> Decimal:
    """Return the units that facts mean, rounded as the metric says, last of all.

    They are negative where the events take back more than there was; such units cost nothing and are shown as none.
    """
    return counted(kind=kind(facts), value=value(facts), rounding_rule=rounding_rule)


def counted(*, kind: Aggregation, value: Decimal, rounding_rule: Rounding | None = None) -> Decimal:
    """Return the units that a value means, rounded as the metric says. A latest value below nothing is nothing."""
    rounded = rounding.apply(value=value, rounding=rounding_rule)
    return max(rounded, ZERO) if kind is Aggregation.LATEST else rounded


def full_units(*, facts: Facts, rounding_rule: Rounding | None = None) -> Decimal | None:
    """Return the units that are there at the end where facts count their days, rounded as the metric says."""
    if not isinstance(facts, Prorated):
        return None
    return max(rounding.apply(value=facts.full_units, rounding=rounding_rule), ZERO)


def shown_units(*, facts: Facts, rounding_rule: Rounding | None = None) -> Decimal:
    """Return the units that are shown of facts, rounded as the metric says: all that are there where days count."""
    full = full_units(facts=facts, rounding_rule=rounding_rule)
    return max(units(facts=facts, rounding_rule=rounding_rule), ZERO) if full is None else full


def total_units(facts: Facts) -> Decimal | None:
    """Return the level at the end where the units are an average over time, and nothing where they are the total."""
    return max(facts.level, ZERO) if isinstance(facts, Weighted) else None


def value(facts: Facts) -> Decimal:
    """Return the aggregated value itself: not rounded, and negative where the events say so."""
    match facts:
        case Count():
            return Decimal(facts.events_count)
        case Sum():
            return facts.total
        case Maximum():
            return ZERO if facts.highest is None else facts.highest
        case Latest():
            return ZERO if facts.value is None else facts.value
        case Unique():
            return Decimal(facts.count)
        case Weighted():
            return weighted_sum.value(facts)
        case Prorated():
            return prorated_usage.value(facts)
    assert_never(facts)


def _when(facts: Latest) -> tuple[bool, datetime, str, Decimal]:
    return (facts.at is not None, facts.at or _BEFORE_ALL, facts.order, ZERO if facts.value is None else facts.value)


def _unite(first: Unique, second: Unique) -> Unique:
    events_count = first.events_count + second.events_count
    known = [part.values if part.count else frozenset[str]() for part in (first, second)]
    if known[0] is not None and known[1] is not None:
        values = known[0] | known[1]
        return Unique(events_count, len(values), values)
    if first.count and second.count:
        raise CannotMerge("cannot_merge", "Unique counts of two parts need the values to be put together.")
    return Unique(events_count, first.count + second.count)

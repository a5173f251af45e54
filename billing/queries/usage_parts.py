"""The parts that usage is shown in: a charge, in it filters and groups, and in those what they are broken down by.

Owns these values and their sums. Where the figures come from (events, invoice lines, a projection) is the reader's.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from moneyed import Money

from billing.domain.contract import FilterFacts
from billing.domain.pricing_units import PricingUnit
from catalog.domain import decimals
from config.kernel import money

ZERO = Decimal(0)

Breakdowns = tuple[Mapping[str, Any], ...]
"""Units by properties that are only shown, as a line stores them."""


class NamedCharge(Protocol):
    """What of a charge names it: the row of a version may be read from a price list or from what was billed."""

    @property
    def key(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def filters(self) -> tuple[FilterFacts, ...]: ...
    @property
    def pricing_unit(self) -> PricingUnit | None: ...


class NamedMetric(Protocol):
    """What of a metric names it."""

    @property
    def name(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def uuid(self) -> Any: ...
    @property
    def aggregation_type(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Projection:
    """What a bucket is expected to come to at the end of the period. The amount is rounded."""

    units: Decimal
    amount: Money
    breakdowns: Breakdowns = ()


@dataclass(frozen=True, slots=True)
class BucketUsage:
    """The usage of one filter, or of the charge's own price, and of one group. Amounts are rounded.

    ``total_units`` is the level at the end where ``units`` are an average over time. ``unit_amount`` is the amount in
    the charge's pricing unit, if it has one, rounded to its two decimals. ``gross`` is the agreed price where that
    includes its taxes: amount and tax add up to it.
    """

    price_filter: FilterFacts | None
    group: Mapping[str, str | None]
    units: Decimal
    events_count: int
    amount: Money
    total_units: Decimal
    tax: Money
    unit_amount: Decimal = ZERO
    breakdowns: Breakdowns = ()
    projection: Projection | None = None
    gross: Money | None = None


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """The usage of one charge, or of a part of it: the buckets (one without filters and groups), and their sum.

    ``extra`` is what the charge costs beside its usage: what it lacked to its minimum, net and tax.
    """

    charge: NamedCharge
    metric: NamedMetric
    currency: str
    buckets: tuple[BucketUsage, ...]
    extra: tuple[Money, Money] | None = None

    @property
    def units(self) -> Decimal:
        """Return the units of all buckets."""
        return _sum(bucket.units for bucket in self.buckets)

    @property
    def total_units(self) -> Decimal:
        """Return the levels at the end, where units are averages over time, else the units."""
        return _sum(bucket.total_units for bucket in self.buckets)

    @property
    def events_count(self) -> int:
        """Return the number of events of all buckets."""
        return sum(bucket.events_count for bucket in self.buckets)

    @property
    def amount(self) -> Money:
        """Return the sum of the buckets' rounded amounts, what came on top included."""
        own = sum((bucket.amount for bucket in self.buckets), money.zero(self.currency))
        return own if self.extra is None else own + self.extra[0]

    @property
    def tax(self) -> Money:
        """Return the sum of the taxes, rounded for each bucket as on invoice lines."""
        own = sum((bucket.tax for bucket in self.buckets), money.zero(self.currency))
        return own if self.extra is None else own + self.extra[1]

    @property
    def gross(self) -> Money:
        """Return the amount with its taxes."""
        return self.amount + self.tax

    @property
    def unit_amount(self) -> Decimal:
        """Return the amount in the charge's pricing unit."""
        return _sum(bucket.unit_amount for bucket in self.buckets)

    @property
    def breakdowns(self) -> Breakdowns:
        """Return the units by properties that are only shown; those of the same values are put together."""
        return _put_together(bucket.breakdowns for bucket in self.buckets)

    @property
    def projected_units(self) -> Decimal:
        """Return the units that are expected at the end of the period."""
        return _sum(bucket.projection.units for bucket in self.buckets if bucket.projection)

    @property
    def projected_amount(self) -> Money:
        """Return the amount that is expected at the end of the period."""
        found = (bucket.projection.amount for bucket in self.buckets if bucket.projection)
        return sum(found, money.zero(self.currency))

    @property
    def projected_breakdowns(self) -> Breakdowns:
        """Return the breakdowns that are expected at the end of the period."""
        return _put_together(bucket.projection.breakdowns for bucket in self.buckets if bucket.projection)

    def by_filter(self) -> list[tuple[FilterFacts | None, ChargeUsage]]:
        """Return the usage of each filter, what no filter takes last; groups are put together."""
        wanted: tuple[FilterFacts | None, ...] = (*self.charge.filters, None)
        return [(one, self._part([bucket for bucket in self.buckets if bucket.price_filter == one])) for one in wanted]

    def by_group(self) -> list[tuple[Mapping[str, str | None], ChargeUsage]]:
        """Return the usage of each group; filters are put together. Without groups there is nothing to return."""
        found: dict[tuple[tuple[str, str | None], ...], list[BucketUsage]] = {}
        for bucket in self.buckets:
            found.setdefault(tuple(bucket.group.items()), []).append(bucket)
        return [(dict(group), self._part(buckets)) for group, buckets in found.items()] if any(found) else []

    def _part(self, buckets: Sequence[BucketUsage]) -> ChargeUsage:
        return replace(self, buckets=tuple(buckets), extra=None)


def _sum(figures: Iterable[Decimal]) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return sum(figures, ZERO)


def _put_together(found: Iterable[Breakdowns]) -> Breakdowns:
    units: dict[tuple[tuple[str, str | None], ...], Decimal] = {}
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for row in (row for rows in found for row in rows):
            by = tuple(row["presentation_by"].items())
            units[by] = units.get(by, ZERO) + Decimal(row["units"])
    return tuple({"presentation_by": dict(by), "units": decimals.text(total)} for by, total in units.items())

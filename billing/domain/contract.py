"""What rating is given: the facts of one subscription for one invoice. Owns these values; computes nothing with them.

Ids are whatever the caller knows things by; rating hands them back and writes them into traces.
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from moneyed import Money

from billing.domain import aggregation
from billing.domain.aggregation import Facts
from billing.domain.fixed_charges import FixedChargeFacts
from billing.domain.minimums import Minimum
from billing.domain.pricing_units import PricingUnit
from billing.domain.proration import Share
from catalog.domain.metrics import Aggregation
from catalog.domain.pricing.models import ChargeModel
from catalog.domain.rounding import Rounding
from config.kernel import money
from config.kernel.dates import Period

Id = int | str


@dataclass(frozen=True, slots=True)
class PlanFeeFacts:
    """The plan's own price: of a whole period, the share of it that is due, and the time that the share is for."""

    amount: Money
    share: Share
    period: Period
    name: str = ""


@dataclass(frozen=True, slots=True)
class FilterFacts:
    """Another price of a charge, for the usage of this filter: properties and values as the API has them."""

    id: Id
    properties: Mapping[str, object]
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A part of a bucket's usage: of the events whose properties have these values. It is shown, not priced."""

    by: Mapping[str, str | None]
    facts: Facts


def breakdowns(first: Sequence[Breakdown], second: Sequence[Breakdown]) -> tuple[Breakdown, ...]:
    """Put the breakdowns of two parts of a bucket together. Raises CannotMerge where facts do not add up."""
    found: dict[tuple[tuple[str, str | None], ...], Breakdown] = {}
    for one in (*first, *second):
        key = tuple(sorted(one.by.items()))
        found[key] = Breakdown(one.by, aggregation.merge(found[key].facts, one.facts)) if key in found else one
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """The usage of one filter (none: the charge's own price) and one group.

    `digest` is the sum of the events' fingerprints. `values` are the events' values in their order, `given_amount` is
    the amount in major units that the events carried; only some charge models read them. `breakdowns` are the facts of
    parts of it by properties that are only shown.
    """

    facts: Facts
    filter_id: Id | None = None
    group: Mapping[str, str | None] = field(default_factory=dict)
    digest: int = 0
    values: tuple[Decimal, ...] = ()
    given_amount: Decimal = Decimal(0)
    breakdowns: tuple[Breakdown, ...] = ()

    @property
    def key(self) -> tuple[Id | None, tuple[tuple[str, str | None], ...]]:
        """Return what tells buckets apart: the filter and the group."""
        return self.filter_id, tuple(sorted(self.group.items()))

    def merged(self, other: UsageFacts) -> UsageFacts:
        """Return the usage of two parts of one bucket. Raises CannotMerge where the parts do not tell the whole."""
        if self.key != other.key or (self.values and other.values):
            raise aggregation.CannotMerge("cannot_merge", "These are not parts of one bucket of usage.")
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            given_amount = self.given_amount + other.given_amount
        return UsageFacts(
            facts=aggregation.merge(self.facts, other.facts),
            filter_id=self.filter_id,
            group=self.group,
            digest=self.digest + other.digest,
            values=self.values or other.values,
            given_amount=given_amount,
            breakdowns=breakdowns(self.breakdowns, other.breakdowns),
        )


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """One charge, its prices, and its usage in the period.

    `usage` may hold several parts of a bucket; buckets without usage need not be given. Where the properties name keys
    of groups, every group is priced alone. The `minimum` is what all of it costs at least. With a `pricing_unit` the
    prices are in that unit, and what they come to is converted.
    """

    id: Id
    code: str
    metric_code: str
    aggregation: Aggregation
    model: ChargeModel
    properties: Mapping[str, object]
    period: Period
    usage: Sequence[UsageFacts] = ()
    filters: Sequence[FilterFacts] = ()
    rounding: Rounding | None = None
    name: str = ""
    minimum: Minimum | None = None
    pricing_unit: PricingUnit | None = None


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """One subscription on one version of a plan, for one invoice."""

    subscription_id: Id
    plan_id: Id
    plan_version: int
    currency: str
    timezone: str = "UTC"
    fee: PlanFeeFacts | None = None
    charges: Sequence[ChargeFacts] = ()
    fixed_charges: Sequence[FixedChargeFacts] = ()

    def __post_init__(self) -> None:
        if self.fee is not None and self.fee.amount.currency.code != self.currency:
            raise ValueError(f"A fee in {self.fee.amount.currency.code} on a contract in {self.currency}.")

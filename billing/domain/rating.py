"""Rating: from the facts of a subscription to the items that an invoice bills. Owns which items there are and rounding
each of them once; the prices are catalog's, periods and shares come with the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from moneyed import Money

from billing.domain import aggregation, trace
from billing.domain.contract import ChargeFacts, ContractFacts, FilterFacts, Id, PlanFeeFacts, UsageFacts
from billing.domain.proration import Share
from billing.domain.trace import Trace
from catalog.domain.pricing import models, properties, values
from config.kernel import errors, money
from config.kernel.dates import Period

ONE = Decimal(1)


class ItemKind(StrEnum):
    """What an item bills."""

    SUBSCRIPTION = "subscription"
    CHARGE = "charge"


class UnknownFilter(errors.Invalid):
    """Usage was counted for a filter that the charge does not have: billing it at another price would be wrong."""


@dataclass(frozen=True, slots=True)
class RatedItem:
    """One line to be billed.

    `precise_amount` is in major units and unrounded, `amount` is it rounded once to the currency. `amount_details` is
    what the API shows as such. `share` is the plan fee's. `trace` tells how the amount came about; its digest is
    `trace.digest`.
    """

    kind: ItemKind
    units: Decimal
    events_count: int
    precise_amount: Decimal
    amount: Money
    unit_amount: Decimal
    period: Period
    trace: Trace
    charge_id: Id | None = None
    filter_id: Id | None = None
    group: Mapping[str, str] = field(default_factory=dict)
    share: Share | None = None
    amount_details: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[values.Step, ...] = ()
    name: str = ""
    filter_name: str = ""
    filter_values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to show: no units, no amount and no events."""
        return not self.units and not self.precise_amount and not self.events_count


def rate(facts: ContractFacts) -> list[RatedItem]:
    """Rate a subscription for an invoice: the plan fee first, then for each charge its own price and its filters.

    Every filter is rated even without usage, because some prices have flat amounts for no units; items without units,
    amount and events are left out. A plan that costs nothing has no fee, one that does has one even for no day. Amounts
    are rounded once per item, half up, to the currency. Raises InvalidProperties for properties that do not price,
    UnknownFilter for usage of a filter that is not there, CannotMerge for parts of usage that do not add up.
    """
    items = [_plan_fee(facts, facts.fee)] if facts.fee is not None and facts.fee.amount.amount else []
    for charge in facts.charges:
        items += [item for item in _charge(facts, charge) if not item.is_empty]
    return items


def _plan_fee(contract: ContractFacts, fee: PlanFeeFacts) -> RatedItem:
    precise = fee.share.of(fee.amount.amount)
    amount = money.quantize(precise, currency=contract.currency)
    return RatedItem(
        kind=ItemKind.SUBSCRIPTION,
        units=ONE,
        events_count=0,
        precise_amount=precise,
        amount=Money(amount, contract.currency),
        unit_amount=amount,
        period=fee.period,
        trace=trace.of_fee(contract=contract, fee=fee),
        share=fee.share,
        amount_details={"plan_amount_cents": money.to_minor(fee.amount)},
        name=fee.name,
    )


def _charge(contract: ContractFacts, charge: ChargeFacts) -> Iterator[RatedItem]:
    buckets = _buckets(charge)
    prices: list[FilterFacts | None] = [None, *charge.filters]
    for filter_ in prices:
        raw = charge.properties if filter_ is None else filter_.properties
        terms = properties.parse(model=charge.model, raw=raw)
        for usage in buckets[None if filter_ is None else filter_.id]:
            yield _usage(contract, charge, filter_, terms, usage)


def _buckets(charge: ChargeFacts) -> dict[Id | None, list[UsageFacts]]:
    """Return the usage by filter, parts put together, with an empty bucket where there is none."""
    merged: dict[object, UsageFacts] = {}
    for usage in charge.usage:
        if aggregation.kind(usage.facts) is not charge.aggregation:
            raise aggregation.CannotMerge(
                "cannot_merge", f"{charge.code} is not about {aggregation.kind(usage.facts)}."
            )
        merged[usage.key] = merged[usage.key].merged(usage) if usage.key in merged else usage
    buckets: dict[Id | None, list[UsageFacts]] = {None: [], **{filter_.id: [] for filter_ in charge.filters}}
    for usage in merged.values():
        if usage.filter_id not in buckets:
            raise UnknownFilter("charge_filter_not_found", f"{charge.code} has no filter {usage.filter_id}.")
        buckets[usage.filter_id].append(usage)
    for filter_id, found in buckets.items():
        if not found and not charge.group_keys:
            nothing = aggregation.of(kind=charge.aggregation, events_count=0)
            found.append(UsageFacts(nothing, filter_id=filter_id))
        found.sort(key=lambda usage: sorted(usage.group.items()))
    return buckets


def _usage(
    contract: ContractFacts,
    charge: ChargeFacts,
    filter_: FilterFacts | None,
    terms: models.Properties,
    usage: UsageFacts,
) -> RatedItem:
    units = aggregation.units(facts=usage.facts, rounding_rule=charge.rounding)
    priced = values.Usage(
        units=units,
        events_count=usage.facts.events_count,
        values=usage.values,
        given_amount=usage.given_amount,
    )
    result = models.price(properties=terms, usage=priced)
    return RatedItem(
        kind=ItemKind.CHARGE,
        units=units,
        events_count=usage.facts.events_count,
        precise_amount=result.amount,
        amount=Money(money.quantize(result.amount, currency=contract.currency), contract.currency),
        unit_amount=result.unit_amount,
        period=charge.period,
        trace=trace.of_usage(
            contract=contract, charge=charge, price_filter=filter_, terms=terms, usage=usage, result=result
        ),
        charge_id=charge.id,
        filter_id=None if filter_ is None else filter_.id,
        group=usage.group,
        amount_details=result.details,
        steps=result.steps,
        name=charge.name,
        filter_name="" if filter_ is None else filter_.name,
        filter_values={} if filter_ is None else filter_.values,
    )

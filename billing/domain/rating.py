"""Rating: from the facts of a subscription to the items that an invoice bills. Owns which items there are and rounding
each of them once; the prices are catalog's, periods and shares come with the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from moneyed import Money

from billing.domain import (
    aggregation,
    breakdowns,
    commitments,
    fixed_charges,
    held_trace,
    minimums,
    priced_usage,
    pricing_units,
    trace,
)
from billing.domain.commitments import CommitmentFacts
from billing.domain.contract import ChargeFacts, ContractFacts, FilterFacts, Id, PlanFeeFacts, UsageFacts
from billing.domain.fixed_charges import FixedChargeFacts
from billing.domain.proration import Share
from billing.domain.trace import Trace
from catalog.domain import decimals
from catalog.domain.pricing import groups, models, presentation, properties, values
from config.kernel import errors, money
from config.kernel.dates import Period

ONE = Decimal(1)


class ItemKind(StrEnum):
    """What an item bills."""

    SUBSCRIPTION = "subscription"
    CHARGE = "charge"
    FIXED_CHARGE = "fixed_charge"
    COMMITMENT = "commitment"


class UnknownFilter(errors.Invalid):
    """Usage was counted for a filter that the charge does not have: billing it at another price would be wrong."""


@dataclass(frozen=True, slots=True)
class RatedItem:
    """One line to be billed.

    `units` are those that are there at the end where days are counted. `precise_amount` is in major units and
    unrounded, `amount` is it rounded once to the currency. `amount_details` is what the API shows as such. `share` is
    the plan fee's. `trace` tells how the amount came about; its digest is `trace.digest`. `is_true_up` says that the
    item brings a charge up to its minimum. `total_units`, `pricing_unit` and `breakdowns` are what a line tells beside
    the amount (see `LineSpec`). `label` is what a person calls the line instead.
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
    fixed_charge_id: Id | None = None
    filter_id: Id | None = None
    group: Mapping[str, str | None] = field(default_factory=dict)
    share: Share | None = None
    amount_details: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[values.Step, ...] = ()
    name: str = ""
    filter_name: str = ""
    filter_values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_true_up: bool = False
    total_units: Decimal | None = None
    pricing_unit: Mapping[str, str] | None = None
    breakdowns: Sequence[Mapping[str, object]] = ()
    label: str = ""

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to show: no units, no amount and no events."""
        return not self.units and not self.precise_amount and not self.events_count


def rate(facts: ContractFacts) -> list[RatedItem]:
    """Rate a subscription for an invoice: the plan fee first, then for each charge its own price and its filters.

    Every filter is rated even without usage, because some prices have flat amounts for no units (such an amount is due
    once, in the group of no values, where a price has groups); items without units, amount and events are left out. A
    plan that costs nothing has no fee, one that does has one even for no day. Amounts are rounded once per item, half
    up, to the currency. What a charge lacks to its minimum follows its other items, the first of which is there even
    if it is empty; fixed charges come last. Raises InvalidProperties for properties that do not price, UnknownFilter
    for usage of a filter that is not there, CannotMerge for parts of usage that do not add up.
    """
    items = [_plan_fee(facts, facts.fee)] if facts.fee is not None and facts.fee.amount.amount else []
    for charge in facts.charges:
        rated = list(_charge(facts, charge))
        missing = _true_up(facts, charge, rated)
        items += [item for item in rated if not item.is_empty or (missing and item is rated[0])]
        items += missing
    return items + [item for fixed in facts.fixed_charges if (item := _fixed(facts, fixed)) is not None]


def rate_charge(*, contract: ContractFacts, charge: ChargeFacts) -> list[RatedItem]:
    """Rate one charge alone, without a minimum; items of nothing are there as well. Raises what `rate` raises."""
    return list(_charge(contract, charge))


def rate_commitment(*, contract: ContractFacts, commitment: CommitmentFacts) -> RatedItem | None:
    """Rate what is missing to a minimum commitment, rounded once, half up; nothing where nothing is missing."""
    precise = commitments.owed(commitment)
    amount = money.quantize(precise, currency=contract.currency)
    if not amount:
        return None
    share = commitment.minimum.share
    told = {
        "commitment": decimals.text(money.quantize(commitment.minimum.due, currency=contract.currency)),
        "counted": decimals.text(commitment.total),
    }
    return RatedItem(
        kind=ItemKind.COMMITMENT,
        units=ONE,
        events_count=0,
        precise_amount=precise,
        amount=Money(amount, contract.currency),
        unit_amount=amount,
        period=commitment.period,
        trace=trace.of_commitment(contract=contract, commitment=commitment),
        share=share,
        amount_details={**told, **_days(share)},
        name=commitment.name,
    )


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
        amount_details={"plan_amount_cents": money.to_minor(fee.amount), **_days(fee.share)},
        name=fee.name,
    )


def _days(share: Share) -> dict[str, object]:
    """Return what a line tells of its days: nothing where it is for a whole period."""
    return {} if share.days == share.of_days else {"days": share.days, "of_days": share.of_days}


def _fixed(contract: ContractFacts, charge: FixedChargeFacts) -> RatedItem | None:
    priced = fixed_charges.price(charge, currency=contract.currency)
    item = RatedItem(
        kind=ItemKind.FIXED_CHARGE,
        units=charge.units,
        events_count=0,
        precise_amount=priced.amount,
        amount=Money(money.quantize(priced.amount, currency=contract.currency), contract.currency),
        unit_amount=priced.price.unit_amount,
        period=charge.period,
        trace=trace.of_fixed(contract=contract, charge=charge, priced=priced),
        fixed_charge_id=charge.id,
        amount_details={**priced.price.details, **fixed_charges.told(charge, priced)},
        steps=priced.price.steps,
        name=charge.name,
    )
    # Fewer units within a period that is paid are told by an amount of nothing.
    return None if item.is_empty and charge.increase is None else item


def _true_up(contract: ContractFacts, charge: ChargeFacts, rated: Sequence[RatedItem]) -> list[RatedItem]:
    """Return the item that brings a charge up to its minimum, if its items, as they are billed, come to less."""
    if charge.minimum is None:
        return []
    used = sum((item.amount.amount for item in rated), values.ZERO)
    precise = minimums.missing(minimum=charge.minimum, used=used)
    amount = money.quantize(precise, currency=contract.currency)
    if not amount:
        return []
    return [
        RatedItem(
            kind=ItemKind.CHARGE,
            units=ONE,
            events_count=0,
            precise_amount=precise,
            amount=Money(amount, contract.currency),
            unit_amount=amount,
            period=charge.period,
            trace=trace.of_true_up(contract=contract, charge=charge, minimum=charge.minimum, used=used),
            charge_id=charge.id,
            share=charge.minimum.share,
            amount_details=_days(charge.minimum.share),
            name=f"{charge.name} – True-up",
            is_true_up=True,
        )
    ]


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
    prices: dict[Id | None, Mapping[str, object]] = {None: charge.properties}
    prices |= {filter_.id: filter_.properties for filter_ in charge.filters}
    buckets: dict[Id | None, list[UsageFacts]] = {filter_id: [] for filter_id in prices}
    for usage in merged.values():
        if usage.filter_id not in buckets:
            raise UnknownFilter("charge_filter_not_found", f"{charge.code} has no filter {usage.filter_id}.")
        buckets[usage.filter_id].append(usage)
    for filter_id, found in buckets.items():
        if not found:
            nothing = aggregation.of(kind=charge.aggregation, events_count=0)
            found.append(UsageFacts(nothing, filter_id=filter_id, group=groups.nowhere(prices[filter_id])))
        found.sort(key=_in_order)
    return buckets


def _in_order(usage: UsageFacts) -> list[tuple[str, bool, str]]:
    """Sort groups by their values, what has no value last."""
    return [(name, value is None, value or "") for name, value in sorted(usage.group.items(), key=lambda item: item[0])]


def _usage(
    contract: ContractFacts,
    charge: ChargeFacts,
    filter_: FilterFacts | None,
    terms: models.Properties,
    usage: UsageFacts,
) -> RatedItem:
    units = aggregation.units(facts=usage.facts, rounding_rule=charge.rounding)
    timed = held_trace.timed(facts=usage.facts, rounding_rule=charge.rounding)
    priced = priced_usage.usage(
        terms=terms,
        aggregation=charge.aggregation,
        units=units,
        events_count=usage.facts.events_count,
        found=usage.values,
        given_amount=usage.given_amount,
        timed=timed,
    )
    result = models.price(properties=terms, usage=priced)
    amount, unit_amount, unit = result.amount, result.unit_amount, charge.pricing_unit
    if unit is not None:
        amount = pricing_units.in_money(amount=amount, conversion_rate=unit.conversion_rate)
        unit_amount = pricing_units.unit_price(amount=unit_amount, conversion_rate=unit.conversion_rate)
    return RatedItem(
        kind=ItemKind.CHARGE,
        units=aggregation.shown_units(facts=usage.facts, rounding_rule=charge.rounding),
        events_count=usage.facts.events_count,
        precise_amount=amount,
        amount=Money(money.quantize(amount, currency=contract.currency), contract.currency),
        unit_amount=unit_amount,
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
        total_units=aggregation.total_units(usage.facts),
        pricing_unit=None
        if unit is None
        else pricing_units.details(unit=unit, amount=result.amount, unit_amount=result.unit_amount),
        breakdowns=breakdowns.shown(
            usage=usage, rounding_rule=charge.rounding, keys=presentation.parse(charge.properties)
        ),
    )

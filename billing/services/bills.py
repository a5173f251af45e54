"""From due time to invoice lines: usage is read for many subscriptions at once, rated, and put into words. Owns the
composition; which time is due, how it is rated and what an invoice does with its lines are next door.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from billing.domain import advance_renewals, held_time, identity, pauses, periods, plan_changes, rating, trace
from billing.domain.commitments import CommitmentFacts
from billing.domain.contract import ContractFacts, PlanFeeFacts, UsageFacts
from billing.domain.progressive import Taken
from billing.domain.rating import ItemKind, RatedItem
from billing.domain.standing import Due
from billing.models import RatedCharge
from billing.queries import aggregates, event_windows, price_lists
from billing.queries.contracts import Contract
from billing.queries.event_windows import Window
from billing.queries.price_lists import PricedCharge, PriceList
from billing.services import commitment_bills, fixed_bills
from billing.services.commitment_bills import Stretch
from config.kernel.dates import Period
from invoicing.domain.specs import LineSpec, ProgressiveCreditSpec

_LABEL_LENGTH = 512
_NAME_LENGTH = 255


class Reader(Protocol):
    """Whatever tells the usage in windows, by their ids: the stored events, or what a simulation supposes."""

    def __call__(self, *, windows: Sequence[Window]) -> Mapping[Hashable, Sequence[UsageFacts]]:
        """Return the parts of the usage."""


@dataclass(frozen=True, slots=True)
class Bill:
    """One due stretch of one subscription, rated. Without items there is nothing to bill.

    ``taken`` is what it takes off because it was billed progressively before.
    """

    contract: Contract
    due: Due
    price_list: PriceList
    items: tuple[RatedItem, ...]
    taken: Taken | None = None


def rate(
    *,
    wanted: Sequence[tuple[Contract, Due]],
    lists: Mapping[int, PriceList] | None = None,
    read: Reader = aggregates.usage,
    with_advance: bool = False,
    without_periods: Collection[int] = (),
) -> list[Bill]:
    """Rate due stretches in the order given, with a fixed number of queries for all of them.

    A simulation gives the price ``lists`` by the ids that its contracts know them by, may ``read`` other usage, and
    takes what is paid in advance ``with`` the period that it is used in; to a minimum commitment only what it plays
    counts. ``without_periods`` are billed ones that are computed anew here: see `commitment_bills`.
    Where no usage is due no charge is rated: flat amounts belong to a time. Amounts are rounded once per item, in the
    currency of the plan version. Raises what rating raises.
    """
    if lists is None:
        own = {contract.plan_version_id for contract, _ in wanted}
        following = {contract.next_plan_version_id for contract, _ in wanted if contract.next_plan_version_id}
        lists = price_lists.load(version_ids=own | following)
    held = [
        held_time.of(
            contract.standing.usage_schedule,
            due.charges,
            upgraded=_ends_by_upgrade(contract, due),
            skips_first_day=pauses.skips_first_day(contract.standing, due.charges),
        )
        for contract, due in wanted
    ]
    windows = [
        event_windows.of_charge(
            id=(number, charge.key),
            charge=charge,
            external_subscription_id=contract.external_id,
            period=due.charges,
            held=held[number],
            by_days=not charge.pay_in_advance,
        )
        for number, (contract, due) in enumerate(wanted)
        for charge in _charges(contract, due, lists, with_advance=with_advance)
    ]
    usage = read(windows=windows)
    fixed = fixed_bills.facts(wanted=wanted, lists=lists)
    rated: list[tuple[ContractFacts, Stretch]] = []
    for number, (contract, due) in enumerate(wanted):
        price_list = lists[contract.plan_version_id]
        share = pauses.share(
            contract.standing,
            contract.standing.usage_schedule,
            due.charges,
            upgraded=_ends_by_upgrade(contract, due),
        )
        facts = ContractFacts(
            subscription_id=contract.uuid,
            plan_id=price_list.plan_uuid,
            plan_version=price_list.number,
            currency=price_list.currency,
            timezone=contract.timezone,
            fee=_plan_fee(price_list, due),
            charges=[
                charge.facts(
                    period=due.charges if with_advance else _time(contract, due, charge),
                    usage=usage[number, charge.key],
                    share=share,
                )
                for charge in _charges(contract, due, lists, with_advance=with_advance)
            ],
            fixed_charges=fixed[number],
        )
        rated.append((facts, Stretch(contract, due, price_list, rating.rate(facts))))
    committed = commitment_bills.facts(
        stretches=[stretch for _, stretch in rated],
        reads_billed=not with_advance,
        without_periods=without_periods,
    )
    return [
        Bill(one.contract, one.due, one.price_list, (*one.items, *_missing(facts, commitment)))
        for (facts, one), commitment in zip(rated, committed, strict=True)
    ]


def lines(*, bill: Bill) -> Iterator[LineSpec]:
    """Yield an invoice line for each item of a bill, in the same order."""
    for position, (item, spec) in enumerate(zip(bill.items, _lines(bill), strict=True)):
        line = replace(spec, label=item.label) if item.label else spec
        share = None if bill.taken is None else bill.taken.shares[position]
        yield replace(line, progressive_credit=share) if share else line


def progressive_credits(*, members: Iterable[Bill]) -> tuple[ProgressiveCreditSpec, ...]:
    """Return what the bills of an invoice take off in all because it was billed progressively before."""
    taken = [bill.taken for bill in members if bill.taken is not None]
    return tuple(ProgressiveCreditSpec(one.source_id, one.amount, one.excess) for one in taken)


def _lines(bill: Bill) -> Iterator[LineSpec]:
    for item in bill.items:
        if item.kind is ItemKind.SUBSCRIPTION:
            yield _plan_line(bill, item, bill.price_list.tax_ids)
        elif item.kind is ItemKind.FIXED_CHARGE:
            yield fixed_bills.line(
                price_list=bill.price_list,
                item=item,
                group_key=bill.contract.external_id,
                group_label=_group_label(bill),
            )
        elif item.kind is ItemKind.COMMITMENT:
            yield _plan_line(bill, item, commitment_bills.tax_ids(bill.price_list))
        else:
            yield _usage_line(bill, item)


def rated_charges(*, bill: Bill) -> Iterator[RatedCharge]:
    """Yield an unsaved row for each item of a bill, in the same order; period and line are the caller's to set."""
    for item in bill.items:
        charge = None if item.charge_id is None else _charge(bill.price_list, item)
        fixed = None if item.fixed_charge_id is None else fixed_bills.charge_of(bill.price_list, item)
        yield RatedCharge(
            subscription_id=bill.contract.subscription_id,
            charge_id=None if charge is None else charge.id,
            charge_filter_id=None
            if charge is None or item.filter_id is None
            else charge.filter_ids[str(item.filter_id)],
            fixed_charge_id=None if fixed is None else fixed.id,
            item_key=key(item),
            group=dict(item.group),
            from_at=item.period.start,
            to_at=item.period.end,
            trace=item.trace,
            trace_sha256=trace.digest(item.trace),
        )


def key(item: RatedItem) -> int:
    """Return the key of an item that outlives the versions of a plan."""
    return identity.item_key(
        charge_key=None if item.charge_id is None else str(item.charge_id),
        filter_key=None if item.filter_id is None else str(item.filter_id),
        group=item.group,
        is_true_up=item.is_true_up,
        fixed_charge_key=None if item.fixed_charge_id is None else str(item.fixed_charge_id),
        is_commitment=item.kind is ItemKind.COMMITMENT,
    )


def parents(*, bill: Bill) -> list[int | None]:
    """Return for each item the position of the one that it tops up to the charge's minimum, the charge's first one."""
    first: dict[object, int] = {}
    for position, item in enumerate(bill.items):
        first.setdefault(item.charge_id, position)
    return [first[item.charge_id] if item.is_true_up else None for item in bill.items]


def _charges(contract: Contract, due: Due, lists: Mapping[int, PriceList], *, with_advance: bool) -> list[PricedCharge]:
    """Return the charges whose usage is due: at an upgrade without those whose carried units the new plan bills."""
    if due.charges.is_empty:
        return []
    own = lists[contract.plan_version_id].charges
    found = [charge for charge in own if with_advance or _is_due(contract, due, charge)]
    if contract.standing.paused_at is not None:
        natural = periods.period_at(contract.standing.usage_schedule, due.charges.start)
        found = [
            charge
            for charge in found
            if charge.pay_in_advance
            or not pauses.billed_before(
                contract.standing, natural, is_recurring=charge.metric.is_recurring, is_prorated=charge.counts_time
            )
        ]
    if not _ends_by_upgrade(contract, due) or contract.next_plan_version_id is None:
        return found
    following = {charge.metric.id for charge in lists[contract.next_plan_version_id].charges}
    return [
        charge
        for charge in found
        if (with_advance and charge.pay_in_advance)
        or not plan_changes.moves_on(
            is_recurring=charge.metric.is_recurring,
            is_prorated=charge.counts_time,
            is_followed=charge.metric.id in following,
        )
    ]


def _is_due(contract: Contract, due: Due, charge: PricedCharge) -> bool:
    """Leave out what is paid in advance: event by event, but for units that are there when the next period begins."""
    if not charge.pay_in_advance:
        return True
    renews = charge.metric.is_recurring and charge.invoiceable
    return renews and advance_renewals.coming(contract.standing, due) is not None


def _time(contract: Contract, due: Due, charge: PricedCharge) -> Period:
    coming = advance_renewals.coming(contract.standing, due) if charge.pay_in_advance else None
    return due.charges if coming is None else coming


def _ends_by_upgrade(contract: Contract, due: Due) -> bool:
    return due.is_last and contract.standing.is_upgraded


def _plan_fee(price_list: PriceList, due: Due) -> PlanFeeFacts | None:
    if not due.bills_fee:
        return None
    return PlanFeeFacts(amount=price_list.amount, share=due.share, period=due.fee, name=price_list.invoice_name)


def _missing(facts: ContractFacts, commitment: CommitmentFacts | None) -> Iterator[RatedItem]:
    item = None if commitment is None else rating.rate_commitment(contract=facts, commitment=commitment)
    if item is not None:
        yield item


def _charge(price_list: PriceList, item: RatedItem) -> PricedCharge:
    return next(charge for charge in price_list.charges if charge.key == item.charge_id)


def _group_label(bill: Bill) -> str:
    own = bill.contract.name
    return f"{bill.price_list.invoice_name}: {own}"[:_NAME_LENGTH] if own else bill.price_list.invoice_name


def _plan_line(bill: Bill, item: RatedItem, tax_ids: tuple[int, ...]) -> LineSpec:
    return LineSpec(
        kind=item.kind.value,
        item_code=bill.price_list.plan_code,
        item_name=bill.price_list.plan_name,
        plan_code=bill.price_list.plan_code,
        label=item.name,
        units=item.units,
        unit_amount=item.unit_amount,
        precise_amount=item.precise_amount,
        amount=item.amount,
        from_at=item.period.start,
        to_at=item.period.end,
        group_key=bill.contract.external_id,
        group_label=_group_label(bill),
        amount_details=item.amount_details,
        tax_ids=tax_ids,
        is_tax_inclusive=bill.price_list.is_tax_inclusive,
    )


def _usage_line(bill: Bill, item: RatedItem) -> LineSpec:
    charge = _charge(bill.price_list, item)
    filter_label = item.filter_name or ", ".join(", ".join(values) for values in item.filter_values.values())
    group_label = ", ".join(f"{name}: {value or '–'}" for name, value in item.group.items())
    label = " – ".join(part for part in (item.name, filter_label, group_label) if part)
    return LineSpec(
        kind=item.kind.value,
        item_code=charge.metric.code,
        item_name=charge.metric.name,
        plan_code=bill.price_list.plan_code,
        label=label if len(label) <= _LABEL_LENGTH else f"{label[: _LABEL_LENGTH - 1]}…",
        units=item.units,
        unit_amount=item.unit_amount,
        precise_amount=item.precise_amount,
        amount=item.amount,
        from_at=item.period.start,
        to_at=item.period.end,
        events_count=item.events_count,
        charge_model=charge.model.value,
        group_key=bill.contract.external_id,
        group_label=_group_label(bill),
        amount_details=item.amount_details,
        tax_ids=charge.tax_ids or bill.price_list.tax_ids,
        is_tax_inclusive=charge.is_tax_inclusive,
        total_units=item.total_units,
        pricing_unit=item.pricing_unit,
        breakdowns=item.breakdowns,
    )

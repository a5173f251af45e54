"""Stored usage as simulations read it. Owns what is different from a bill: usage that is paid in advance is counted by
the period, on the highest level that it reached, which is what its single events come to together.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from billing.domain import held_time
from billing.domain.contract import UsageFacts
from billing.domain.rating import RatedItem
from billing.domain.standing import Due
from billing.queries import advance_periods, aggregates
from billing.queries.contracts import Contract
from billing.queries.event_windows import Window
from billing.queries.price_lists import PriceList
from billing.services.bills import Bill


def unrounded(prices: PriceList) -> PriceList:
    """Return prices whose metrics do not round what is paid in advance, as single events are not rounded either."""
    charges = tuple(
        replace(charge, metric=replace(charge.metric, rounding=None)) if charge.pay_in_advance else charge
        for charge in prices.charges
    )
    return replace(prices, charges=charges)


def read(
    *, windows: Sequence[Window], due: Sequence[tuple[Contract, Due]], lists: Mapping[int, PriceList]
) -> dict[Hashable, list[UsageFacts]]:
    """Return the stored usage in windows whose ids are the position of their time in ``due`` and a charge's key."""
    found = aggregates.usage(windows=windows)
    charges = {(version, charge.key): charge for version, prices in lists.items() for charge in prices.charges}
    marked: dict[int, Window] = {}
    times: dict[int, held_time.HeldTime] = {}
    by_days: set[int] = set()
    for number, window in enumerate(windows):
        position, key = window.id  # type: ignore[misc] # as bills number them
        contract, stretch = due[position]
        charge = charges[contract.plan_version_id, key]
        if charge.pay_in_advance and window.aggregation in advance_periods.KINDS:
            marked[number] = window
            times[number] = held_time.of(contract.standing.usage_schedule, stretch.charges)
            if charge.is_prorated:
                by_days.add(number)
    for number, levels in advance_periods.read(marked, times=times, by_days=by_days).items():
        window = windows[number]
        reached = {part.key: part.facts for part in levels}
        found[window.id] = [
            replace(part, facts=reached[part.key]) if part.key in reached else part for part in found[window.id]
        ]
    return found


def is_owed(item: RatedItem, *, bill: Bill) -> bool:
    """Say whether an item is billed: until a unit is reached nothing is paid in advance, no flat amount of a first
    range either, but for units that a renewal bills.
    """
    charge = next((one for one in bill.price_list.charges if one.key == item.charge_id), None)
    if charge is None or not charge.pay_in_advance or charge.is_prorated or item.units:
        return True
    return charge.metric.is_recurring and not bill.due.is_first

"""Laying what a person set of lines over what a draft is computed to anew. Owns finding the lines; what they come to is
`domain.adjusted_trace`'s, and setting and undoing is `line_adjustments`'.

Minimums and commitments stay as they were computed: whoever adjusts a line may adjust what tops it up as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from moneyed import Money

from billing.domain import adjusted_trace, rating
from billing.domain.contract import ContractFacts
from billing.domain.rating import RatedItem
from billing.models import AdjustedLine, BilledPeriod
from billing.queries.price_lists import PricedCharge
from billing.services import bills
from billing.services.bills import Bill
from config.kernel import money


def applied(*, rated: Sequence[Bill], periods: Sequence[BilledPeriod]) -> list[Bill]:
    """Return bills with the adjusted lines of their drafts; the bills come in the order of the periods.

    A line whose usage is gone, or never was, is there with what was set. Amounts are rounded once per line, half up, to
    the currency. One query. Raises NotAdjustable where a price has changed to one that cannot be adjusted so.
    """
    rows = AdjustedLine.objects.filter(invoice_id__in={period.invoice_id for period in periods}).order_by("pk")
    by_place: dict[tuple[int, int], list[AdjustedLine]] = defaultdict(list)
    for row in rows:
        by_place[row.invoice_id, row.subscription_id].append(row)
    if not by_place:
        return list(rated)
    taken: set[int] = set()
    found = []
    for bill, period in zip(rated, periods, strict=True):
        wanted = by_place.get((period.invoice_id or 0, period.subscription_id), [])
        own = [row for row in wanted if row.pk not in taken and _belongs(row, bill)]
        taken.update(row.pk for row in own)
        found.append(_adjusted(bill, own) if own else bill)
    return found


def empty_items(*, bill: Bill, charge: PricedCharge) -> list[RatedItem]:
    """Return what a charge comes to without usage, its own price first, then each filter: lines that may be added."""
    facts = ContractFacts(
        subscription_id=bill.contract.uuid,
        plan_id=bill.price_list.plan_uuid,
        plan_version=bill.price_list.number,
        currency=bill.price_list.currency,
        timezone=bill.contract.timezone,
    )
    return rating.rate_charge(contract=facts, charge=charge.facts(period=bill.due.charges, usage=()))


def _belongs(row: AdjustedLine, bill: Bill) -> bool:
    """Say whether a line is one of a bill: one that it has, or one that it could have for the time of its usage."""
    if any(bills.key(item) == row.item_key and item.period.start == row.from_at for item in bill.items):
        return True
    return row.charge_key is not None and bill.due.charges.start == row.from_at


def _adjusted(bill: Bill, rows: Sequence[AdjustedLine]) -> Bill:
    items = list(bill.items)
    for row in rows:
        position = next(
            (
                number
                for number, item in enumerate(items)
                if bills.key(item) == row.item_key and item.period.start == row.from_at
            ),
            None,
        )
        if position is not None:
            items[position] = _set(items[position], row, is_prorated=_is_prorated(bill, items[position]))
            continue
        added = _added(bill, row)
        if added is not None:
            items.insert(_end_of_usage(items), _set(added, row, is_prorated=_is_prorated(bill, added)))
    return replace(bill, items=tuple(items))


def _added(bill: Bill, row: AdjustedLine) -> RatedItem | None:
    """Return the line that has no usage; nothing where the plan does not have its price any more, or nothing is set."""
    charge = next((one for one in bill.price_list.charges if one.key == str(row.charge_key)), None)
    if charge is None or (row.units is None and row.unit_amount is None):
        return None
    wanted = None if row.filter_key is None else str(row.filter_key)
    for item in empty_items(bill=bill, charge=charge):
        own = None if item.filter_id is None else str(item.filter_id)
        if own == wanted:
            return replace(item, group=row.group or item.group)
    return None


def _set(item: RatedItem, row: AdjustedLine, *, is_prorated: bool) -> RatedItem:
    labelled = replace(item, label=row.label) if row.label else item
    if row.units is None and row.unit_amount is None:
        return labelled
    adjusted_trace.demand(was=item.trace, units=row.units, unit_amount=row.unit_amount, is_prorated=is_prorated)
    values = adjusted_trace.price(was=item.trace, units=row.units, unit_amount=row.unit_amount)
    told = adjusted_trace.of_line(
        was=item.trace,
        units=row.units,
        unit_amount=row.unit_amount,
        by=row.adjusted_by,
        at=row.adjusted_at,
        reason=row.reason,
    )
    currency = item.amount.currency.code
    return replace(
        labelled,
        units=values.units,
        unit_amount=values.unit_amount,
        precise_amount=values.precise,
        amount=Money(money.quantize(values.precise, currency=currency), currency),
        amount_details=dict(values.details),
        total_units=None,
        pricing_unit=None,
        trace=told,
    )


def _is_prorated(bill: Bill, item: RatedItem) -> bool:
    if item.charge_id is not None:
        return any(one.key == item.charge_id and one.is_prorated for one in bill.price_list.charges)
    fixed = bill.price_list.fixed_charges
    return any(one.key == item.fixed_charge_id and one.is_prorated for one in fixed)


def _end_of_usage(items: Sequence[RatedItem]) -> int:
    """Return the place after the plan fee and the last usage, before fixed charges and commitments."""
    last = 0
    for number, item in enumerate(items, start=1):
        if item.kind in (rating.ItemKind.SUBSCRIPTION, rating.ItemKind.CHARGE):
            last = number
    return last

"""Fixed charges of due stretches: from the units that subscriptions have to what rating is given, and into words.

Owns which fixed charges a bill has. `bills` composes them with the fee and the usage; what a change of units within a
period adds is `fixed_changes`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from billing.domain import fixed_charges, held_time, pauses
from billing.domain.fixed_charges import FixedChargeFacts
from billing.domain.held_time import HeldTime
from billing.domain.rating import RatedItem
from billing.domain.standing import Due
from billing.queries import fixed_units
from billing.queries.contracts import Contract
from billing.queries.fixed_prices import PricedFixedCharge
from billing.queries.price_lists import PriceList
from invoicing.domain.specs import LineSpec


def facts(*, wanted: Sequence[tuple[Contract, Due]], lists: Mapping[int, PriceList]) -> list[list[FixedChargeFacts]]:
    """Return the fixed charges that are due of each stretch, in the order given, with a fixed number of queries.

    Those in arrears come for the time that is over, those in advance for the time that begins; the first bill after an
    upgrade takes off what was paid for the same add-on and days, once. What is not prorated costs a period once, also
    where a pause is in it.
    """
    filled = [
        (contract, due) for contract, due in wanted if due.fixed and lists[contract.plan_version_id].fixed_charges
    ]
    histories = fixed_units.histories(subscription_ids={contract.subscription_id for contract, _ in filled})
    first = {
        contract.subscription_id: time
        for contract, due in filled
        if due.is_first and (time := _advance(contract, due)) is not None
    }
    paid = fixed_units.paid_before(wanted=first) if first else {}
    found: list[list[FixedChargeFacts]] = []
    for contract, due in wanted:
        history = histories.get(contract.subscription_id, {})
        arrears, advance = _arrears(contract, due), _advance(contract, due)
        own = []
        price_list = lists[contract.plan_version_id]
        for charge in price_list.fixed_charges:
            time = advance if charge.pay_in_advance else arrears
            if time is None or (not charge.is_prorated and pauses.had_begun(contract.standing, time.natural)):
                continue
            bought = (contract.subscription_id, charge.add_on_id, price_list.currency)
            before = paid.get(bought, ()) if due.is_first and charge.pay_in_advance else ()
            one = charge.facts(history=history.get(charge.key, ()), time=time, paid_before=before)
            if one.paid_before:
                paid[bought] = fixed_charges.not_taken(one, currency=price_list.currency)
            own.append(one)
        found.append(own)
    return found


def charge_of(price_list: PriceList, item: RatedItem) -> PricedFixedCharge:
    """Return the fixed charge that an item bills."""
    return next(charge for charge in price_list.fixed_charges if charge.key == item.fixed_charge_id)


def line(*, price_list: PriceList, item: RatedItem, group_key: str, group_label: str) -> LineSpec:
    """Return the invoice line of an item. Its name is the add-on's unless the fixed charge has one of its own."""
    charge = charge_of(price_list, item)
    return LineSpec(
        kind=item.kind.value,
        item_code=charge.add_on_code,
        item_name=charge.add_on_name,
        plan_code=price_list.plan_code,
        label=item.name,
        units=item.units,
        unit_amount=item.unit_amount,
        precise_amount=item.precise_amount,
        amount=item.amount,
        from_at=item.period.start,
        to_at=item.period.end,
        charge_model=charge.model.value,
        group_key=group_key,
        group_label=group_label,
        amount_details=item.amount_details,
        tax_ids=charge.tax_ids or price_list.tax_ids,
        is_tax_inclusive=price_list.is_tax_inclusive,
    )


def _arrears(contract: Contract, due: Due) -> HeldTime | None:
    if due.fixed.arrears is None:
        return None
    return held_time.of(
        contract.standing.fixed_schedule,
        due.fixed.arrears,
        upgraded=due.is_last and contract.standing.is_upgraded,
        skips_first_day=pauses.skips_first_day(contract.standing, due.fixed.arrears),
    )


def _advance(contract: Contract, due: Due) -> HeldTime | None:
    if due.fixed.advance is None:
        return None
    return held_time.of(contract.standing.fixed_schedule, due.fixed.advance)

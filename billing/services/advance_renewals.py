"""Recurring units that are paid in advance, at renewal, where their fee stands alone. Owns making these fees; those
that go on the invoice of the period are among its bill (see `bills`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from billing.domain import advance_renewals, held_time, rating
from billing.models import RatedCharge
from billing.queries import aggregates, event_windows
from billing.queries.contracts import Contract
from billing.queries.event_windows import Window
from billing.queries.price_lists import PricedCharge
from billing.services import advance_fees, bills
from billing.services.advance_fees import BilledEvent
from billing.services.bills import Bill
from config.kernel.actors import Actor
from config.kernel.dates import Period


def write(*, rated: Sequence[Bill], actor: Actor, at: datetime) -> int:
    """Make the fees of units that are there when the next period of these bills begins, even of none; return how many.

    The units count in full, by the prices of the plan. What is billed already is left alone, so calling it again
    makes nothing. Costs no query where no price asks for it, else a fixed number. The caller holds the locks.
    """
    wanted = [
        (bill, charge, coming)
        for bill in rated
        if (coming := advance_renewals.coming(bill.contract.standing, bill.due)) is not None
        for charge in bill.price_list.charges
        if charge.pay_in_advance and charge.metric.is_recurring and not charge.invoiceable
    ]
    if not wanted:
        return 0
    windows = [
        _window(number, bill.contract, charge, bill.due.charges) for number, (bill, charge, _) in enumerate(wanted)
    ]
    usage = aggregates.usage(windows=windows)
    found: list[BilledEvent] = []
    for number, (bill, charge, coming) in enumerate(wanted):
        contract = advance_fees.facts(bill.contract, bill.price_list)
        items = rating.rate_charge(contract=contract, charge=charge.facts(period=coming, usage=usage[number]))
        found += [BilledEvent(bill.contract, bill.price_list, charge, item, coming) for item in items]
    known = set(
        RatedCharge.objects.filter(
            subscription_id__in={one.contract.subscription_id for one in found},
            event_transaction_id__isnull=True,
            released_at__isnull=True,
            from_at__in={one.period.start for one in found},
        ).values_list("subscription_id", "item_key", "from_at")
    )
    new = [one for one in found if (one.contract.subscription_id, bills.key(one.item), one.period.start) not in known]
    advance_fees.write(billed=new, actor=actor, at=at)
    return len(new)


def _window(number: int, contract: Contract, charge: PricedCharge, period: Period) -> Window:
    held = held_time.of(contract.standing.usage_schedule, period)
    window = event_windows.of_charge(
        id=number, charge=charge, external_subscription_id=contract.external_id, period=period, held=held
    )
    return replace(window, held=None)

"""Usage that no invoice can hold. Owns finding it before anything is drafted, and naming the events that it comes from,
so that somebody can withdraw them; nothing is left out by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from django.db.models import F
from django.db.models.functions import Abs

from billing.domain.rating import RatedItem
from billing.models import UsageEvent
from billing.services.bills import Bill
from config.kernel import errors

# What the columns of an invoice hold: 25 digits before the point of a quantity, 16 of an amount.
_UNITS_END = Decimal(10) ** 25
_AMOUNT_END = Decimal(10) ** 16
_NAMED = 3


class UnbillableUsage(errors.Invalid):
    """Some events come to more than an invoice can hold; the message names the largest of them."""


def demand_billable(*, rated: Iterable[Bill]) -> None:
    """Raise UnbillableUsage (`value_is_out_of_range`) for the first item that no invoice can hold."""
    for bill in rated:
        for item in bill.items:
            if abs(item.units) >= _UNITS_END or abs(item.amount.amount) >= _AMOUNT_END:
                raise UnbillableUsage("value_is_out_of_range", _told(bill, item))


def _told(bill: Bill, item: RatedItem) -> str:
    what = f"{item.name} of {bill.contract.external_id} counts {item.units:.3E} units: more than an invoice can hold."
    charge = next((one for one in bill.price_list.charges if one.key == item.charge_id), None)
    if charge is None:
        return what
    rows = UsageEvent.objects.filter(
        external_subscription_id=bill.contract.external_id,
        code=charge.metric.event_code,
        timestamp__lt=bill.due.charges.end,
        replaced_at__isnull=True,
        value__isnull=False,
    )
    if not charge.metric.is_recurring:
        rows = rows.filter(timestamp__gte=bill.due.charges.start)
    largest = rows.annotate(size=Abs(F("value"))).order_by("-size", "transaction_id")[:_NAMED]
    names = ", ".join(event.transaction_id for event in largest)
    return f"{what} The largest events: {names}. Withdraw or amend what is wrong on the usage page." if names else what

"""What bills take off because it was billed progressively before. Owns finding it for bills that are rated, and putting
it on them; the arithmetic is the domain's, the rows and what is given back are invoicing's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from moneyed import Money

from billing.domain import progressive
from billing.domain.progressive import Taken
from billing.domain.rating import ItemKind
from billing.queries import progressive_invoices
from billing.queries.progressive_invoices import ProgressiveInvoice
from billing.services import bills
from billing.services.bills import Bill
from config.kernel import money


def applied(*, rated: Sequence[Bill], without: Iterable[int] = ()) -> list[Bill]:
    """Return bills with what earlier progressive invoices billed of their time, in their order.

    It is what those invoices billed net, without what was given back of it, as far as the same charges come to; what
    goes beyond is the ``excess``. The lines of the same charge, filter and group take it off first. ``without`` are
    invoices that are computed anew: what they took off before does not count. Rounded amounts only; one query where
    nothing was billed progressively, else a fixed number.
    """
    wanted = {bill.contract.subscription_id for bill in rated if not bill.due.charges.is_empty}
    known = progressive_invoices.of_subscriptions(subscription_ids=wanted, without=without) if wanted else {}
    return [_applied(bill, known.get(bill.contract.subscription_id, ())) for bill in rated]


def _applied(bill: Bill, known: Sequence[ProgressiveInvoice]) -> Bill:
    time = bill.due.charges
    if time.is_empty:
        return bill
    # A change of the time zone moves the ends of a period by some hours: the middle is in the same one.
    middle = time.start + (time.end - time.start) / 2
    own = [one for one in known if one.period.start <= middle < one.period.end]
    nothing = money.zero(bill.price_list.currency)
    billed = sum((one.left for one in own), nothing)
    if billed <= nothing:
        return bill
    newest = own[-1]
    charged: dict[str, Money] = {}
    for item in bill.items:
        if item.kind is ItemKind.CHARGE:
            charged[str(item.charge_id)] = charged.get(str(item.charge_id), nothing) + item.amount
    charges = [key for one in own for key in one.charges]
    credit, excess = progressive.limited(billed=billed, charged=charged, charges=charges)
    amounts = [
        item.amount if item.kind is ItemKind.CHARGE and str(item.charge_id) in charges else nothing
        for item in bill.items
    ]
    before = [newest.items.get(bills.key(item), nothing) for item in bill.items]
    shares = progressive.shares(credit=credit, amounts=amounts, billed=before)
    return replace(bill, taken=Taken(newest.invoice_id, credit, excess, tuple(shares)))

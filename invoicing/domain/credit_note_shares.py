"""The items of a credit note that give back a net amount, where an amount is to be given back and not certain lines.

Owns the choice of lines; what the credit note comes to is next door in `credit_notes`.
"""

from __future__ import annotations

import decimal
from decimal import Decimal

from moneyed import Money

from config.kernel import money
from invoicing.domain.credit_notes import BilledInvoice, BilledLine

_PLACES = 15


def items_of_net(*, invoice: BilledInvoice, net: Money) -> tuple[dict[int, Decimal], Money]:
    """Find the items, before coupons, that give back an amount after coupons; return them and what they give back.

    Of the largest lines first, each as far as something is left of it. What is found is less than ``net`` where less is
    left of the invoice. Items are in major units with 15 decimals; hand the amount on to `credit_notes.credit` as its
    ``net``, so that the note gives back exactly that.
    """
    nothing = money.zero(invoice.currency)
    positive = [line for line in invoice.lines if line.left.amount > 0]
    creditable = sum((line.left for line in positive), nothing) - (invoice.coupons - invoice.coupons_credited)
    wanted: dict[int, Decimal] = {}
    found = max(min(net, creditable), nothing)
    left = found.amount
    smallest = money.from_minor(1, invoice.currency).amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        for line in sorted(positive, key=lambda one: (-one.left.amount, one.id)):
            own = _after_coupons(line)
            # Less than half a minor unit is what rounding leaves, and no item.
            if own <= 0 or left * 2 < smallest:
                continue
            whole = left >= own
            part = line.left_precise if whole else left * line.left_precise / own
            wanted[line.id] = money.round_half_up(part, _PLACES)
            left -= own if whole else left
    return wanted, found if wanted else nothing


def _after_coupons(line: BilledLine) -> Decimal:
    return line.left_precise - line.coupons_of(line.left_precise)

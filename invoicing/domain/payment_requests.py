"""Which overdue invoices may be asked for together, what they come to, and how a payment of all is spread over them.

Owns these rules only; amounts are money that is due, rounded before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain import allocation


class UnableToRequest(errors.NotAllowed):
    """The invoices cannot be asked for together."""


@dataclass(frozen=True, slots=True)
class Open:
    """What is open of an issued invoice. ``asked`` is what of the ``due`` is asked for: what nobody disputes."""

    id: int
    billing_entity_id: int
    due_on: date
    due: Money
    asked: Money
    is_overdue: bool


def total(invoices: Sequence[Open]) -> Money:
    """Return what invoices come to together.

    Raises UnableToRequest: one is not overdue, they are in different currencies or of different sellers, or there is
    nothing to ask for of one.
    """
    if not invoices or not all(one.is_overdue for one in invoices):
        raise UnableToRequest("invoices_not_overdue", "Only overdue invoices are asked for.")
    if len({one.due.currency.code for one in invoices}) > 1:
        raise UnableToRequest("invoices_have_different_currencies", "The invoices are in different currencies.")
    if len({one.billing_entity_id for one in invoices}) > 1:
        raise UnableToRequest("invoices_have_different_billing_entities", "The invoices are of different sellers.")
    if not all(one.asked.amount > 0 for one in invoices):
        raise UnableToRequest(
            "invoices_not_ready_for_payment_processing", "Nothing of an invoice is due that is not disputed."
        )
    return sum((one.asked for one in invoices), money.zero(invoices[0].due.currency.code))


def shares(amount: Money, *, invoices: Sequence[Open]) -> dict[int, Money]:
    """Spread a payment over invoices, the longest due first; return what each gets, those that get nothing left out.

    What was not asked for is paid last: whoever pays what was leaves nothing of it open. Raises NotPayable for an
    amount that is not positive, finer than the currency, or more than is due of all.
    """
    nothing = money.zero(amount.currency.code)
    due = sum((one.due for one in invoices), money.zero(invoices[0].due.currency.code) if invoices else nothing)
    allocation.settle(total=due, paid=money.zero(due.currency.code), amount=amount)
    found: dict[int, Money] = {}
    ordered = sorted(invoices, key=lambda one: (one.due_on, one.id))
    for one, most in [(one, one.asked) for one in ordered] + [(one, one.due - one.asked) for one in ordered]:
        part = min(most, amount)
        if part.amount > 0:
            found[one.id] = found.get(one.id, nothing) + part
            amount -= part
    return found

"""Lines that stand alone: their payment status, and what each status means for the books. Owns both rules.

The amount is earned, taxed and owed from the moment the line is made, whether it ever gets on an invoice or not: there
may be none. So the books follow the status of the line, and the invoice that gathers paid lines later books nothing
more: it is a document of what is settled. A change of the status books the difference between what the books say and
what they have to say, so any way through the statuses ends at the same balances, and nothing is booked twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain import ledger
from invoicing.domain.ledger import Booking, Posting
from invoicing.domain.totals import Taxed

PENDING = "pending"
SUCCEEDED = "succeeded"
FAILED = "failed"
REFUNDED = "refunded"
STATUSES = (PENDING, SUCCEEDED, FAILED, REFUNDED)

DUE = "fee_due"
CHANGED = "fee_payment_changed"
TAKEN_BACK = "fee_taken_back"


class InvalidStatus(errors.Invalid):
    """There is no such payment status."""


class OnInvoice(errors.NotAllowed):
    """The line is on an invoice: the invoice says how it was paid."""


class NotDeletable(errors.NotAllowed):
    """The line was paid: what was received is not forgotten."""


def demand_status(status: str) -> str:
    """Return a payment status. Raises InvalidStatus for anything else."""
    if status not in STATUSES:
        raise InvalidStatus(
            "value_is_invalid", f"{status} is no payment status.", {"payment_status": ["value_is_invalid"]}
        )
    return status


def demand_alone(*, is_on_invoice: bool) -> None:
    """Demand that a line stands alone. Raises OnInvoice (`invoiced_fee`)."""
    if is_on_invoice:
        raise OnInvoice("invoiced_fee", "The fee is on an invoice: the payment is the invoice's.")


def demand_deletable(status: str) -> None:
    """Demand that no money was received for a line. Raises NotDeletable (`not_deletable`)."""
    if status in {SUCCEEDED, REFUNDED}:
        raise NotDeletable("not_deletable", "The fee was paid. Refund it instead.")


def due(amount: Taxed) -> Booking:
    """Book a new line: the customer owes the gross amount, earned is the net, the tax is owed to the state."""
    return _difference(DUE, amount, None, PENDING)


def changed(*, amount: Taxed, before: str, after: str) -> Booking:
    """Book a change of the status: what the books have to say after it, less what they said before."""
    return _difference(CHANGED, amount, before, after)


def taken_back(*, amount: Taxed, before: str) -> Booking:
    """Book a line that is taken back: nothing is owed, earned or taxed for it."""
    return _difference(TAKEN_BACK, amount, before, None)


def _difference(fact: str, amount: Taxed, before: str | None, after: str | None) -> Booking:
    was, becomes = _position(amount, before), _position(amount, after)
    nothing = money.zero(amount.gross.currency.code)
    postings = (
        Posting(role, becomes.get(role, nothing) - was.get(role, nothing)) for role in dict.fromkeys((*becomes, *was))
    )
    return Booking(fact=fact, postings=tuple(posting for posting in postings if posting.amount))


def _position(amount: Taxed, status: str | None) -> Mapping[str, Money]:
    """Return the balances of a line: owed, or received; nothing once it was refunded or taken back."""
    if status is None or status == REFUNDED:
        return {}
    held = ledger.CASH if status == SUCCEEDED else ledger.RECEIVABLE
    return {held: amount.gross, ledger.REVENUE: -amount.net, ledger.TAX: -amount.tax}

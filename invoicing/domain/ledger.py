"""Bookings of the ledger as values. Owns which accounts a fact moves; a booking that does not balance cannot be made.

A debit is positive, a credit negative. The ledger's tables are in `models`, the writing in `services`.
"""

from __future__ import annotations

from dataclasses import dataclass

from moneyed import Money

from config.kernel import money
from invoicing.domain.totals import Taxed

RECEIVABLE = "receivable"
REVENUE = "revenue"
TAX = "tax"
CASH = "cash"

FINALIZED = "invoice_finalized"
PAID = "payment_received"


@dataclass(frozen=True)
class Posting:
    """One side of a booking on the account of a role."""

    role: str
    amount: Money


@dataclass(frozen=True)
class Booking:
    """The postings of one fact. Nothing is posted with zero; a booking of nothing but zeros is empty."""

    fact: str
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        balances: dict[str, Money] = {}
        for posting in self.postings:
            currency = posting.amount.currency.code
            balances[currency] = balances.get(currency, money.zero(currency)) + posting.amount
        for balance in balances.values():
            if balance:
                raise ValueError(f"{self.fact} is off by {balance}.")


def finalized(amount: Taxed) -> Booking:
    """Book an issued invoice: the customer owes the gross amount, earned is the net, the tax is owed to the state."""
    return _booking(
        FINALIZED, Posting(RECEIVABLE, amount.gross), Posting(REVENUE, -amount.net), Posting(TAX, -amount.tax)
    )


def paid(amount: Money) -> Booking:
    """Book money received: cash comes in, the customer owes that much less."""
    return _booking(PAID, Posting(CASH, amount), Posting(RECEIVABLE, -amount))


def _booking(fact: str, *postings: Posting) -> Booking:
    return Booking(fact=fact, postings=tuple(posting for posting in postings if posting.amount))

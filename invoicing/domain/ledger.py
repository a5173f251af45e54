"""Bookings of the ledger as values. Owns which accounts a fact moves; a booking that does not balance cannot be made.

A debit is positive, a credit negative. The ledger's tables are in `models`, the writing in `services`.
"""

from __future__ import annotations

from dataclasses import dataclass

from moneyed import Money

from config.kernel import money
from invoicing.domain.credit_notes import Split
from invoicing.domain.totals import Taxed

RECEIVABLE = "receivable"
REVENUE = "revenue"
TAX = "tax"
CASH = "cash"
CUSTOMER_CREDIT = "customer_credit"
REFUNDS = "refunds"
PREPAID = "prepaid"

FINALIZED = "invoice_finalized"
PAID = "payment_received"
HELD = "payment_held"
HELD_USED = "held_payment_used"
CREDITED = "credit_note_issued"
CREDIT_USED = "credit_used"
CREDIT_VOIDED = "credit_voided"
REFUNDED = "refund_paid"
PREPAID_USED = "prepaid_credit_used"
PREPAID_EXPIRED = "prepaid_credit_expired"


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


def prepaid_sold(amount: Money) -> Booking:
    """Book an issued invoice of prepaid credit: the customer owes it, and has it to use; nothing is earned or taxed."""
    return _booking(FINALIZED, Posting(RECEIVABLE, amount), Posting(PREPAID, -amount))


def prepaid_used(amount: Money) -> Booking:
    """Book prepaid credit that pays an invoice: there is that much less of it, and the customer owes that much less."""
    return _booking(PREPAID_USED, Posting(PREPAID, amount), Posting(RECEIVABLE, -amount))


def prepaid_expired(amount: Money) -> Booking:
    """Book prepaid credit that was not used in time: it is earned."""
    return _booking(PREPAID_EXPIRED, Posting(PREPAID, amount), Posting(REVENUE, -amount))


def paid(amount: Money) -> Booking:
    """Book money received: cash comes in, the customer owes that much less."""
    return _booking(PAID, Posting(CASH, amount), Posting(RECEIVABLE, -amount))


def held(amount: Money) -> Booking:
    """Book money received for what is not issued yet: cash comes in, and is the customer's until then."""
    return _booking(HELD, Posting(CASH, amount), Posting(CUSTOMER_CREDIT, -amount))


def held_used(amount: Money) -> Booking:
    """Book held money that pays an invoice which is issued now: the customer has and owes that much less."""
    return _booking(HELD_USED, Posting(CUSTOMER_CREDIT, amount), Posting(RECEIVABLE, -amount))


def credited(*, amount: Taxed, split: Split) -> Booking:
    """Book a credit note: less is earned and less tax owed; the customer has a credit or a refund, or owes less."""
    return _booking(
        CREDITED,
        Posting(REVENUE, amount.net),
        Posting(TAX, amount.tax),
        Posting(CUSTOMER_CREDIT, -split.credit),
        Posting(REFUNDS, -split.refund),
        Posting(RECEIVABLE, -split.offset),
    )


def credit_used(amount: Money) -> Booking:
    """Book a credit that pays an invoice: there is that much less of it, and the customer owes that much less."""
    return _booking(CREDIT_USED, Posting(CUSTOMER_CREDIT, amount), Posting(RECEIVABLE, -amount))


def credit_voided(amount: Taxed) -> Booking:
    """Book a credit that was taken back before it was used up: it is earned and taxed after all."""
    return _booking(
        CREDIT_VOIDED, Posting(CUSTOMER_CREDIT, amount.gross), Posting(REVENUE, -amount.net), Posting(TAX, -amount.tax)
    )


def refunded(amount: Money) -> Booking:
    """Book a refund that was paid: cash goes out."""
    return _booking(REFUNDED, Posting(REFUNDS, amount), Posting(CASH, -amount))


def _booking(fact: str, *postings: Posting) -> Booking:
    return Booking(fact=fact, postings=tuple(posting for posting in postings if posting.amount))

"""Bookings of the ledger as values. Owns which accounts a fact moves; a booking that does not balance cannot be made.

A debit is positive, a credit negative. The ledger's tables are in `models`, the writing in `services`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

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
PROMOTION = "promotion"
DISPUTED = "disputed"
WRITE_OFF = "write_off"

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
CREDITS_USED = "wallet_credits_used"
CREDITS_RETURNED = "wallet_credits_returned"
CREDITS_LOST = "wallet_credits_lost"
VOIDED = "invoice_voided"
RELEASED = "payment_released"
HELD_REFUNDED = "held_payment_refunded"
CREDIT_GIVEN_BACK = "credit_given_back"
PREPAID_GIVEN_BACK = "prepaid_credit_given_back"
DISPUTE_OPENED = "dispute_opened"
DISPUTE_ENDED = "dispute_ended"
WRITTEN_OFF = "invoice_written_off"
WRITE_OFF_UNDONE = "write_off_undone"
MANUAL = "manual_entry"
REVERSED = "manual_entry_reversed"


@dataclass(frozen=True)
class Dimensions:
    """What an amount is for, as far as an account may be chosen by it; an empty text where that is not known."""

    item_code: str = ""
    tax_code: str = ""
    plan_code: str = ""
    line_kind: str = ""
    payment_kind: str = ""


@dataclass(frozen=True)
class Posting:
    """One side of a booking on an account of a role; ``dimensions`` may choose among the role's accounts.

    With ``account_id`` it goes to that one, whatever is mapped: what is taken back leaves the account that it went to.
    """

    role: str
    amount: Money
    dimensions: Dimensions = Dimensions()
    account_id: int | None = None


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


def credits_used(*, purchased: Money, granted: Money) -> Booking:
    """Book credits of a wallet that pay an invoice: bought ones are owed no more, given ones are a promotion."""
    return _booking(
        CREDITS_USED,
        Posting(PREPAID, purchased),
        Posting(PROMOTION, granted),
        Posting(RECEIVABLE, -(purchased + granted)),
    )


def credits_returned(*, purchased: Money, granted: Money) -> Booking:
    """Book credits that a voided invoice gives back to their wallet: what was paid for is owed again."""
    return _booking(
        CREDITS_RETURNED,
        Posting(RECEIVABLE, purchased + granted),
        Posting(PREPAID, -purchased),
        Posting(PROMOTION, -granted),
    )


def credits_lost(*, purchased: Money, granted: Money) -> Booking:
    """Book credits of a voided invoice whose wallet is gone: what was paid for them is earned, as the wallet's rest."""
    return _booking(
        CREDITS_LOST,
        Posting(RECEIVABLE, purchased + granted),
        Posting(REVENUE, -purchased),
        Posting(PROMOTION, -granted),
    )


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


def prepaid_taken_back(split: Split) -> Booking:
    """Book a credit note on prepaid credit: there is that much less of it, and it is refunded or no longer owed."""
    return _booking(
        CREDITED,
        Posting(PREPAID, split.total),
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


def voided(*, earned: Sequence[Posting], written_off: Money) -> Booking:
    """Book a voided invoice: what it still stands for is taken back, and the customer owes none of it.

    ``earned`` are the balances that the invoice and its credit notes left on the accounts that it was booked against.
    ``written_off`` is what its credit notes gave the customer though nobody had paid it.
    """
    taken = [replace(posting, amount=-posting.amount) for posting in earned]
    owed = sum((posting.amount for posting in taken), written_off)
    return _booking(VOIDED, *taken, Posting(WRITE_OFF, written_off), Posting(RECEIVABLE, -owed))


def released(amount: Money) -> Booking:
    """Book money that paid a voided invoice: the invoice is unpaid again, the money is the customer's."""
    return _booking(RELEASED, Posting(RECEIVABLE, amount), Posting(CUSTOMER_CREDIT, -amount))


def held_refunded(amount: Money) -> Booking:
    """Book held money that is paid back: the customer has that much less with the seller, cash goes out."""
    return _booking(HELD_REFUNDED, Posting(CUSTOMER_CREDIT, amount), Posting(CASH, -amount))


def credit_given_back(amount: Money) -> Booking:
    """Book a used credit that is the customer's again: its use is undone."""
    return _booking(CREDIT_GIVEN_BACK, Posting(RECEIVABLE, amount), Posting(CUSTOMER_CREDIT, -amount))


def prepaid_given_back(amount: Money) -> Booking:
    """Book drawn prepaid credit that can be drawn again: its use is undone."""
    return _booking(PREPAID_GIVEN_BACK, Posting(RECEIVABLE, amount), Posting(PREPAID, -amount))


def dispute_opened(amount: Money) -> Booking:
    """Book a dispute: what the customer owes stands apart."""
    return _booking(DISPUTE_OPENED, Posting(DISPUTED, amount), Posting(RECEIVABLE, -amount))


def dispute_ended(amount: Money) -> Booking:
    """Book what is disputed no more: it is owed like anything else."""
    return _booking(DISPUTE_ENDED, Posting(RECEIVABLE, amount), Posting(DISPUTED, -amount))


def written_off(amount: Money) -> Booking:
    """Book what nobody expects to be paid any more: a loss, with its tax; the customer owes that much less."""
    return _booking(WRITTEN_OFF, Posting(WRITE_OFF, amount), Posting(RECEIVABLE, -amount))


def write_off_undone(amount: Money) -> Booking:
    """Book what is owed again after it was written off: no loss any more."""
    return _booking(WRITE_OFF_UNDONE, Posting(RECEIVABLE, amount), Posting(WRITE_OFF, -amount))


def split(booking: Booking, *, parts: Mapping[str, Sequence[tuple[Dimensions, Decimal]]]) -> Booking:
    """Post the amounts of roles in parts, in proportion to weights such as the nets of lines.

    The parts of a posting sum to it exactly, by largest remainder, and are the weights themselves where these sum to
    it. Weights that cancel out, or none, leave a posting whole.
    """
    postings: list[Posting] = []
    for posting in booking.postings:
        weighted = () if posting.account_id else parts.get(posting.role, ())
        if sum((weight for _, weight in weighted), Decimal(0)):
            amounts = money.allocate(posting.amount, [weight for _, weight in weighted])
            postings += [
                replace(posting, amount=amount, dimensions=dimensions)
                for (dimensions, _), amount in zip(weighted, amounts, strict=True)
                if amount
            ]
        else:
            postings.append(posting)
    return replace(booking, postings=tuple(postings))


def _booking(fact: str, *postings: Posting) -> Booking:
    return Booking(fact=fact, postings=tuple(posting for posting in postings if posting.amount))

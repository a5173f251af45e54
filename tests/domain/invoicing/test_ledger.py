"""Bookings: right accounts and signs, and nothing that does not balance."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import ledger
from invoicing.domain.ledger import Booking, Posting
from invoicing.domain.totals import Taxed


def euros(amount: str) -> Money:
    return Money(amount, "EUR")


def test_an_issued_invoice_is_owed_earned_and_taxed() -> None:
    booking = ledger.finalized(Taxed.of(net=euros("100.00"), tax=euros("19.00")))

    assert booking.fact == "invoice_finalized"
    assert booking.postings == (
        Posting("receivable", euros("119.00")),
        Posting("revenue", euros("-100.00")),
        Posting("tax", euros("-19.00")),
    )


def test_a_payment_is_cash_instead_of_a_receivable() -> None:
    assert ledger.paid(euros("20.00")).postings == (
        Posting("cash", euros("20.00")),
        Posting("receivable", euros("-20.00")),
    )


def test_nothing_is_posted_with_zero() -> None:
    assert [posting.role for posting in ledger.finalized(Taxed.of(net=euros("1"), tax=euros("0"))).postings] == [
        "receivable",
        "revenue",
    ]
    assert ledger.finalized(Taxed.of(net=euros("0"), tax=euros("0"))).postings == ()


def test_a_booking_that_is_off_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="off by"):
        Booking(fact="wrong", postings=(Posting("cash", euros("1.00")), Posting("revenue", euros("-0.99"))))
    with pytest.raises(ValueError, match="off by"):
        Booking(fact="wrong", postings=(Posting("cash", euros("1.00")), Posting("revenue", Money(-1, "USD"))))


@given(net=st.integers(-(10**12), 10**12), tax=st.integers(-(10**12), 10**12))
def test_every_booking_sums_to_zero(net: int, tax: int) -> None:
    amount = Taxed.of(net=Money(Decimal(net).scaleb(-2), "EUR"), tax=Money(Decimal(tax).scaleb(-2), "EUR"))

    assert sum((posting.amount.amount for posting in ledger.finalized(amount).postings), Decimal(0)) == 0

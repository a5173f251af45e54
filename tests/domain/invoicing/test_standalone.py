"""Lines that stand alone: what each payment status means for the books, whatever way led to it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import ledger, standalone
from invoicing.domain.ledger import Booking
from invoicing.domain.totals import Taxed

AMOUNT = Taxed.of(net=Money(10, "EUR"), tax=Money(2, "EUR"))
EARNED = {ledger.REVENUE: -10, ledger.TAX: -2}


def balances(*bookings: Booking) -> dict[str, int]:
    found: dict[str, int] = {}
    for booking in bookings:
        for posting in booking.postings:
            found[posting.role] = found.get(posting.role, 0) + int(posting.amount.amount)
    return {role: amount for role, amount in found.items() if amount}


EXPECTED = {
    "pending": {ledger.RECEIVABLE: 12, **EARNED},
    "failed": {ledger.RECEIVABLE: 12, **EARNED},
    "succeeded": {ledger.CASH: 12, **EARNED},
    "refunded": {},
}


@given(st.lists(st.sampled_from(standalone.STATUSES), max_size=8))
def test_any_way_through_the_statuses_ends_at_the_same_balances(way: list[str]) -> None:
    path = ["pending", *way]
    changes = [standalone.changed(amount=AMOUNT, before=one, after=other) for one, other in pairwise(path)]
    assert balances(standalone.due(AMOUNT), *changes) == EXPECTED[path[-1]]
    back = standalone.taken_back(amount=AMOUNT, before=path[-1])
    assert balances(standalone.due(AMOUNT), *changes, back) == {}


def test_nothing_is_booked_for_nothing() -> None:
    nothing = Taxed.of(net=Money(0, "EUR"), tax=Money(0, "EUR"))
    assert standalone.due(nothing).postings == ()
    assert standalone.changed(amount=AMOUNT, before="pending", after="failed").postings == ()


def test_what_is_refused() -> None:
    with pytest.raises(standalone.InvalidStatus) as wrong:
        standalone.demand_status("paid")
    assert wrong.value.details == {"payment_status": ["value_is_invalid"]}
    with pytest.raises(standalone.OnInvoice, match="invoice"):
        standalone.demand_alone(is_on_invoice=True)
    for status in ("succeeded", "refunded"):
        with pytest.raises(standalone.NotDeletable):
            standalone.demand_deletable(status)

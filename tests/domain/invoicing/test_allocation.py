"""What payments do to an invoice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from config.kernel import errors
from invoicing.domain import allocation


def euros(amount: str) -> Money:
    return Money(amount, "EUR")


def test_part_payments_add_up() -> None:
    first = allocation.settle(total=euros("119.00"), paid=euros("0"), amount=euros("19.00"))
    assert (first.paid, first.due, first.is_complete) == (euros("19.00"), euros("100.00"), False)

    last = allocation.settle(total=euros("119.00"), paid=first.paid, amount=euros("100.00"))
    assert (last.paid, last.due, last.is_complete) == (euros("119.00"), euros("0"), True)


@pytest.mark.parametrize(
    ("amount", "field"),
    [
        (euros("100.01"), "amount_cents"),
        (euros("0"), "amount_cents"),
        (euros("-1"), "amount_cents"),
        (Money("1", "USD"), "amount_currency"),
    ],
)
def test_refuses_what_does_not_fit(amount: Money, field: str) -> None:
    with pytest.raises(allocation.NotPayable) as refused:
        allocation.settle(total=euros("119.00"), paid=euros("19.00"), amount=amount)
    assert list(refused.value.details) == [field]


def test_refuses_fractions_of_a_cent() -> None:
    with pytest.raises(errors.Invalid, match="finer"):
        allocation.settle(total=euros("1.00"), paid=euros("0"), amount=euros("0.005"))


@given(total=st.integers(1, 10**9), parts=st.lists(st.integers(1, 10**9), max_size=6))
def test_never_more_than_the_total(total: int, parts: list[int]) -> None:
    whole, paid = Money(Decimal(total), "JPY"), Money(0, "JPY")
    for part in parts:
        try:
            paid = allocation.settle(total=whole, paid=paid, amount=Money(part, "JPY")).paid
        except allocation.NotPayable:
            assert paid + Money(part, "JPY") > whole
    assert paid <= whole

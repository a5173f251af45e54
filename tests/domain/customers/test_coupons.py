"""How often and how much a customer may use a coupon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from customers.domain import coupons
from customers.domain.coupons import Terms


def euros(amount: int) -> Money:
    return Money(amount, "EUR")


@pytest.mark.parametrize(
    ("terms", "available", "after", "is_over"),
    [
        (Terms("once"), None, Terms("once"), True),
        (Terms("forever"), None, Terms("forever"), False),
        (Terms("recurring", remaining=2), None, Terms("recurring", remaining=1), False),
        (Terms("recurring", remaining=1), None, Terms("recurring", remaining=0), True),
        (Terms("once", euros(10), euros(0)), 10, Terms("once", euros(10), euros(3)), False),
        (Terms("once", euros(10), euros(7)), 3, Terms("once", euros(10), euros(10)), True),
        (Terms("forever", euros(10), euros(70)), 10, Terms("forever", euros(10), euros(73)), False),
        (
            Terms("recurring", euros(10), euros(7), 1),
            10,
            Terms("recurring", euros(10), euros(10), 0),
            True,
        ),
    ],
)
def test_a_use(terms: Terms, available: int | None, after: Terms, is_over: bool) -> None:
    assert terms.available == (None if available is None else euros(available))
    assert coupons.used(terms, amount=euros(3)) == (after, is_over)


@given(
    st.sampled_from(["once", "forever", "recurring"]),
    st.integers(1, 100),
    st.integers(0, 100),
    st.integers(1, 5),
    st.booleans(),
)
def test_what_is_given_back_is_as_if_it_had_not_been(
    frequency: str, amount: int, used: int, remaining: int, is_rate: bool
) -> None:
    terms = Terms(
        frequency,
        amount=None if is_rate else euros(amount + used),
        used=None if is_rate else euros(used),
        remaining=remaining if frequency == "recurring" else None,
    )

    after, _ = coupons.used(terms, amount=euros(amount))

    assert coupons.given_back(after, amount=euros(amount)) == terms

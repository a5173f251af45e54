"""Which invoices are asked for together, what they come to, and how a payment is spread over them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from invoicing.domain import payment_requests as rules
from invoicing.domain.allocation import NotPayable
from invoicing.domain.payment_requests import Open, UnableToRequest


def one(pk: int, due: str, *, day: int = 1, currency: str = "EUR", **values: Any) -> Open:
    amount = Money(due, currency)
    return Open(
        **{
            "id": pk,
            "billing_entity_id": 1,
            "due_on": date(2026, 4, day),
            "due": amount,
            "asked": amount,
            "is_overdue": True,
            **values,
        }
    )


def test_the_total_is_what_is_due_and_not_disputed() -> None:
    disputed = one(2, "50.00", asked=Money("30.00", "EUR"))
    # 119.00 + 30.00
    assert rules.total([one(1, "119.00"), disputed]) == Money("149.00", "EUR")


@pytest.mark.parametrize(
    ("invoices", "code"),
    [
        ([], "invoices_not_overdue"),
        ([one(1, "1"), one(2, "1", is_overdue=False)], "invoices_not_overdue"),
        ([one(1, "1"), one(2, "1", currency="USD")], "invoices_have_different_currencies"),
        ([one(1, "1"), one(2, "1", billing_entity_id=2)], "invoices_have_different_billing_entities"),
        ([one(1, "1", asked=Money(0, "EUR"))], "invoices_not_ready_for_payment_processing"),
    ],
)
def test_what_cannot_be_asked_for_together(invoices: list[Open], code: str) -> None:
    with pytest.raises(UnableToRequest) as refused:
        rules.total(invoices)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("amount", "parts"),
    [
        ("30.00", {2: "30.00"}),  # 2 is due on the 1st, 1 on the 2nd
        ("100.00", {2: "100.00"}),
        ("100.01", {2: "100.00", 1: "0.01"}),
        ("150.00", {2: "100.00", 1: "50.00"}),
    ],
)
def test_the_longest_due_is_paid_first(amount: str, parts: dict[int, str]) -> None:
    found = rules.shares(Money(amount, "EUR"), invoices=[one(1, "50.00", day=2), one(2, "100.00")])
    assert found == {pk: Money(part, "EUR") for pk, part in parts.items()}


@pytest.mark.parametrize("amount", [Money("0", "EUR"), Money("-1", "EUR"), Money("150.01", "EUR"), Money("1", "USD")])
def test_nothing_less_than_nothing_too_much_and_other_money_pay_nothing(amount: Money) -> None:
    with pytest.raises(NotPayable):
        rules.shares(amount, invoices=[one(1, "50.00"), one(2, "100.00")])


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=6), st.data())
def test_shares_sum_to_the_payment_and_no_invoice_gets_more_than_is_due(cents: list[int], data: st.DataObject) -> None:
    invoices = [one(pk, str(Decimal(amount) / 100), day=1 + pk % 3) for pk, amount in enumerate(cents)]
    paid = Money(Decimal(data.draw(st.integers(1, sum(cents)))) / 100, "EUR")
    found = rules.shares(paid, invoices=invoices)
    assert sum(found.values(), Money(0, "EUR")) == paid
    assert all(Money(0, "EUR") < found[part.id] <= part.due for part in invoices if part.id in found)
    # Whoever is due later gets something only when all before are paid in full.
    ordered = sorted(invoices, key=lambda part: (part.due_on, part.id))
    partly = [part.id for part in ordered if found.get(part.id) != part.due]
    assert len([pk for pk in partly if pk in found]) <= 1
    assert rules.shares(paid, invoices=list(reversed(invoices))) == found


def test_what_is_disputed_is_paid_last() -> None:
    half = one(1, "100.00", asked=Money("40.00", "EUR"))
    both = [half, one(2, "50.00", day=2)]
    # What was asked for, 40 + 50, leaves only the 60 in dispute; one cent more is a part of those.
    assert rules.shares(Money("90.00", "EUR"), invoices=both) == {1: Money("40.00", "EUR"), 2: Money("50.00", "EUR")}
    assert rules.shares(Money("90.01", "EUR"), invoices=both)[1] == Money("40.01", "EUR")
    assert sum(rules.shares(Money("150.00", "EUR"), invoices=both).values(), Money(0, "EUR")) == Money("150.00", "EUR")

"""Fixed charges that were paid in advance when the plan is changed within the period: no day is paid twice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain import verification
from billing.models import RatedCharge
from billing.queries import fixed_units
from billing.services import fixed_changes
from catalog.models import AddOn, PlanVersion
from catalog.services import plans
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import fixed
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def seat() -> AddOn:
    return fixed.make_add_on()


def make_plan(code: str, seat: AddOn, *numbers: str, amount: str = "10", **terms: Any) -> PlanVersion:
    """Make a plan with a fixed charge of the same add-on for each number of units, in advance and by the day."""
    charges = [
        fixed.standard(seat, units, amount, code=f"seats{number}", pay_in_advance=True, prorated=True)
        for number, units in enumerate(numbers)
    ]
    return goods.make_plan(code, cents=0, fixed_charges=charges, **terms)


def billed(customer: Customer) -> list[str]:
    rows = InvoiceLine.objects.filter(customer=customer, kind=InvoiceLine.Kind.FIXED_CHARGE).order_by("pk")
    return [f"{row.currency} {row.amount.amount.normalize():f}" for row in rows]


@pytest.mark.parametrize(
    ("second", "third", "amounts"),
    [
        # 100.00 are paid for all of January: neither plan costs more for the days that are left
        ("2026-01-11T10:00", "2026-01-21T10:00", ["100", "0", "0"]),
        ("2026-01-11T10:00", "2026-01-11T12:00", ["100", "0", "0"]),
    ],
)
def test_two_upgrades_in_a_period_bill_no_day_twice(
    customer: Customer, seat: AddOn, second: str, third: str, amounts: list[str]
) -> None:
    made.make_subscription(customer, make_plan("a", seat, "10"), at=instant("2026-01-01"))
    made.make_subscription(customer, make_plan("b", seat, "10"), at=instant(second))
    made.make_subscription(customer, make_plan("c", seat, "10"), at=instant(third))

    assert [amount.removeprefix("EUR ") for amount in billed(customer)] == amounts


def test_a_dearer_plan_in_between_counts_with_all_that_was_paid(customer: Customer, seat: AddOn) -> None:
    made.make_subscription(customer, make_plan("a", seat, "10"), at=instant("2026-01-01"))
    made.make_subscription(customer, make_plan("b", seat, "20"), at=instant("2026-01-11T10:00"))
    made.make_subscription(customer, make_plan("c", seat, "30"), at=instant("2026-01-21T10:00"))

    # b: 13.548387 × 10.00 − 100.00 × 21 / 31 = 135.48387 − 67.74
    # c: 10.645161 × 10.00 − (67.74 + 67.74) × 11 / 21 = 106.45161 − 70.97
    assert billed(customer) == ["EUR 100", "EUR 67.74", "EUR 35.48"]
    for row in RatedCharge.objects.select_related("line"):
        found = verification.verify(trace=row.trace, sha256=row.trace_sha256, amount=row.line.amount.amount)
        assert found.is_right


def test_two_fixed_charges_of_an_add_on_share_what_was_paid(customer: Customer, seat: AddOn) -> None:
    made.make_subscription(customer, make_plan("a", seat, "10"), at=instant("2026-01-01"))
    made.make_subscription(customer, make_plan("b", seat, "6", "10"), at=instant("2026-01-11T10:00"))

    # 67.74 of 100.00 is for the days left: 40.64516 of it pays the first one (4.064516 × 10.00), 27.09484 are left
    # for the second: 67.74194 − 27.09 = 40.65
    assert billed(customer) == ["EUR 100", "EUR 0", "EUR 40.65"]
    total = sum(Decimal(amount.removeprefix("EUR ")) for amount in billed(customer))
    assert total == Decimal("140.65")


def test_another_currency_pays_for_nothing(customer: Customer, seat: AddOn) -> None:
    made.make_subscription(customer, make_plan("a", seat, "10"), at=instant("2026-01-01"))
    made.make_subscription(customer, make_plan("b", seat, "10", currency="USD"), at=instant("2026-01-11T10:00"))

    # 6.774194 × 10.00
    assert billed(customer) == ["EUR 100", "USD 67.74"]


def test_a_number_of_what_is_sold_no_more_does_not_wait_forever(customer: Customer, seat: AddOn) -> None:
    made.make_subscription(customer, make_plan("a", seat, "10"), at=instant("2026-01-01"))
    more: Any = {"fixed_charges": [{"code": "seats0", "units": Decimal(15), "apply_units_immediately": True}]}
    plans.update(code="a", values=more, actor=ACTOR, at=instant("2026-01-10"))
    assert fixed_units.unbilled().count() == 1
    plans.update(code="a", values={"fixed_charges": []}, actor=ACTOR, at=instant("2026-01-10T01:00"))

    assert not fixed_units.unbilled().exists()
    assert fixed_changes.bill_waiting(as_of=instant("2026-01-10T02:00")).invoices == 0
    assert billed(customer) == ["EUR 100"]

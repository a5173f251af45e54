"""The end of a plan that was paid in advance: what was billed and is not used is given back, as it was agreed."""

from __future__ import annotations

from typing import Any

import pytest

from billing.domain import terms
from billing.services import runs, subscription_moves
from catalog.models import PlanVersion
from customers.models import BillingEntity, Customer
from invoicing.models import CreditNote, Invoice
from invoicing.services import invoices
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, begin, credited, end, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def small() -> PlanVersion:
    return goods.make_plan("small", cents=3100)


@pytest.mark.parametrize(
    ("options", "notes", "count"),
    [
        ({}, ["15"], 2),
        ({"on_termination_credit_note": "credit", "on_termination_invoice": "skip"}, ["15"], 1),
        ({"on_termination_credit_note": "skip"}, [], 2),
    ],
)
def test_the_end_of_a_plan_in_advance(
    customer: Customer, options: dict[str, str], notes: list[str], count: int
) -> None:
    plan = goods.make_plan("small", cents=3100, pay_in_advance=True)
    found = end(begin(customer, plan, "2026-01-01"), "2026-01-16T10:00", **options)

    # 31.00 × 15 / 31: the days after the one of the end
    assert credited(customer) == notes
    assert Invoice.objects.count() == count
    assert found.on_termination_credit_note == options.get("on_termination_credit_note", "credit")
    end(found, "2026-01-17")
    assert credited(customer) == notes


@pytest.mark.parametrize(("option", "notes"), [("", ["15"]), ("skip", []), ("offset", ["15"])])
def test_an_agreed_end_uses_what_was_agreed(customer: Customer, option: str, notes: list[str]) -> None:
    plan = goods.make_plan("small", cents=3100, pay_in_advance=True)
    begin(
        customer, plan, "2026-01-01", ending_at=instant("2026-01-16T10:00"), on_termination_credit_note=option or None
    )

    subscription_moves.terminate_ended(as_of=instant("2026-01-17"))

    assert credited(customer) == notes
    if notes:
        note = CreditNote.objects.get()
        assert (note.reason, note.offset_amount.amount) == ("order_cancellation", 15 if option == "offset" else 0)


def test_only_what_was_billed_is_given_back(customer: Customer, settings: Any) -> None:
    plan = goods.make_plan("small", cents=3100, pay_in_advance=True)
    settings.BILLING_CATCH_UP = False
    missed = begin(customer, plan, "2026-01-01", external_id="missed")
    end(missed, "2026-02-10")
    assert credited(customer) == []

    settings.BILLING_CATCH_UP = True
    open_day = begin(customer, plan, "2026-01-01", external_id="open", subscription_at=instant("2026-01-01"))
    end(open_day, "2026-02-14")
    # February is billed first, and then half of it is given back.
    assert credited(customer) == ["15.5"]


def test_in_arrears_there_is_nothing_to_give_back(customer: Customer, small: PlanVersion) -> None:
    found = end(begin(customer, small, "2026-01-01"), "2026-01-16", on_termination_credit_note="refund")

    assert (found.on_termination_credit_note, credited(customer)) == ("", [])
    with pytest.raises(terms.InvalidTerms) as refusal:
        begin(customer, small, "2026-01-17", on_termination_credit_note="refund")
    assert refusal.value.details == {"on_termination_credit_note": ["value_must_be_blank"]}


def test_a_draft_is_credited_too(entity: BillingEntity, customer: Customer) -> None:
    Customer.objects.update(invoice_grace_period=3)
    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True), "2026-01-01")
    begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True), "2026-01-02T10:00")
    assert list(CreditNote.objects.values_list("status", flat=True)) == ["draft"]

    later = instant("2026-01-10")
    runs.run(as_of=later, trigger="test", actor=ACTOR)
    invoices.finalize_due(as_of=later)

    # 31.00, of which 30 days come back, and 62.00 × 30 / 31
    assert amounts(customer) == ["small 31", "big 60"]
    assert credited(customer) == ["30"]
    assert list(CreditNote.objects.values_list("status", flat=True)) == ["finalized"]
    assert set(Invoice.objects.values_list("status", flat=True)) == {"finalized"}


@pytest.mark.parametrize(
    ("option", "notes"),
    [("credit", ["26"]), ("skip", [])],  # 31.00 × 26 / 31: the days after the fifth
)
def test_a_draft_that_is_voided_and_billed_anew_is_credited_anew(
    customer: Customer, option: str, notes: list[str]
) -> None:
    Customer.objects.update(invoice_grace_period=10)
    plan = goods.make_plan("small", cents=3100, pay_in_advance=True)
    end(begin(customer, plan, "2026-01-01"), "2026-01-05T10:00", on_termination_credit_note=option)
    assert credited(customer) == notes
    first = Invoice.objects.order_by("pk")[0]

    invoices.void_draft(invoice_id=first.pk, reason="wrong", actor=ACTOR, at=instant("2026-01-06"))
    assert credited(customer) == []
    run("2026-01-06T12:00")
    run("2026-01-06T13:00")

    assert amounts(customer) == ["small 31", "small 31"]
    assert credited(customer) == notes
    invoices.finalize_due(as_of=instant("2026-01-20"))
    assert list(CreditNote.objects.values_list("status", flat=True)) == ["finalized"] * len(notes)


def test_the_old_plan_is_credited_anew_after_an_upgrade(customer: Customer) -> None:
    Customer.objects.update(invoice_grace_period=10)
    begin(customer, goods.make_plan("small", cents=3100, pay_in_advance=True), "2026-01-01")
    begin(customer, goods.make_plan("big", cents=6200, pay_in_advance=True), "2026-01-05T10:00")
    first = Invoice.objects.order_by("pk")[0]

    invoices.void_draft(invoice_id=first.pk, reason="wrong", actor=ACTOR, at=instant("2026-01-06"))
    run("2026-01-06T12:00")

    # 31.00 × 27 / 31: the day of the change is the new plan's
    assert credited(customer) == ["27"]
    assert CreditNote.objects.get().reason == "order_change"

"""Which subscriptions of a customer share an invoice: purchase order numbers, and those that share none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.models import Subscription
from billing.services import drafts, late_usage, subscription_updates
from config.kernel import errors
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.plan_stories import amounts, end, run
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def shared(customer: Customer) -> list[tuple[str, list[str]]]:
    """Return the purchase order number of each invoice, with the subscriptions on it."""
    rows = Invoice.objects.filter(customer=customer).order_by("pk").prefetch_related("lines")
    return [(row.purchase_order_number, sorted({line.group_key for line in row.lines.all()})) for row in rows]


def test_different_numbers_never_share_an_invoice(customer: Customer) -> None:
    plan = goods.make_plan("plan", cents=3100)
    for number, values in enumerate(
        ({}, {"purchase_order_number": "PO-2"}, {"purchase_order_number": "PO-1"}, {"purchase_order_number": "PO-2"})
    ):
        made.make_subscription(customer, plan, f"s{number}", at=instant("2026-01-01"), **values)

    run("2026-02-01")

    assert shared(customer) == [("", ["s0"]), ("PO-1", ["s2"]), ("PO-2", ["s1", "s3"])]


def test_one_that_shares_none_has_its_own_invoice(customer: Customer) -> None:
    plan = goods.make_plan("plan", cents=3100)
    for number, shares in enumerate((True, False, True, False)):
        made.make_subscription(customer, plan, f"s{number}", at=instant("2026-01-01"), consolidate_invoice=shares)

    run("2026-02-01")

    assert shared(customer) == [("", ["s0", "s2"]), ("", ["s1"]), ("", ["s3"])]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # Nothing is said: the number goes on, and both sides are on one invoice.
        ({}, [("PO-1", ["sub"], 2)]),
        ({"purchase_order_number": "PO-2"}, [("PO-1", ["sub"], 1), ("PO-2", ["sub"], 1)]),
        ({"consolidate_invoice": False}, [("PO-1", ["sub"], 1), ("PO-1", ["sub"], 1)]),
    ],
)
@pytest.mark.parametrize("day", [None, date(2026, 1, 20)])
def test_a_change_of_plan_with_another_number_makes_two_invoices(
    customer: Customer, values: dict[str, Any], expected: list[tuple[str, list[str], int]], day: date | None
) -> None:
    made.make_subscription(
        customer, goods.make_plan("small", cents=3100), at=instant("2026-01-01"), purchase_order_number="PO-1"
    )
    big = goods.make_plan("big", cents=6200, pay_in_advance=True)
    when = None if day is None else chosen_times.on(day)

    made.make_subscription(customer, big, at=instant("2026-01-16"), change_at=when, **values)
    run("2026-01-21")

    rows = Invoice.objects.order_by("pk").prefetch_related("lines")
    found = [(row.purchase_order_number, row.lines.count()) for row in rows]
    assert found == [(number, count) for number, _, count in expected]
    assert {row.consolidate_invoice for row in Subscription.objects.filter(status="active")} == {
        values.get("consolidate_invoice", True)
    }


def test_a_new_number_goes_for_invoices_to_be_made(customer: Customer) -> None:
    customer.invoice_grace_period = 3
    customer.save(update_fields=["invoice_grace_period"])
    first = made.make_subscription(
        customer, goods.make_plan("plan", cents=3100), at=instant("2026-01-01"), purchase_order_number="PO-1"
    )
    run("2026-02-01")
    draft = Invoice.objects.get()

    subscription_updates.update(
        subscription_id=first.pk, changes={"purchase_order_number": "PO-2"}, actor=ACTOR, at=instant("2026-02-02")
    )
    drafts.recompute(invoice_ids=[draft.pk], actor=ACTOR, at=instant("2026-02-02"))
    run("2026-03-01")

    assert shared(customer) == [("PO-1", ["sub"]), ("PO-2", ["sub"])]
    end(first, "2026-03-10")
    with pytest.raises(errors.NotAllowed) as refusal:
        subscription_updates.update(
            subscription_id=first.pk, changes={"purchase_order_number": "PO-3"}, actor=ACTOR, at=instant("2026-03-11")
        )
    assert refusal.value.code == "subscription_not_active"


@pytest.mark.parametrize(("agreed", "after"), [({}, "PO-9"), ({"purchase_order_number": "PO-2"}, "PO-2")])
def test_a_change_that_waits_takes_a_new_number_over(customer: Customer, agreed: dict[str, str], after: str) -> None:
    first = made.make_subscription(
        customer, goods.make_plan("big", cents=6200), at=instant("2026-01-01"), purchase_order_number="PO-1"
    )
    made.make_subscription(customer, goods.make_plan("small", cents=3100), at=instant("2026-01-05"), **agreed)

    subscription_updates.update(
        subscription_id=first.pk, changes={"purchase_order_number": "PO-9"}, actor=ACTOR, at=instant("2026-01-06")
    )
    run("2026-02-01")
    run("2026-03-01")

    assert [number for number, _ in shared(customer)] == ["PO-9", after]
    assert amounts(customer) == ["big 62", "small 31"]


@pytest.mark.parametrize("values", [{"purchase_order_number": "PO-1"}, {"consolidate_invoice": False}])
def test_late_usage_goes_on_an_invoice_of_its_own_kind(customer: Customer, values: dict[str, Any]) -> None:
    charges = [goods.standard(goods.make_metric("requests"), "0.10")]
    plan = goods.make_plan("plan", cents=3100, charges=charges)
    made.make_subscription(customer, plan, "plain", at=instant("2026-01-01"))
    made.make_subscription(customer, plan, "own", at=instant("2026-01-01"), **values)
    Subscription.objects.filter(external_id="own").update(late_usage_policy="bill")
    run("2026-02-01")
    made.send("own", "requests", "2026-01-20")
    late_usage.run(as_of=instant("2026-02-10"))

    run("2026-03-01")

    late = Invoice.objects.filter(lines__label__endswith="late usage").get()
    assert {line.group_key for line in late.lines.all()} == {"own"}
    assert late.purchase_order_number == values.get("purchase_order_number", "")


def test_one_that_waits_for_its_start_takes_what_comes_with_another_plan(customer: Customer) -> None:
    later = {"subscription_at": instant("2026-03-01")}
    made.make_subscription(customer, goods.make_plan("small", cents=3100), at=instant("2026-01-01"), **later)
    values = {"purchase_order_number": "PO-1", "consolidate_invoice": False}

    found = made.make_subscription(customer, goods.make_plan("big", cents=6200), at=instant("2026-01-02"), **values)

    found.refresh_from_db()
    assert (found.purchase_order_number, found.consolidate_invoice, Subscription.objects.count()) == ("PO-1", False, 1)

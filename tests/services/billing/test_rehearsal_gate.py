"""The gate of a signed-off run: what is not as it was agreed to is refused with the inputs that changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import BillingRun, BillingRunItem, Rehearsal, Subscription
from billing.queries import rehearsals as known
from billing.services import (
    rehearsal_billing,
)
from catalog.models import BillableMetric, Plan, PlanVersion, Tax
from catalog.services import plans
from config.kernel.actors import Actor
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import coupons as discounts
from tests.factories import invoicing as parties
from tests.factories import migration_stories as people
from tests.factories.billing import instant
from tests.factories.platform import ACTOR
from tests.factories.rehearsals import FEBRUARY, bill, rehearse, run, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Actor:
    return people.person("anna")


@pytest.fixture
def ben() -> Actor:
    return people.person("ben")


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity(taxes=[parties.make_tax()])


@pytest.fixture
def requests() -> BillableMetric:
    return goods.make_metric("requests")


@pytest.fixture
def plan(requests: BillableMetric) -> PlanVersion:
    return goods.make_plan("pro", cents=3100, charges=[goods.standard(requests, "0.10")])


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def agreed(customer: Customer, plan: PlanVersion, anna: Actor, ben: Actor) -> Rehearsal:
    """A signed-off February of two customers: c1 with two calls, and c2 with none."""
    other = parties.make_customer(customer.billing_entity, "c2")
    made.make_subscription(customer, plan, at=instant("2026-02-01"))
    made.make_subscription(other, plan, "sub2", at=instant("2026-02-01"))
    made.send("sub", "requests", "2026-02-10", "2026-02-11")
    row = rehearse(FEBRUARY, anna)
    assert row.invoices_count == 2
    return sign(row, ben)


def an_event(customer: Customer) -> None:
    made.send("sub", "requests", "2026-02-12")


def a_price(customer: Customer) -> None:
    plan = Plan.objects.get(code="pro")
    charge = plan.versions.get().charges.get()
    content: Any = {
        "charges": [
            {"id": charge.key, "code": "requests", "charge_model": "standard", "properties": {"amount": "0.20"}},
        ]
    }
    plans.update(code="pro", values=content, actor=ACTOR, at=instant(FEBRUARY))


def a_tax_id(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(tax_identification_number="DE811569869")


def a_coupon(customer: Customer) -> None:
    discounts.give(customer, at=instant(FEBRUARY))


def an_order_number(customer: Customer) -> None:
    Subscription.objects.filter(customer=customer).update(purchase_order_number="PO-7")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            an_event,
            # 31.00 + 3 × 0.10 = 31.30, and 19 % of it 5.947
            (
                "Changed since the sign-off: usage of requests (was 2 in 2 events, is 3 in 3 events). "
                "It would come to 37.25 EUR instead of 37.13 EUR."
            ),
        ),
        (a_tax_id, "Changed since the sign-off: tax facts of the buyer (was no VAT id, is DE811569869)."),
        (
            a_coupon,
            # 31.20 − 10.00 = 21.20, with 19 % 25.228
            (
                "Changed since the sign-off: coupons (was 0.00 EUR, is 10.00 EUR). "
                "It would come to 25.23 EUR instead of 37.13 EUR."
            ),
        ),
        (
            an_order_number,
            (
                "Changed since the sign-off: purchase order number (was nothing, is PO-7). "
                "It would still come to 37.13 EUR."
            ),
        ),
    ],
)
def test_an_invoice_whose_inputs_changed_is_refused_and_the_others_are_billed(
    agreed: Rehearsal, customer: Customer, change: Any, says: str
) -> None:
    change(customer)

    done = bill(agreed)

    assert (done.status, done.invoices_count, done.failures_count) == ("failed", 1, 1)
    assert [invoice.customer.external_id for invoice in Invoice.objects.all()] == ["c2"]
    (refused,) = BillingRunItem.objects.filter(run=done, invoice__isnull=True)
    assert (refused.customer, refused.error_code) == (customer, "inputs_changed")
    assert says in refused.error
    assert Subscription.objects.get(external_id="sub").next_billing_date == date(2026, 3, 1)
    assert Rehearsal.objects.get().state == "billed"


def test_a_tax_rate_that_changed_is_refused_for_all(agreed: Rehearsal, customer: Customer) -> None:
    Tax.objects.update(rate=Decimal("0.07"))

    done = bill(agreed)

    assert (done.invoices_count, done.failures_count) == (0, 2)
    # 31.20 × 1.07 = 33.384
    assert BillingRunItem.objects.get(run=done, customer=customer).error == (
        "Changed since the sign-off: tax (was VAT19 19 %, is VAT19 7 %). It would come to 33.38 EUR "
        "instead of 37.13 EUR."
    )


def test_a_price_that_was_published_since_is_refused_for_all(agreed: Rehearsal, customer: Customer) -> None:
    a_price(customer)

    done = bill(agreed)

    assert (done.invoices_count, done.failures_count) == (0, 2)
    first = BillingRunItem.objects.get(run=done, customer=customer)
    assert "price of requests" in first.error
    assert "plan version of sub (was 1, is 2)" in first.error
    # 31.00 + 2 × 0.20 = 31.40, with 19 % 37.366
    assert "37.37 EUR instead of 37.13 EUR" in first.error
    assert not Invoice.objects.exists()


def test_the_rest_can_be_rehearsed_again(agreed: Rehearsal, customer: Customer, anna: Actor, ben: Actor) -> None:
    an_event(customer)
    bill(agreed)

    again = rehearse(FEBRUARY, anna)

    (found,) = known.invoices(rehearsal_id=again.pk)
    assert (found.customer, found.total_amount.amount) == (customer, Decimal("37.25"))
    done = bill(sign(again, ben))
    assert (done.invoices_count, done.failures_count) == (1, 0)


def test_what_was_not_rehearsed_or_is_billed_elsewhere_is_told(
    agreed: Rehearsal, customer: Customer, plan: PlanVersion
) -> None:
    new = parties.make_customer(customer.billing_entity, "c3")
    made.make_subscription(new, plan, "sub3", at=instant("2026-02-20"))
    run(FEBRUARY, customer_ids=[customer.pk])

    done = bill(agreed)

    told = {item.customer.external_id: item.error for item in BillingRunItem.objects.filter(run=done, invoice=None)}
    assert set(told) == {"c1", "c3"}
    assert "nothing is due any more" in told["c1"]
    # 31.00 × 9 / 28 = 9.96, with 19 % 11.85
    assert told["c3"] == "Changed since the sign-off: an invoice of 2026-03-01 over 11.85 EUR was not rehearsed."
    assert (done.invoices_count, done.failures_count) == (1, 2)


def test_what_was_rehearsed_cannot_be_changed_by_sql(agreed: Rehearsal) -> None:
    statements = (
        "UPDATE billing_rehearsedinvoice SET total_amount = 1",
        "DELETE FROM billing_rehearsedinvoice",
        "UPDATE billing_rehearsal SET state = 'ready'",
        "UPDATE billing_rehearsal SET as_of = as_of + interval '1 day'",
        "UPDATE billing_rehearsal SET remark = 'other'",
        "DELETE FROM billing_rehearsal",
    )
    for statement in statements:
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert bill(agreed).invoices_count == 2


def test_a_run_of_a_rehearsal_goes_on_where_it_was_broken_off(
    agreed: Rehearsal, customer: Customer, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.BILLING_RUN_CHUNK = 1
    an_event(customer)

    def killed(done: int, total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    rehearsal_billing.ask(rehearsal_id=agreed.pk, actor=ACTOR, at=agreed.as_of)
    with pytest.raises(KeyboardInterrupt):
        rehearsal_billing.bill(rehearsal_id=agreed.pk, actor=ACTOR, at=agreed.as_of, progress=killed)
    assert Rehearsal.objects.get().state == "signed_off"

    assert rehearsal_billing.run(as_of=instant("2026-03-01T01:00")) == 1

    done = BillingRun.objects.get()
    assert (done.status, done.invoices_count, done.failures_count, done.customers_done) == ("failed", 1, 1, 2)
    assert BillingRunItem.objects.filter(run=done).count() == 2
    assert Rehearsal.objects.get().run == done

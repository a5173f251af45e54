"""What this app adds to invoices, fees and plans: periods, origins, filters; for whole lists at once."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services import runs, terminations
from catalog.queries import plans
from config.kernel import registry
from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    """A customer in Tokyo whose plan prices requests to the EU differently, billed for January."""
    found = parties.make_customer(parties.make_entity(), timezone="Asia/Tokyo")
    metric = goods.make_metric("requests", filters=[{"key": "region", "values": ["eu", "us"]}])
    charge = goods.standard(
        metric,
        "0.10",
        filters=[{"invoice_display_name": "Europe", "values": {"region": ["eu"]}, "properties": {"amount": "0.20"}}],
    )
    plan = goods.make_plan("pro", cents=3100, charges=[charge])
    made.make_subscription(found, plan, at=instant("2025-12-31T18:00"))
    made.send("sub", "requests", "2026-01-10", "2026-01-11", region="eu")
    made.send("sub", "requests", "2026-01-12", region="us")
    return found


def test_an_invoice_and_its_fees_say_what_they_bill(customer: Customer) -> None:
    runs.run(as_of=instant("2026-01-31T15:00"), trigger="test", actor=ACTOR)
    subscription = customer.subscriptions.get()
    charge = subscription.plan_version.charges.get()

    shown = ApiClient().read(f"invoices/{Invoice.objects.get().uuid}").json()["invoice"]

    assert [(row["external_id"], row["status"]) for row in shown["subscriptions"]] == [("sub", "active")]
    [period] = shown["billing_periods"]
    assert period == {
        "lago_subscription_id": str(subscription.uuid),
        "external_subscription_id": "sub",
        "lago_plan_id": str(subscription.plan_version.plan.uuid),
        # The whole local month: from midnight in Tokyo, though it began at 03:00 there.
        "subscription_from_datetime": "2025-12-31T15:00:00Z",
        "subscription_to_datetime": "2026-01-31T14:59:59Z",
        "charges_from_datetime": "2025-12-31T18:00:00Z",
        "charges_to_datetime": "2026-01-31T14:59:59Z",
        "fixed_charges_from_datetime": None,
        "fixed_charges_to_datetime": None,
        "invoicing_reason": "subscription_periodic",
    }
    fee, own, europe = shown["fees"]
    assert [row["amount_cents"] for row in (fee, own, europe)] == [3100, 10, 40]
    assert {row["external_subscription_id"] for row in shown["fees"]} == {"sub"}
    assert {row["lago_subscription_id"] for row in shown["fees"]} == {str(subscription.uuid)}
    assert (fee["lago_charge_id"], fee["item"]["lago_item_id"]) == (None, str(subscription.uuid))
    assert fee["item"]["item_type"] == "Subscription"
    assert own["lago_charge_id"] == europe["lago_charge_id"] == str(charge.key)
    assert own["lago_charge_filter_id"] is None
    assert own["item"]["lago_item_id"] == str(charge.metric.uuid)
    assert europe["lago_charge_filter_id"] == str(charge.filters.get().key)
    assert europe["item"]["filters"] == {"region": ["eu"]}
    assert europe["item"]["filter_invoice_display_name"] == "Europe"
    assert (europe["from_date"], europe["to_date"]) == ("2025-12-31T18:00:00Z", "2026-01-31T14:59:59Z")


def test_parts_cost_the_same_for_one_and_for_many(customer: Customer) -> None:
    runs.run(as_of=instant("2026-05-05"), trigger="test", actor=ACTOR)
    invoices, lines = list(Invoice.objects.all()), list(InvoiceLine.objects.all())
    assert (len(invoices), len(lines)) == (4, 6)

    def queries(name: str, rows: list[object]) -> int:
        with CaptureQueriesContext(connection) as found:
            registry.parts(name, rows)
        return len(found)

    assert queries("invoicing.invoice", invoices) == queries("invoicing.invoice", invoices[:1])
    assert queries("invoicing.line", lines) == queries("invoicing.line", lines[:1]) == 1


def test_a_plan_is_in_use_while_somebody_has_it(customer: Customer) -> None:
    subscription = customer.subscriptions.get()
    plan = subscription.plan_version.plan

    assert plans.in_use(plan)
    assert not plans.in_use(goods.make_plan("other").plan)
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-01-20"))
    assert not plans.in_use(plan)


def test_whether_plans_are_in_use_is_asked_per_plan_not_per_subscription(customer: Customer) -> None:
    version = goods.make_plan("big")
    for number in range(3):
        made.make_subscription(customer, version, f"s{number}", at=instant("2026-01-01"))
    unused = goods.make_plan("unused").plan

    with CaptureQueriesContext(connection) as queries:
        found = registry.parts(plans.USE, [version.plan, unused])

    assert {pk: part["in_use"] for pk, part in found.items()} == {version.plan.pk: True, unused.pk: False}
    [query] = queries
    with connection.cursor() as cursor:
        cursor.execute(query["sql"])
        assert len(cursor.fetchall()) == 1

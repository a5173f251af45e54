"""The official Python client of the reference against a running server: from a metric to an invoice, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.utils import timezone
from lago_python_client.client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import (
    BatchEvent,
    BillableMetric,
    Charge,
    Charges,
    Customer,
    Event,
    Plan,
    Subscription,
)
from pytest_django.live_server_helper import LiveServer

from customers.services import billing_entities
from tests.factories import platform, usage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(live_server: LiveServer) -> Iterator[Client]:
    usage.clear()
    billing_entities.ensure_default(at=timezone.now())
    yield Client(api_key=platform.make_key(at=timezone.now()).secret, api_url=live_server.url)
    usage.clear()


def test_from_metric_to_invoice(client: Client) -> None:
    metric = client.billable_metrics.create(
        BillableMetric(name="Calls", code="calls", aggregation_type="sum_agg", field_name="units")
    )
    charge = Charge(billable_metric_id=metric.lago_id, charge_model="standard", properties={"amount": "0.25"})
    plan = client.plans.create(
        Plan(
            name="Pro",
            code="pro",
            interval="monthly",
            amount_cents=0,
            amount_currency="EUR",
            pay_in_advance=False,
            charges=Charges(__root__=[charge]),
        )
    )
    customer = client.customers.create(Customer(external_id="acme", name="Acme", currency="EUR"))
    subscription = client.subscriptions.create(
        Subscription(external_customer_id="acme", external_id="acme-pro", plan_code="pro")
    )
    assert (plan.charges.__root__[0].billable_metric_code, customer.external_id) == ("calls", "acme")
    assert subscription.status == "active"

    event = client.events.create(
        Event(
            transaction_id="1",
            external_subscription_id="acme-pro",
            code="calls",
            properties={"units": "3"},
        )
    )
    assert event.external_subscription_id == "acme-pro"
    client.events.batch_create(
        BatchEvent(
            events=[
                Event(
                    transaction_id=str(number),
                    external_subscription_id="acme-pro",
                    code="calls",
                    properties={"units": "2.5"},
                )
                for number in (2, 3)
            ]
        )
    )
    with pytest.raises(LagoApiError) as refused:  # a repeat is refused and counts for nothing
        client.events.create(
            Event(
                transaction_id="1",
                external_subscription_id="acme-pro",
                code="calls",
                properties={"units": "3"},
            )
        )
    assert refused.value.status_code == 422
    assert refused.value.response["error_details"] == {"transaction_id": ["value_already_exist"]}

    current = client.customers.current_usage("acme", "acme-pro")
    (line,) = current.charges_usage
    assert (Decimal(line.units), line.events_count) == (Decimal(8), 3)  # 3 + 2.5 + 2.5
    assert (line.amount_cents, current.amount_cents) == (200, 200)  # 8 × 0.25 €

    client.subscriptions.destroy("acme-pro")  # ends it, which makes its last invoice
    listed = client.invoices.find_all({"external_customer_id": "acme"})
    assert listed["meta"]["total_count"] == 1
    invoice = client.invoices.find(listed["invoices"][0].lago_id)
    assert (invoice.status, invoice.currency, invoice.total_amount_cents) == ("finalized", "EUR", 200)
    fees = {fee.item.code: fee for fee in invoice.fees.__root__}
    assert Decimal(fees["calls"].units) == 8
    assert fees["calls"].amount_cents == 200

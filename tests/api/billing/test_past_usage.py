"""``/customers/:external_id/past_usage``: billed periods as they were billed, whatever happens afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription
from billing.services import runs
from catalog.models import Charge
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    customer = parties.make_customer(parties.make_entity())
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    return customer


@pytest.fixture
def subscription(customer: Customer) -> Subscription:
    calls = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu"]}])
    storage = goods.make_metric("storage", "sum_agg", field_name="gb")
    charges = [
        goods.standard(calls, "1", filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]),
        goods.standard(storage, properties={"amount": "0.5", "pricing_group_keys": ["team"]}),
    ]
    return made.make_subscription(
        customer, goods.make_plan("pro", cents=3100, charges=charges), at=instant("2026-05-04")
    )


def bill(*days: str) -> None:
    for day in days:
        runs.run(as_of=instant(day), trigger="test", actor=ACTOR)


def read(api: ApiClient, customer: Customer, **params: Any) -> Any:
    return api.read(f"customers/{customer.external_id}/past_usage", **{"external_subscription_id": "sub", **params})


def test_periods_are_shown_as_they_were_billed(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    made.send("sub", "calls", "2026-05-05", "2026-05-06", region="eu")
    made.send("sub", "calls", "2026-05-05", region="jp")
    made.send("sub", "storage", "2026-05-05", team="red", gb=3)
    bill("2026-06-01")
    made.send("sub", "calls", "2026-05-07", region="eu")  # too late: May was billed

    body = read(api, customer).json()

    invoice = Invoice.objects.get()
    [period] = body["usage_periods"]
    charges = {row["billable_metric"]["code"]: row for row in period.pop("charges_usage")}
    assert period == {
        "from_datetime": "2026-05-04T00:00:00Z",
        "to_datetime": "2026-05-31T23:59:59Z",
        "issuing_date": "2026-06-01",
        "currency": "EUR",
        "amount_cents": 650,  # 2 x 2.00 + 1 x 1.00 + 3 x 0.50: the plan's fee is not usage
        "taxes_amount_cents": 124,  # 0.76 + 0.19 + 0.29 (0.285), as on the lines
        "total_amount_cents": 774,
        "lago_invoice_id": str(invoice.uuid),
    }
    calls = charges["calls"]
    assert (calls["units"], calls["events_count"], calls["amount_cents"], calls["total_amount_cents"]) == (
        "3.0",
        3,
        500,
        595,
    )
    assert [(one["values"], one["units"], one["amount_cents"]) for one in calls["filters"]] == [
        ({"region": ["eu"]}, "2.0", 400),
        (None, "1.0", 100),
    ]
    [group] = charges["storage"]["grouped_usage"]
    assert (group["grouped_by"], group["units"], group["amount_cents"]) == ({"team": "red"}, "3.0", 150)
    assert charges["storage"]["charge"]["lago_id"] == str(Charge.objects.get(metric__code="storage").key)


def test_periods_are_newest_first_and_counted(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    made.send("sub", "calls", "2026-05-05", "2026-07-05")
    bill("2026-06-01", "2026-07-01", "2026-08-01")
    body = read(api, customer).json()
    assert [(one["from_datetime"][:10], one["amount_cents"]) for one in body["usage_periods"]] == [
        ("2026-07-01", 100),
        ("2026-06-01", 0),
        ("2026-05-04", 100),
    ]
    assert body["meta"]["total_count"] == 3
    body = read(api, customer, periods_count=2).json()
    assert [one["from_datetime"][:10] for one in body["usage_periods"]] == ["2026-07-01", "2026-06-01"]
    assert body["meta"]["total_count"] == 2
    body = read(api, customer, per_page=1, page=3).json()
    assert [one["from_datetime"][:10] for one in body["usage_periods"]] == ["2026-05-04"]


def test_one_metric_alone(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    made.send("sub", "calls", "2026-05-05")
    made.send("sub", "storage", "2026-05-05", gb=3)
    bill("2026-06-01")
    [period] = read(api, customer, billable_metric_code="storage").json()["usage_periods"]
    assert [row["billable_metric"]["code"] for row in period["charges_usage"]] == ["storage"]
    assert period["amount_cents"] == 150


def test_what_a_charge_lacked_to_its_minimum_is_money_and_no_usage(api: ApiClient, customer: Customer) -> None:
    charge = goods.standard(goods.make_metric("calls"), "1", min_amount_cents=1000)
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=instant("2026-05-01"))
    made.send("sub", "calls", "2026-05-05", "2026-05-06")
    bill("2026-06-01")
    [period] = read(api, customer).json()["usage_periods"]
    [row] = period["charges_usage"]
    assert (row["units"], row["events_count"], row["amount_cents"], period["amount_cents"]) == ("2.0", 2, 1000, 1000)


def test_the_running_period_is_not_past(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    made.send("sub", "calls", "2026-05-05")
    body = read(api, customer).json()
    assert body["usage_periods"] == []
    assert body["meta"] == {
        "current_page": 0,
        "next_page": None,
        "prev_page": None,
        "total_pages": 0,
        "total_count": 0,
    }


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"external_subscription_id": ""}, 422, "validation_errors"),
        ({"periods_count": "0"}, 422, "validation_errors"),
        ({"periods_count": "many"}, 422, "validation_errors"),
        ({"billable_metric_code": "nothing"}, 404, "billable_metric_not_found"),
    ],
)
def test_what_cannot_be_shown(
    api: ApiClient, customer: Customer, subscription: Subscription, params: dict[str, str], status: int, code: str
) -> None:
    response = read(api, customer, **params)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_customers_that_are_not_there(api: ApiClient) -> None:
    response = api.read("customers/nobody/past_usage", external_subscription_id="sub")
    assert (response.status_code, response.json()["code"]) == (404, "customer_not_found")


def test_queries_do_not_grow_with_periods(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            read(api, customer)
        return len(captured)

    made.send("sub", "calls", "2026-05-05", "2026-06-05", "2026-07-05", region="eu")
    bill("2026-06-01")
    queries()
    one = queries()
    bill("2026-07-01", "2026-08-01")
    assert queries() == one

"""``/customers/:external_id/current_usage``: the running period so far, rated and taxed as its invoice will be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Subscription
from billing.services import runs
from catalog.models import BillableMetric, PlanVersion
from config.kernel import statements
from customers.models import Customer
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

NOW = instant("2026-05-20T08:00")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def requests() -> BillableMetric:
    return goods.make_metric("requests")


@pytest.fixture
def plan(requests: BillableMetric) -> PlanVersion:
    egress = goods.make_metric("egress", "sum_agg", field_name="bytes", event_code="requests")
    return goods.make_plan(
        "pro", cents=3100, charges=[goods.standard(requests, "0.105"), goods.standard(egress, "0.5")]
    )


@pytest.fixture
def subscription(customer: Customer, plan: PlanVersion) -> Subscription:
    return made.make_subscription(customer, plan, at=instant("2026-05-04T12:00"))


def read(api: ApiClient, customer: Customer, *, at: datetime = NOW, **params: Any) -> dict[str, Any]:
    with time_machine.travel(at, tick=False):
        response = api.read(
            f"customers/{customer.external_id}/current_usage", **{"external_subscription_id": "sub", **params}
        )
    assert response.status_code == 200, response.content
    return response.json()["customer_usage"]


def test_usage_is_rated_from_the_start_until_now(
    api: ApiClient, customer: Customer, plan: PlanVersion, subscription: Subscription
) -> None:
    made.send("sub", "requests", "2026-05-04T11:59:59.999999", bytes=100)  # before the start
    made.send("sub", "requests", "2026-05-04T12:00", "2026-05-20T07:59", "2026-05-20T08:00", bytes=1)
    made.send("sub", "requests", "2026-05-20T08:00:00.000001", bytes=1000)  # still to come
    usage = read(api, customer)
    charges = {row["billable_metric"]["code"]: row for row in usage.pop("charges_usage")}
    assert usage == {
        "from_datetime": "2026-05-04T12:00:00Z",
        "to_datetime": "2026-05-31T23:59:59Z",
        "issuing_date": "2026-05-31",
        "currency": "EUR",
        "amount_cents": 182,  # 3 x 0.105 = 0.315 -> 0.32, and 3 x 0.50 = 1.50
        "taxes_amount_cents": 0,
        "total_amount_cents": 182,
        "lago_invoice_id": None,
    }
    assert list(charges) == ["egress", "requests"]
    charge = plan.charges.get(metric__code="requests")
    assert charges["requests"] == {
        "units": "3.0",
        "total_aggregated_units": "3.0",
        "events_count": 3,
        "amount_cents": 32,
        "taxes_amount_cents": 0,
        "total_amount_cents": 32,
        "amount_currency": "EUR",
        "pricing_unit_details": None,
        "charge": {
            "lago_id": str(charge.key),
            "code": charge.code,
            "charge_model": "standard",
            "invoice_display_name": None,
        },
        "billable_metric": {
            "lago_id": str(charge.metric.uuid),
            "name": "Requests",
            "code": "requests",
            "aggregation_type": "count_agg",
        },
        "filters": [],
        "grouped_usage": [],
        "presentation_breakdowns": [],
    }


def test_an_event_in_whole_seconds_is_not_before_a_start_within_the_second(
    api: ApiClient, customer: Customer, plan: PlanVersion
) -> None:
    body = {"external_customer_id": customer.external_id, "plan_code": "pro", "external_id": "sub"}
    with time_machine.travel(instant("2026-05-20T07:00:00.750000"), tick=False):
        assert api.call("post", "subscriptions", {"subscription": body}).status_code == 200
    made.send("sub", "requests", "2026-05-20T07:00:00", bytes=1)  # sent half a second later by a clock of whole seconds
    assert [row["events_count"] for row in read(api, customer)["charges_usage"]] == [1, 1]


def test_charges_without_usage_are_there_with_zeros(
    api: ApiClient, customer: Customer, subscription: Subscription
) -> None:
    usage = read(api, customer)
    assert (usage["amount_cents"], usage["total_amount_cents"]) == (0, 0)
    assert [(row["units"], row["events_count"], row["amount_cents"]) for row in usage["charges_usage"]] == [
        ("0.0", 0, 0),
        ("0.0", 0, 0),
    ]


def test_taxes_are_the_customers_unless_they_are_not_wanted(
    api: ApiClient, customer: Customer, subscription: Subscription
) -> None:
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    made.send("sub", "requests", "2026-05-05", bytes=10)
    usage = read(api, customer)  # 0.105 -> 0.11, and 5.00; 5.11 x 0.19 = 0.9709 -> 0.97
    assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (511, 97, 608)
    usage = read(api, customer, apply_taxes="false")
    assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (511, 0, 511)


def test_the_period_is_local_and_goes_on(
    api: ApiClient, customer: Customer, plan: PlanVersion, subscription: Subscription
) -> None:
    customer.timezone = "Asia/Tokyo"
    customer.save(update_fields=["timezone"])
    # The second period starts at midnight in Tokyo, 15:00 UTC of the day before.
    made.send("sub", "requests", "2026-05-31T14:59:59.999999", bytes=100)
    made.send("sub", "requests", "2026-05-31T15:00", bytes=1)
    usage = read(api, customer, at=instant("2026-06-02"))
    assert usage["from_datetime"] == "2026-05-31T15:00:00Z"
    assert usage["to_datetime"] == "2026-06-30T14:59:59Z"
    assert usage["amount_cents"] == 61  # 0.105 -> 0.11, and 0.50
    usage = read(api, customer, at=instant("2026-05-31T14:59"))
    assert usage["from_datetime"] == "2026-05-04T12:00:00Z"


def test_filters_are_listed_with_what_is_left(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    charge = goods.standard(
        metric,
        "1",
        filters=[
            {"values": {"region": ["eu"]}, "properties": {"amount": "2"}, "invoice_display_name": "Europe"},
            {"values": {"region": ["us"]}, "properties": {"amount": "3"}},
        ],
    )
    made.make_subscription(customer, goods.make_plan("calls", charges=[charge]), at=instant("2026-05-04"))
    made.send("sub", "calls", "2026-05-05", "2026-05-06", region="eu")
    made.send("sub", "calls", "2026-05-05", region="jp")
    (row,) = read(api, customer)["charges_usage"]
    assert (row["units"], row["events_count"], row["amount_cents"]) == ("3.0", 3, 500)  # 2 x 2.00 + 1 x 1.00
    shown = [
        (one["invoice_display_name"], one["values"], one["units"], one["events_count"], one["amount_cents"])
        for one in row["filters"]
    ]
    assert shown == [
        ("Europe", {"region": ["eu"]}, "2.0", 2, 400),
        (None, {"region": ["us"]}, "0.0", 0, 0),
        (None, None, "1.0", 1, 100),
    ]


def test_one_charge_alone(api: ApiClient, customer: Customer, plan: PlanVersion, subscription: Subscription) -> None:
    made.send("sub", "requests", "2026-05-05", bytes=10)
    charge = plan.charges.get(metric__code="egress")
    for params in ({"billable_metric_code": "egress"}, {"charge_code": charge.code}, {"charge_id": str(charge.key)}):
        usage = read(api, customer, **params)
        assert [row["billable_metric"]["code"] for row in usage["charges_usage"]] == ["egress"]
        assert usage["amount_cents"] == 500


def test_what_cannot_be_shown(api: ApiClient, customer: Customer, subscription: Subscription) -> None:
    path = f"customers/{customer.external_id}/current_usage"
    response = api.read("customers/nobody/current_usage", external_subscription_id="sub")
    assert (response.status_code, response.json()["code"]) == (404, "customer_not_found")
    for params in ({}, {"external_subscription_id": "other"}):
        response = api.read(path, **params)
        assert (response.status_code, response.json()["code"]) == (405, "no_active_subscription")
    response = api.read(path, external_subscription_id="sub", full_usage="true")
    assert (response.status_code, response.json()["code"]) == (405, "full_usage_not_allowed")
    subscription.status, subscription.terminated_at = "terminated", NOW - timedelta(days=1)
    subscription.save()
    response = api.read(path, external_subscription_id="sub")
    assert (response.status_code, response.json()["code"]) == (405, "no_active_subscription")


def test_queries_do_not_grow_with_charges(api: ApiClient, customer: Customer) -> None:
    def queries(count: int) -> int:
        charges = [goods.standard(goods.make_metric(f"m-{count}-{number}"), "1") for number in range(count)]
        made.make_subscription(customer, goods.make_plan(f"p{count}", charges=charges), f"sub{count}", at=NOW)
        with CaptureQueriesContext(connection) as captured:
            assert len(read(api, customer, external_subscription_id=f"sub{count}")["charges_usage"]) == count
        return len(captured)

    queries(1)
    assert queries(2) == queries(9)


def test_what_one_look_costs(
    api: ApiClient, customer: Customer, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[str] = []
    fetch = statements.fetch_prepared
    monkeypatch.setattr(statements, "fetch_prepared", lambda sql, given: (prepared.append(sql), fetch(sql, given))[1])
    made.send("sub", "requests", "2026-05-20T07:59", bytes=1)
    read(api, customer)
    prepared.clear()
    with CaptureQueriesContext(connection) as captured:
        read(api, customer)
    # The key, the subscription with its plan and customer, a count and a sum.
    assert len(captured) == 4, [query["sql"] for query in captured]
    # Until when usage is billed, whether the price list is still the one that is known, and the taxes. There is
    # nothing to ask about charges in advance, filters, groups, breakdowns and corrections.
    assert len(prepared) == 3, prepared


def test_after_a_change_of_the_time_zone_usage_goes_on_where_the_last_invoice_ended(
    api: ApiClient, customer: Customer, plan: PlanVersion, subscription: Subscription
) -> None:
    runs.run(as_of=instant("2026-06-01T00:00"), trigger="test", actor=ACTOR)
    Customer.objects.update(timezone="America/Lima")
    # June starts at 05:00 UTC in Lima, but May was billed until midnight in UTC.
    made.send("sub", "requests", "2026-06-01T01:00", "2026-06-02", bytes=1)

    usage = read(api, customer, at=instant("2026-06-20"))

    assert usage["from_datetime"] == "2026-06-01T00:00:00Z"
    assert [row["events_count"] for row in usage["charges_usage"]] == [2, 2]


def test_prices_with_tax_are_shown_net_and_tax(api: ApiClient, customer: Customer, requests: BillableMetric) -> None:
    customer.taxes.add(goods.make_tax("vat20", "0.20"))
    version = goods.make_plan("gross", cents=0, charges=[goods.standard(requests, "9.99")], tax_inclusive=True)
    made.make_subscription(customer, version, at=instant("2026-05-04T12:00"))
    made.send("sub", "requests", "2026-05-05T12:00")
    # 9.99 / 1.2 = 8.325
    usage = read(api, customer)
    assert (usage["amount_cents"], usage["taxes_amount_cents"], usage["total_amount_cents"]) == (833, 166, 999)
    [charge] = usage["charges_usage"]
    assert (charge["amount_cents"], charge["taxes_amount_cents"], charge["total_amount_cents"]) == (833, 166, 999)
    untaxed = read(api, customer, apply_taxes="false")
    assert (untaxed["amount_cents"], untaxed["taxes_amount_cents"], untaxed["total_amount_cents"]) == (833, 0, 833)

"""Current usage narrowed, broken down, in pricing units, since the start; and the same on the fees of its invoice."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
import time_machine

from billing.services import runs
from catalog.models import Charge
from customers.models import Customer
from invoicing.models import InvoiceLine
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import pricing
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db

START, NOW = instant("2026-05-01"), instant("2026-05-20T08:00")


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity())


def call(api: ApiClient, customer: Customer, *, at: datetime = NOW, **params: Any) -> Any:
    with time_machine.travel(at, tick=False):
        return api.read(f"customers/{customer.external_id}/current_usage", external_subscription_id="sub", **params)


def read(api: ApiClient, customer: Customer, *, at: datetime = NOW, **params: Any) -> dict[str, Any]:
    response = call(api, customer, at=at, **params)
    assert response.status_code == 200, response.content
    return response.json()["customer_usage"]


def fees(api: ApiClient) -> list[dict[str, Any]]:
    """Bill May, and return its usage fees."""
    runs.run(as_of=instant("2026-06-01"), trigger="test", actor=ACTOR)
    return [one for one in api.read("fees").json()["fees"] if one["item"]["type"] == "charge"]


def broken_down(rows: list[dict[str, Any]]) -> list[tuple[dict[str, str], str]]:
    return [(row["presentation_by"], row["units"]) for row in rows]


@pytest.fixture
def teams(customer: Customer) -> None:
    """Gigabytes by region, which have prices of their own, shown by team."""
    metric = goods.make_metric("storage", "sum_agg", field_name="gb")
    properties = {"amount": "2", "pricing_group_keys": ["region"], "presentation_group_keys": ["team"]}
    charge = goods.standard(metric, properties=properties)
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=START)
    made.send("sub", "storage", "2026-05-02", "2026-05-03", region="eu", team="red", gb=1)
    made.send("sub", "storage", "2026-05-02", region="eu", team="blue", gb=3)
    made.send("sub", "storage", "2026-05-02", region="us", team="red", gb=4)
    made.send("sub", "storage", "2026-05-02", region="us", gb=5)


def test_a_breakdown_shows_units_and_changes_no_price(api: ApiClient, customer: Customer, teams: None) -> None:
    [row] = read(api, customer)["charges_usage"]

    assert (row["units"], row["amount_cents"], row["events_count"]) == ("14.0", 2800, 5)
    assert broken_down(row["presentation_breakdowns"]) == [
        ({"team": "blue"}, "3.0"),
        ({"team": "red"}, "6.0"),
        ({"team": ""}, "5.0"),
    ]
    groups = [
        (one["grouped_by"], one["amount_cents"], broken_down(one["presentation_breakdowns"]))
        for one in row["grouped_usage"]
    ]
    assert groups == [
        ({"region": "eu"}, 1000, [({"team": "blue"}, "3.0"), ({"team": "red"}, "2.0")]),
        ({"region": "us"}, 1800, [({"team": "red"}, "4.0"), ({"team": ""}, "5.0")]),
    ]


def test_fees_have_the_same_breakdowns(api: ApiClient, customer: Customer, teams: None) -> None:
    found = {one["item"]["grouped_by"]["region"]: one for one in fees(api)}
    assert broken_down(found["eu"]["presentation_breakdowns"]) == [({"team": "blue"}, "3.0"), ({"team": "red"}, "2.0")]
    assert broken_down(found["us"]["presentation_breakdowns"]) == [({"team": "red"}, "4.0"), ({"team": ""}, "5.0")]
    assert {one["amount_cents"] for one in found.values()} == {1000, 1800}


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["red"], ["red"]), (["red", "blue"], ["blue", "red"]), ([], []), (["nobody"], [])],
)
def test_breakdowns_of_some_values(
    api: ApiClient, customer: Customer, teams: None, given: list[str], expected: list[str]
) -> None:
    [row] = read(api, customer, filter_by_presentation=json.dumps(given))["charges_usage"]
    assert [one["presentation_by"]["team"] for one in row["presentation_breakdowns"]] == expected
    assert row["amount_cents"] == 2800  # what is shown changes no amount


@pytest.mark.parametrize("given", ["{", "3", '{"a": 1}', "[1]", "[" * 5000])
def test_values_that_cannot_be_read(api: ApiClient, customer: Customer, teams: None, given: str) -> None:
    response = call(api, customer, filter_by_presentation=given)
    assert response.status_code == 422
    assert response.json()["error_details"] == {"filter_by_presentation": ["value_is_invalid"]}


def test_breakdowns_of_filters(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("calls", filters=[{"key": "region", "values": ["eu"]}])
    charge = goods.standard(
        metric,
        properties={"amount": "1", "presentation_group_keys": ["team", "user"]},
        filters=[{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
    )
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=START)
    made.send("sub", "calls", "2026-05-02", "2026-05-03", region="eu", team="red", user="ada")
    made.send("sub", "calls", "2026-05-02", region="jp", team="red")
    [row] = read(api, customer)["charges_usage"]
    by_filter = [broken_down(one["presentation_breakdowns"]) for one in row["filters"]]
    assert by_filter == [[({"team": "red", "user": "ada"}, "2.0")], [({"team": "red", "user": ""}, "1.0")]]
    assert row["amount_cents"] == 500


def test_unique_values_are_counted_in_each_part_by_itself(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("users", "unique_count_agg", field_name="user")
    charge = goods.standard(metric, properties={"amount": "1", "presentation_group_keys": ["team"]})
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=START)
    made.send("sub", "users", "2026-05-02", user="ada", team="red")
    made.send("sub", "users", "2026-05-03", user="ada", team="blue")
    [row] = read(api, customer)["charges_usage"]
    assert row["units"] == "1.0"
    assert broken_down(row["presentation_breakdowns"]) == [({"team": "blue"}, "1.0"), ({"team": "red"}, "1.0")]


def test_one_group_alone(api: ApiClient, customer: Customer, teams: None) -> None:
    usage = read(api, customer, **{"filter_by_group[region]": "eu"})
    [row] = usage["charges_usage"]
    assert [one["grouped_by"] for one in row["grouped_usage"]] == [{"region": "eu"}]
    assert (row["units"], usage["amount_cents"]) == ("5.0", 1000)
    assert read(api, customer, **{"filter_by_group[region]": "jp"})["amount_cents"] == 0
    assert read(api, customer, **{"filter_by_group[team]": "red"})["charges_usage"] == []  # not what is priced apart


def test_groups_can_be_left_out_and_still_price(api: ApiClient, customer: Customer, teams: None) -> None:
    [row] = read(api, customer, skip_grouping="true")["charges_usage"]
    assert (row["grouped_usage"], row["amount_cents"]) == ([], 2800)


def test_taxes_of_parts(api: ApiClient, customer: Customer, teams: None) -> None:
    customer.taxes.add(goods.make_tax("vat", "0.19"))
    usage = read(api, customer)
    [row] = usage["charges_usage"]
    assert (usage["taxes_amount_cents"], row["taxes_amount_cents"], row["total_amount_cents"]) == (532, 532, 3332)
    assert [one["taxes_amount_cents"] for one in row["grouped_usage"]] == [190, 342]  # 10.00 and 18.00 x 0.19
    [row] = read(api, customer, apply_taxes="false")["charges_usage"]
    assert (row["taxes_amount_cents"], row["total_amount_cents"]) == (0, 2800)


def test_a_level_shows_its_end_beside_its_average(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("storage", "weighted_sum_agg", field_name="gb")
    made.make_subscription(
        customer, goods.make_plan("pro", charges=[goods.standard(metric, "1")]), at=instant("2026-04-30")
    )
    made.send("sub", "storage", "2026-05-01", gb=62)
    made.send("sub", "storage", "2026-05-16T12:00", gb=-31)  # half of the 31 days later
    [row] = read(api, customer)["charges_usage"]
    assert (row["units"], row["total_aggregated_units"]) == ("46.5", "31.0")  # (62 + 31) / 2
    [fee] = [one for one in fees(api) if one["units"] == "46.5"]
    assert fee["total_aggregated_units"] == "31.0"


@pytest.fixture
def priced(customer: Customer) -> None:
    """Requests at a third of a credit, of which one is worth three cents."""
    metric = goods.make_metric("requests")
    version = goods.make_plan("pro", charges=[goods.standard(metric, "0.333")])
    pricing.in_unit(version, goods.make_pricing_unit("credits", "CR"), "0.03")
    made.make_subscription(customer, version, at=START)


def test_usage_in_a_pricing_unit(api: ApiClient, customer: Customer, priced: None) -> None:
    none = {"amount_cents": 0, "short_name": "CR", "conversion_rate": "0.03"}
    [row] = read(api, customer)["charges_usage"]
    assert (row["pricing_unit_details"], row["amount_cents"]) == (none, 0)
    made.send("sub", "requests", *(f"2026-05-{day:02}" for day in range(2, 7)))
    [row] = read(api, customer)["charges_usage"]  # 5 x 0.333 = 1.665 -> 1.67 CR x 0.03 = 0.0501
    assert (row["pricing_unit_details"]["amount_cents"], row["amount_cents"]) == (167, 5)


def test_a_fee_in_a_pricing_unit(api: ApiClient, customer: Customer, priced: None) -> None:
    made.send("sub", "requests", *(f"2026-05-{day:02}" for day in range(2, 7)))
    [fee] = fees(api)
    unit = Charge.objects.get().pricing_unit
    assert unit is not None
    assert fee["pricing_unit_details"] == {
        "lago_pricing_unit_id": str(unit.uuid),
        "pricing_unit_code": "credits",
        "short_name": "CR",
        "amount_cents": 167,
        "precise_amount_cents": "166.5",
        "unit_amount_cents": 33,
        "precise_unit_amount": "0.333",
        "conversion_rate": "0.03",
    }
    assert (fee["amount_cents"], fee["precise_amount"], fee["precise_unit_amount"]) == (5, 0.0501, "0.00999")
    assert fee["item"]["invoice_display_name"] == "Requests"
    trace = api.read(f"fees/{fee['lago_id']}/trace").json()["fee_trace"]
    assert trace["verification"]["verified"] is True
    assert InvoiceLine.objects.filter(pricing_unit__isnull=False).count() == 1  # not the plan's fee


def test_usage_since_the_start(api: ApiClient, customer: Customer) -> None:
    metric = goods.make_metric("requests")
    made.make_subscription(customer, goods.make_plan("pro", charges=[goods.standard(metric, "1")]), at=START)
    made.send("sub", "requests", "2026-05-02", "2026-06-02", "2026-07-02")
    at = instant("2026-07-03")
    charge = Charge.objects.get()
    full = read(api, customer, at=at, full_usage="true", filter_by_charge_id=str(charge.key))
    assert (full["from_datetime"], full["to_datetime"]) == ("2026-05-01T00:00:00Z", "2026-07-31T23:59:59Z")
    assert full["amount_cents"] == 300
    assert read(api, customer, at=at, full_usage="true", filter_by_charge_code=charge.code)["amount_cents"] == 300
    assert read(api, customer, at=at, filter_by_charge_id=str(charge.key))["amount_cents"] == 100
    for params in ({}, {"billable_metric_code": "requests"}):
        response = call(api, customer, at=at, full_usage="true", **params)
        assert (response.status_code, response.json()["code"]) == (405, "full_usage_not_allowed")


@pytest.mark.parametrize("terms", [{"prorated": True}, {"pay_in_advance": True}])
def test_units_of_a_period_have_no_usage_since_the_start(
    api: ApiClient, customer: Customer, terms: dict[str, bool]
) -> None:
    metric = goods.make_metric("seats", "sum_agg", recurring=True)
    charge = goods.standard(metric, "1", **terms)
    made.make_subscription(customer, goods.make_plan("pro", charges=[charge]), at=START)
    response = call(api, customer, full_usage="true", filter_by_charge_code=Charge.objects.get().code)
    assert (response.status_code, response.json()["code"]) == (405, "full_usage_not_allowed")

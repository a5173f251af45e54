"""Charges of plans, inside them and under ``/plans/:code/charges``: what is refused, and who is who over versions."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Charge, Plan, PlanVersion
from tests.factories import catalog
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

CONTENT = {
    "name": "Starter",
    "code": "starter",
    "interval": "monthly",
    "amount_cents": 2900,
    "amount_currency": "EUR",
    "pay_in_advance": False,
}
TIERS = [
    {"from_value": 0, "to_value": 1000, "per_unit_amount": "0", "flat_amount": "0"},
    {"from_value": 1001, "to_value": None, "per_unit_amount": "0.00012", "flat_amount": "0"},
]


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "plans", {"plan": {**CONTENT, **changes}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "plans/starter", {"plan": changes})


def charge(metric: Any, **changes: Any) -> dict[str, Any]:
    return {**catalog.standard(metric), "billable_metric_id": str(metric.uuid), **changes}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"charge_model": None}, "charge_model", "value_is_mandatory"),
        ({"charge_model": "custom"}, "charge_model", "unsupported_value"),
        ({"charge_model": "percentage"}, "properties", "invalid_rate"),
        ({"charge_model": "percentage", "properties": {"rate": "-1"}}, "properties", "invalid_rate"),
        (
            {"charge_model": "percentage", "properties": {"rate": "1", "free_units_per_events": "1.5"}},
            "properties",
            "invalid_free_units_per_events",
        ),
        (
            {
                "charge_model": "percentage",
                "properties": {"rate": "1", "per_transaction_min_amount": "2", "per_transaction_max_amount": "1"},
            },
            "properties",
            "per_transaction_max_lower_than_per_transaction_min",
        ),
        (
            {"charge_model": "graduated_percentage", "properties": {"rate": "1"}},
            "properties",
            "missing_graduated_percentage_ranges",
        ),
        ({"charge_model": "dynamic"}, "charge_model", "invalid_aggregation_type_or_charge_model"),
        ({"charge_model": "nonsense"}, "charge_model", "unsupported_value"),
        ({"pay_in_advance": "x"}, "pay_in_advance", "value_is_invalid"),
        ({"prorated": True}, "prorated", "invalid_billable_metric_or_charge_model"),
        ({"prorated": "x"}, "prorated", "value_is_invalid"),
        ({"min_amount_cents": -1}, "min_amount_cents", "value_is_out_of_range"),
        ({"invoiceable": False}, "invoiceable", "must_be_true_unless_pay_in_advance"),
        ({"accepts_target_wallet": True}, "accepts_target_wallet", "unsupported_value"),
        ({"regroup_paid_fees": "daily"}, "regroup_paid_fees", "value_is_invalid"),
        ({"applied_pricing_unit": "credits"}, "applied_pricing_unit", "value_is_invalid"),
        ({"properties": {"amount": "-1"}}, "properties", "invalid_amount"),
        ({"properties": {"amount": 0.1}}, "properties", "invalid_amount"),
        ({"properties": {"amount": "1e3"}}, "properties", "invalid_amount"),
        ({"properties": {"amount": {"x": []}}}, "properties", "invalid_amount"),
        ({"properties": "x"}, "properties", "value_is_invalid"),
        ({"properties": {"amount": "1", "presentation_group_keys": "region"}}, "properties", "invalid_type"),
        ({"properties": {"amount": "1", "pricing_group_keys": "region"}}, "properties", "invalid_type"),
        ({"properties": {"amount": "1", "grouped_by": [1]}}, "properties", "invalid_type"),
        ({"charge_model": "graduated", "properties": {"x": 1}}, "properties", "missing_graduated_ranges"),
        (
            {"charge_model": "package", "properties": {"amount": "1", "package_size": 0}},
            "properties",
            "invalid_package_size",
        ),
        (
            {"charge_model": "volume", "properties": {"volume_ranges": [TIERS[1]]}},
            "properties",
            "invalid_volume_ranges",
        ),
        ({"filters": [{"properties": {"amount": "1"}}]}, "filters.0.values", "value_is_mandatory"),
        ({"filters": [{"values": {"region": ["mars"]}}]}, "filters.0.values", "value_is_invalid"),
        ({"filters": [{"values": {"planet": ["eu"]}}]}, "filters.0.values", "value_is_invalid"),
        ({"filters": [{"values": {"region": ["eu"]}}] * 2}, "filters.1.values", "value_is_duplicated"),
        (
            {"filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "x"}}]},
            "filters.0.properties",
            "invalid_amount",
        ),
    ],
)
def test_refuses_a_charge(api: ApiClient, changes: dict[str, Any], field: str, code: str) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    response = post(api, charges=[charge(metric), charge(metric, **changes)])
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == {f"charges.1.{field}": [code]}
    assert Plan.objects.count() == 0


def test_a_charge_without_properties_costs_nothing(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    found = post(api, charges=[charge(metric, properties=None, filters=parts)]).json()["plan"]["charges"][0]
    assert found["properties"] == {"amount": "0"}


def test_charges_keep_their_id_over_versions(api: ApiClient) -> None:
    metric, other = catalog.make_metric("a"), catalog.make_metric("b")
    before = post(api, charges=[charge(metric), charge(other)]).json()["plan"]["charges"]
    dearer = {"id": before[1]["lago_id"], "properties": {"amount": "0.20"}}
    after = put(api, charges=[dearer, {"id": before[0]["lago_id"]}, charge(metric, code="new")]).json()["plan"][
        "charges"
    ]
    assert [row["lago_id"] for row in after[:2]] == [before[1]["lago_id"], before[0]["lago_id"]]
    assert [row["properties"]["amount"] for row in after] == ["0.20", "0.10", "0.10"]
    assert after[0]["created_at"] == before[1]["created_at"]
    assert after[2]["lago_id"] not in {row["lago_id"] for row in before}
    assert put(api, amount_cents=1).json()["plan"]["charges"] == after  # absent: untouched
    assert put(api, charges=[]).json()["plan"]["charges"] == []  # present: the full list
    assert Charge.objects.filter(plan_version__number=1).count() == 2


def test_charges_are_matched_by_code_too(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    before = post(api, charges=[charge(metric, code="calls")]).json()["plan"]["charges"]
    after = put(api, charges=[charge(metric, code="calls", properties={"amount": "9"})]).json()["plan"]["charges"]
    assert (after[0]["lago_id"], after[0]["properties"]) == (before[0]["lago_id"], {"amount": "9"})


def test_charges_that_cannot_be_matched(api: ApiClient) -> None:
    metric, other = catalog.make_metric("a"), catalog.make_metric("b")
    key = post(api, charges=[charge(metric)]).json()["plan"]["charges"][0]["lago_id"]
    assert put(api, charges=[{"id": str(other.uuid)}]).json()["code"] == "charge_not_found"
    moved = put(api, charges=[{"id": key, "billable_metric_id": str(other.uuid)}])
    assert moved.json()["error_details"] == {"charges.0.billable_metric_id": ["modification_not_allowed"]}
    twice = put(api, charges=[{"id": key}, {"id": key}])
    assert twice.json()["error_details"] == {"charges.1.id": ["value_is_duplicated"]}
    taken = put(api, charges=[charge(metric, code="x"), charge(other, code="x")])
    assert taken.json()["error_details"] == {"charges.1.code": ["value_already_exist"]}
    assert PlanVersion.objects.count() == 1


def test_another_model_needs_its_own_prices(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    parts = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
    key = post(api, charges=[charge(metric, filters=parts)]).json()["plan"]["charges"][0]["lago_id"]
    package = {"id": key, "charge_model": "package", "properties": {"amount": "5", "package_size": 10, "free_units": 0}}
    assert put(api, charges=[package]).json()["error_details"] == {"charges.0.filters": ["value_is_mandatory"]}
    found = put(api, charges=[{**package, "filters": []}]).json()["plan"]["charges"][0]
    assert (found["lago_id"], found["charge_model"], found["filters"]) == (key, "package", [])
    assert found["properties"] == {"amount": "5", "package_size": 10, "free_units": 0}


def test_a_filter_keeps_its_id_with_its_values(api: ApiClient) -> None:
    metric = catalog.make_metric(filters=[{"key": "region", "values": ["eu", "us"]}])
    one, other = ({"values": {"region": [name]}, "properties": {"amount": "2"}} for name in ("eu", "us"))
    before = post(api, charges=[charge(metric, code="c", filters=[one])]).json()["plan"]["charges"][0]["filters"]
    after = put(api, charges=[charge(metric, code="c", filters=[other, one])]).json()["plan"]["charges"][0]["filters"]
    assert after[1]["lago_id"] == before[0]["lago_id"]
    assert after[0]["lago_id"] != before[0]["lago_id"]


def test_charges_one_by_one(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    post(api, charges=[charge(metric)])
    path = "plans/starter/charges"
    added = api.call("post", path, {"charge": charge(metric, code="more", properties={"amount": "5"})}).json()["charge"]
    assert [row["code"] for row in api.read(path).json()["charges"]] == ["a", "more"]
    assert api.read(path).json()["meta"]["total_count"] == 2
    changed = api.call("put", f"{path}/more", {"charge": {"properties": {"amount": "6"}, "id": None}}).json()["charge"]
    assert (changed["lago_id"], changed["properties"]) == (added["lago_id"], {"amount": "6"})
    assert api.read(f"{path}/more").json() == {"charge": changed}
    assert api.call("delete", f"{path}/a").json()["charge"]["code"] == "a"
    assert [row["code"] for row in api.read(path).json()["charges"]] == ["more"]
    assert PlanVersion.objects.count() == 4


def test_charges_that_are_not_there(api: ApiClient) -> None:
    metric = catalog.make_metric("a")
    post(api, charges=[charge(metric)])
    path = "plans/starter/charges"
    for response in (
        api.read(f"{path}/none"),
        api.call("put", f"{path}/none", {"charge": {"properties": {"amount": "x"}}}),
        api.call("delete", f"{path}/none"),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "charge_not_found")
    taken = api.call("post", path, {"charge": charge(metric, code="a")})
    assert taken.json()["error_details"] == {"code": ["value_already_exist"]}
    wrong = api.call("put", f"{path}/a", {"charge": {"properties": {"amount": "x"}}})
    assert wrong.json()["error_details"] == {"properties": ["invalid_amount"]}

"""What the API tells of what can be sold: every field that its clients know, with its type, wherever it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.contract import shapes, story
from tests.factories import customers
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


def test_every_field_is_there() -> None:
    customers.make_default_entity()
    api = ApiClient()
    made = story.tell(api)
    faults: list[str] = []

    def look(path: str, root: str, spec: Any) -> dict[str, Any]:
        response = api.read(path)
        found: dict[str, Any] = response.json()
        assert response.status_code == 200, (path, found)
        faults.extend(f"{path}{fault}" for fault in shapes.wrong(found[root], spec))
        return found

    # Created, shown, listed: method by method, with the root keys of each.
    for path, one, many, code, spec, in_lists in (
        ("taxes", "tax", "taxes", "vat", shapes.TAX, shapes.TAX),
        ("add_ons", "add_on", "add_ons", "seat", shapes.ADD_ON, shapes.ADD_ON),
        ("billable_metrics", "billable_metric", "billable_metrics", "requests", shapes.METRIC, shapes.METRIC),
        ("features", "feature", "features", "seats", shapes.FEATURE, shapes.FEATURE),
        ("coupons", "coupon", "coupons", "ten", shapes.COUPON, shapes.COUPON),
        ("plans", "plan", "plans", "pro", shapes.PLAN, shapes.PLAN_IN_LISTS),
    ):
        if one != "plan":  # entitlements came to the plan after its creation
            faults.extend(f"POST {path}{fault}" for fault in shapes.wrong(made[one], spec))
        look(f"{path}/{code}", one, spec)
        listed = look(path, many, [in_lists])
        assert shapes.wrong(listed["meta"], shapes.PAGE) == []
        changed = api.call("put", f"{path}/{code}", {one: {"description": "other", "unknown": 1}})
        assert changed.status_code == 200, changed.content
        faults.extend(f"PUT {path}{fault}" for fault in shapes.wrong(changed.json()[one], spec))
        assert changed.json()[one]["description"] == "other"
    assert faults == []

    # What belongs to a plan has lists of its own; entitlements have no pages.
    look("plans/pro/charges", "charges", [shapes.CHARGE])
    look("plans/pro/charges/requests", "charge", shapes.CHARGE)
    look("plans/pro/charges/requests/filters", "filters", [shapes.CHARGE_FILTER])
    look("plans/pro/fixed_charges", "fixed_charges", [shapes.FIXED_CHARGE])
    look("plans/pro/fixed_charges/seat", "fixed_charge", shapes.FIXED_CHARGE)
    assert "meta" not in look("plans/pro/entitlements", "entitlements", [shapes.PLAN_ENTITLEMENT])
    look("plans/pro/entitlements/seats", "entitlement", shapes.PLAN_ENTITLEMENT)
    assert faults == []

    assert "fixed_charges" not in api.read("plans").json()["plans"][0]
    plan = api.read("plans/pro").json()["plan"]
    charge = plan["charges"][0]
    assert charge["properties"]["grouped_by"] == charge["properties"]["pricing_group_keys"] == ["cloud"]
    assert (plan["trial_period"], plan["fixed_charges"][0]["units"]) == (3.5, "2.0")
    assert (plan["metadata"], plan["pending_deletion"], plan["parent_id"]) == ({"team": "growth"}, False, None)
    assert api.read("billable_metrics/requests").json()["billable_metric"]["filters"][0]["values"] == ["eu", "us"]
    assert (made["tax"]["rate"], made["coupon"]["percentage_rate"]) == (19.0, "10.0")
    assert (made["coupon"]["limited_plans"], made["coupon"]["plan_codes"]) == (True, ["pro"])
    tried = {"expression": "event.properties.a * 2", "event": {"code": "x", "timestamp": 1, "properties": {"a": "4"}}}
    value = api.call("post", "billable_metrics/evaluate_expression", tried).json()
    assert value["expression_result"]["value"] in (8, "8", "8.0")


def test_bare_objects_leave_out_what_they_do_not_have() -> None:
    api = ApiClient()
    plain = {"name": "Bare", "code": "bare", "interval": "yearly", "amount_cents": 0, "amount_currency": "JPY"}
    found = story.made(api, "plans", "plan", {**plain, "pay_in_advance": True})
    assert not found.keys() & {"metadata", "minimum_commitment"}
    assert (found["charges"], found["fixed_charges"], found["taxes"]) == ([], [], [])
    assert (found["bill_charges_monthly"], found["bill_fixed_charges_monthly"]) == (False, False)
    empty = api.read("coupons").json()
    assert empty == {
        "coupons": [],
        "meta": {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0},
    }


MANDATORY = ["value_is_mandatory"]
REFUSED: list[tuple[str, str, dict[str, Any], dict[str, list[str]]]] = [
    ("taxes", "tax", {"name": "x"}, {"code": MANDATORY, "rate": MANDATORY}),
    ("taxes", "tax", {**story.TAX, "rate": "a lot"}, {"rate": ["value_is_invalid"]}),
    ("taxes", "tax", story.TAX, {"code": ["value_already_exist"]}),
    ("add_ons", "add_on", {**story.ADD_ON, "amount_currency": "XYZ"}, {"amount_currency": ["value_is_invalid"]}),
    ("add_ons", "add_on", story.ADD_ON, {"code": ["value_already_exist"]}),
    ("billable_metrics", "billable_metric", story.METRIC, {"code": ["value_already_exist"]}),
    (
        "billable_metrics",
        "billable_metric",
        {"code": "x", "name": "x", "aggregation_type": "sum_agg"},
        {"field_name": MANDATORY},
    ),
    (
        "billable_metrics",
        "billable_metric",
        {**story.METRIC, "code": "x", "aggregation_type": "median_agg"},
        {"aggregation_type": ["value_is_invalid"]},
    ),
    ("features", "feature", story.FEATURE, {"code": ["value_already_exist"]}),
    ("features", "feature", {"name": "x"}, {"code": MANDATORY}),
    ("coupons", "coupon", {**story.COUPON, "applies_to": {}}, {"code": ["value_already_exist"]}),
    ("coupons", "coupon", {**story.COUPON, "code": "x", "frequency": "daily"}, {"frequency": ["value_is_invalid"]}),
    (
        "plans",
        "plan",
        {"name": "x", "code": "x", "interval": "daily", "amount_cents": 1, "amount_currency": "EUR"},
        {"interval": ["value_is_invalid"]},
    ),
]


def test_what_is_refused_names_its_field() -> None:
    customers.make_default_entity()
    api = ApiClient()
    made = story.tell(api)
    twice = story.plan(made["billable_metric"]["lago_id"], "credits")
    cases = [*REFUSED, ("plans", "plan", twice, {"code": ["value_already_exist"]})]
    for path, root, content, details in cases:
        response = api.call("post", path, {root: content})
        assert response.status_code == 422, (path, content, response.content)
        assert response.json() == {
            "status": 422,
            "error": "Unprocessable Entity",
            "code": "validation_errors",
            "error_details": details,
        }, (path, content)
        missing = api.call("post", path, {"other": content})
        assert (missing.status_code, missing.json()) == (
            400,
            {"status": 400, "error": f"BadRequest: param is missing or the value is empty or invalid: {root}"},
        )
    for path, code in (
        ("taxes/none", "tax"),
        ("add_ons/none", "add_on"),
        ("billable_metrics/none", "billable_metric"),
        ("features/none", "feature"),
        ("coupons/none", "coupon"),
        ("plans/none", "plan"),
        ("plans/none/charges", "plan"),
        ("plans/pro/charges/none", "charge"),
        ("plans/pro/charges/none/filters", "charge"),
        ("plans/pro/charges/requests/filters/none", "charge_filter"),
        ("plans/pro/charges/requests/filters/00000000-0000-4000-8000-000000000000", "charge_filter"),
        ("plans/pro/fixed_charges/none", "fixed_charge"),
        ("plans/pro/entitlements/none", "entitlement"),
        ("plans/none/entitlements", "plan"),
        ("no/such/route", "resource"),
    ):
        gone = api.read(path)
        assert (gone.status_code, gone.json()) == (
            404,
            {"status": 404, "error": "Not Found", "code": f"{code}_not_found"},
        ), path
        if "/" in path and path.endswith("none") and path.count("/") == 1:
            assert api.call("delete", path).json()["code"] == f"{code}_not_found"


def test_metadata_of_a_plan() -> None:
    api = ApiClient()
    plain = {"name": "P", "code": "a.b/c d", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    story.made(api, "plans", "plan", {**plain, "pay_in_advance": False})
    path = "plans/a.b/c%20d"
    assert api.call("post", f"{path}/metadata", {"metadata": {"a": "1", "b": None}}).json() == {
        "metadata": {"a": "1", "b": None}
    }
    assert api.call("patch", f"{path}/metadata", {"metadata": {"c": 3}}).json()["metadata"]["c"] == "3"
    assert api.call("put", path, {"plan": {"metadata": {"d": "4"}}}).json()["plan"]["metadata"].keys() == set("abcd")
    assert api.call("put", path, {"plan": {"name": "Q"}}).json()["plan"]["metadata"]["a"] == "1"
    assert api.call("delete", f"{path}/metadata/a").json()["metadata"].keys() == set("bcd")
    assert api.call("delete", f"{path}/metadata/a").json()["code"] == "metadata_not_found"
    assert api.call("delete", f"{path}/metadata").json() == {"metadata": None}
    assert "metadata" not in api.read(path).json()["plan"]
    for content, status in (
        ({}, 400),
        ({"metadata": "x"}, 422),
        ({"metadata": {"": "x"}}, 422),
        ({"metadata": {"a": "x" * 256}}, 422),
        ({"metadata": {f"k{n}": "" for n in range(51)}}, 422),
    ):
        for method in ("post", "patch"):
            assert api.call(method, f"{path}/metadata", content).status_code == status, content
    assert api.call("post", "plans/none/metadata", {"metadata": {}}).json()["code"] == "plan_not_found"
    assert len(api.read(f"{path}/versions").json()["plan_versions"]) == 1  # notes are no other price


def test_filters_of_a_charge_one_by_one() -> None:
    customers.make_default_entity()
    api = ApiClient()
    story.tell(api)
    path = "plans/pro/charges/requests/filters"
    (first,) = api.read(path).json()["filters"]
    content = {"values": {"region": ["us"]}, "properties": {"amount": "3"}, "cascade_updates": True}
    added = story.made(api, path, "filter", content)
    assert shapes.wrong(added, shapes.CHARGE_FILTER) == []
    assert [row["lago_id"] for row in api.read(path).json()["filters"]] == [first["lago_id"], added["lago_id"]]

    one = f"{path}/{first['lago_id']}"
    changed = api.call("put", one, {"filter": {"properties": {"amount": "2.5"}}}).json()["filter"]
    assert (changed["lago_id"], changed["properties"]["amount"]) == (first["lago_id"], "2.5")
    assert (changed["values"], changed["invoice_display_name"]) == ({"region": ["eu"]}, "EU")  # what is not sent stays
    repeated = api.call("put", one, {"filter": {"values": {"region": ["us"]}}})
    assert repeated.json()["error_details"] == {"values": ["value_is_duplicated"]}
    assert api.call("post", path, {"filter": {"values": {"region": ["mars"]}}}).status_code == 422

    gone = api.call("delete", f"{path}/{added['lago_id']}")
    assert (gone.status_code, gone.json()["filter"]["lago_id"]) == (200, added["lago_id"])
    moved = api.call("put", one, {"filter": {"values": {"region": ["us"]}}}).json()["filter"]
    assert (moved["lago_id"], moved["values"]) == (first["lago_id"], {"region": ["us"]})  # it keeps its id
    assert [row["lago_id"] for row in api.read(path).json()["filters"]] == [first["lago_id"]]
    assert api.read("plans/pro/charges/requests").json()["charge"]["filters"][0]["properties"] == {"amount": "2.5"}

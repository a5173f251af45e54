"""``/features`` and ``/plans/:code/entitlements``: shapes, changes, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import Feature, PlanEntitlement, PlanPrivilege
from tests.factories import catalog, features
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

SSO = {"code": "sso", "name": "Sign-on", "value_type": "select", "config": {"select_options": ["google", "okta"]}}
SEATS = {
    "code": "seats",
    "name": "Seats",
    "description": "Users of the account",
    "privileges": [{"code": "max", "value_type": "integer"}, SSO],
}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def post(api: ApiClient, **changes: Any) -> Any:
    return api.call("post", "features", {"feature": {**SEATS, **changes}})


def put(api: ApiClient, **changes: Any) -> Any:
    return api.call("put", "features/seats", {"feature": changes})


def set_plan(api: ApiClient, method: str, entitlements: Any) -> Any:
    return api.call(method, "plans/starter/entitlements", {"entitlements": entitlements})


def values(answer: Any) -> dict[str, dict[str, Any]]:
    return {
        one["code"]: {privilege["code"]: privilege["value"] for privilege in one["privileges"]}
        for one in answer.json()["entitlements"]
    }


def test_the_shape_of_a_feature(api: ApiClient) -> None:
    response = post(api)
    made = Feature.objects.get()
    assert response.status_code == 200
    assert response.json() == {
        "feature": {
            "code": "seats",
            "name": "Seats",
            "description": "Users of the account",
            "privileges": [{"code": "max", "name": None, "value_type": "integer", "config": {}}, SSO],
            "created_at": made.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
    }
    assert api.read("features/seats").json() == response.json()
    listed = api.read("features?search_term=account").json()
    assert (listed["features"], listed["meta"]["total_count"]) == ([response.json()["feature"]], 1)
    assert api.read("features?search_term=none").json()["features"] == []


def test_a_feature_of_a_code_alone(api: ApiClient) -> None:
    response = api.call("post", "features", {"feature": {"code": "export", "privileges": None}})
    shown = response.json()["feature"]
    assert (shown["name"], shown["description"], shown["privileges"]) == (None, None, [])


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"code": ""}, {"code": ["value_is_mandatory"]}),
        ({"code": "x" * 256}, {"code": ["value_is_too_long"]}),
        ({"description": "x" * 601}, {"description": ["value_is_too_long"]}),
        ({"privileges": {"max": {}}}, {"privileges": ["must_be_an_array"]}),
        ({"privileges": [{"name": "Maximum"}]}, {"privilege.code": ["value_is_mandatory"]}),
        ({"privileges": [{"code": "a", "value_type": "number"}]}, {"privilege.value_type": ["value_is_invalid"]}),
        ({"privileges": [{"code": "a"}, {"code": "a"}]}, {"privilege.code": ["value_is_duplicated"]}),
        ({"privileges": [{"code": "a", "value_type": "select"}]}, {"privilege.config": ["value_is_mandatory"]}),
        ({"privileges": [{"code": str(n)} for n in range(201)]}, {"privileges": ["value_is_too_long"]}),
    ],
)
def test_what_is_no_feature(api: ApiClient, changes: dict[str, Any], details: dict[str, Any]) -> None:
    response = post(api, **changes)
    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert not Feature.objects.exists()


def test_a_code_that_is_taken_and_one_that_is_free_again(api: ApiClient) -> None:
    post(api)
    assert post(api).json()["error_details"] == {"code": ["value_already_exist"]}
    assert api.call("delete", "features/seats").json()["feature"]["code"] == "seats"
    assert api.read("features/seats").json()["code"] == "feature_not_found"
    assert post(api).status_code == 200


def test_changing_a_feature(api: ApiClient) -> None:
    post(api)
    response = put(
        api, name="Users", privileges=[{"code": "max", "name": "Most"}, {"code": "root", "value_type": "boolean"}]
    )
    shown = response.json()["feature"]
    assert (shown["name"], shown["description"]) == ("Users", "Users of the account")
    assert [(one["code"], one["name"], one["value_type"]) for one in shown["privileges"]] == [
        ("max", "Most", "integer"),
        ("sso", "Sign-on", "select"),
        ("root", None, "boolean"),
    ]
    more = {"code": "sso", "config": {"select_options": ["google", "okta", "azure"]}}
    assert put(api, privileges=[more]).json()["feature"]["privileges"][1]["config"] == more["config"]


@pytest.mark.parametrize(
    ("row", "details"),
    [
        ({"code": "max", "value_type": "string"}, {"privilege.value_type": ["modification_not_allowed"]}),
        ({"code": "max", "value_type": "number"}, {"privilege.value_type": ["value_is_invalid"]}),
        ({"code": "max", "value_type": []}, {"privilege.value_type": ["value_is_invalid"]}),
        ({"code": "sso", "config": {"select_options": []}}, {"privilege.config": ["value_is_mandatory"]}),
    ],
)
def test_what_a_privilege_cannot_become(api: ApiClient, row: dict[str, Any], details: dict[str, Any]) -> None:
    before = post(api).json()
    response = put(api, privileges=[row])
    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert api.read("features/seats").json() == before


def test_retiring_a_privilege(api: ApiClient) -> None:
    post(api)
    shown = api.call("delete", "features/seats/privileges/max").json()["feature"]
    assert [one["code"] for one in shown["privileges"]] == ["sso"]
    assert api.call("delete", "features/seats/privileges/max").json()["code"] == "privilege_not_found"
    assert api.call("delete", "features/none/privileges/max").json()["code"] == "feature_not_found"


def test_the_shape_of_what_a_plan_gives(api: ApiClient) -> None:
    post(api)
    catalog.make_plan()
    response = set_plan(api, "post", {"seats": {"max": "25", "sso": "okta"}})
    expected = {
        "code": "seats",
        "name": "Seats",
        "description": "Users of the account",
        "privileges": [
            {"code": "max", "name": None, "value_type": "integer", "config": {}, "value": 25},
            {**SSO, "value": "okta"},
        ],
    }
    assert response.json() == {"entitlements": [expected]}
    assert api.read("plans/starter/entitlements").json() == response.json()
    assert api.read("plans/starter/entitlements/seats").json() == {"entitlement": expected}
    assert api.read("plans/starter").json()["plan"]["entitlements"] == [expected]
    assert api.read("plans").json()["plans"][0]["entitlements"] == [expected]


def test_replacing_and_merging(api: ApiClient) -> None:
    post(api)
    features.make_feature("export")
    catalog.make_plan()
    assert values(set_plan(api, "post", {"seats": {"max": 25, "sso": "okta"}})) == {"seats": {"max": 25, "sso": "okta"}}
    merged = set_plan(api, "patch", {"seats": {"max": 30}, "export": None})
    assert values(merged) == {"seats": {"max": 30, "sso": "okta"}, "export": {}}
    assert values(set_plan(api, "patch", {})) == values(merged)
    assert values(set_plan(api, "post", {"seats": {"max": 1}})) == {"seats": {"max": 1}}
    assert values(set_plan(api, "post", {})) == {}


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"none": {"max": 1}}, 404, "feature_not_found"),
        ({"seats": {"none": 1}}, 404, "privilege_not_found"),
        ({"seats": {"max": [12]}}, 422, {"max_privilege_value": ["value_is_invalid"]}),
        ({"seats": {"max": None}}, 422, {"max_privilege_value": ["value_is_invalid"]}),
        ({"seats": {"max": True}}, 422, {"max_privilege_value": ["value_is_invalid"]}),
        ({"seats": {"max": 10**40}}, 422, {"max_privilege_value": ["value_is_out_of_range"]}),
        ({"seats": {"sso": "azure"}}, 422, {"sso_privilege_value": ["value_not_in_select_options"]}),
        ({"seats": 5}, 422, {"entitlements": ["value_is_invalid"]}),
    ],
)
@pytest.mark.parametrize("method", ["post", "patch"])
def test_what_no_plan_gives(api: ApiClient, method: str, asked: Any, status: int, code: Any) -> None:
    post(api)
    catalog.make_plan()
    features.give(seats={"max": 7})
    answer = set_plan(api, method, asked)
    shown = answer.json()
    assert (answer.status_code, shown.get("error_details", shown["code"])) == (status, code)
    assert values(api.read("plans/starter/entitlements")) == {"seats": {"max": 7}}


@pytest.mark.parametrize("body", [None, {}, {"entitlements": None}, {"entitlements": []}, []])
def test_a_body_without_entitlements(api: ApiClient, body: Any) -> None:
    catalog.make_plan()
    assert api.call("post", "plans/starter/entitlements", body).status_code == 400


def test_taking_off_a_plan(api: ApiClient) -> None:
    post(api)
    catalog.make_plan()
    features.give(seats={"max": 7, "sso": "okta"})
    left = api.call("delete", "plans/starter/entitlements/seats/privileges/sso").json()["entitlement"]
    assert [one["code"] for one in left["privileges"]] == ["max"]
    gone = api.call("delete", "plans/starter/entitlements/seats/privileges/sso")
    assert (gone.status_code, gone.json()["code"]) == (404, "privilege_not_found")
    assert api.call("delete", "plans/starter/entitlements/seats").json()["entitlement"] == left
    assert (PlanEntitlement.objects.count(), PlanPrivilege.objects.count()) == (0, 0)
    for method in ("get", "delete"):
        answer = api.call(method, "plans/starter/entitlements/seats")
        assert (answer.status_code, answer.json()["code"]) == (404, "entitlement_not_found")


@pytest.mark.parametrize("method", ["get", "post", "patch"])
def test_no_plan(api: ApiClient, method: str) -> None:
    answer = api.call(method, "plans/none/entitlements", {"entitlements": {}} if method != "get" else None)
    assert (answer.status_code, answer.json()["code"]) == (404, "plan_not_found")

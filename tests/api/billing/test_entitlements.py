"""``/subscriptions/:id/entitlements``: the shape, what is kept by an ETag, changes, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services import subscriptions
from billing.services.subscriptions import NewSubscription
from config.kernel import statements
from tests.factories import billing, catalog, customers, features
from tests.factories.billing import instant
from tests.factories.platform import ACTOR, ApiClient

pytestmark = pytest.mark.django_db
PATH = "subscriptions/sub/entitlements"


@pytest.fixture
def api() -> ApiClient:
    features.make_feature()
    version = catalog.make_plan()
    features.give(seats={"max": 10, "sso": "google"})
    billing.make_subscription(customers.make_customer(), version, at=instant("2026-05-04"))
    return ApiClient()


def patch(api: ApiClient, **entitlements: Any) -> Any:
    return api.call("patch", PATH, {"entitlements": entitlements})


def test_the_shape(api: ApiClient) -> None:
    answer = patch(api, seats={"max": 15})
    expected = {
        "code": "seats",
        "name": "Seats",
        "description": None,
        "privileges": [
            {
                "code": "max",
                "name": "Maximum",
                "value_type": "integer",
                "config": {},
                "value": 15,
                "plan_value": 10,
                "override_value": 15,
            },
            {
                "code": "sso",
                "name": None,
                "value_type": "select",
                "config": {"select_options": ["google", "okta"]},
                "value": "google",
                "plan_value": "google",
                "override_value": None,
            },
        ],
        "overrides": {"max": 15},
    }
    assert answer.json() == {"entitlements": [expected]}
    assert api.read(PATH).json() == {"entitlements": [expected]}
    assert api.read("subscriptions/sub").json()["subscription"]["entitlements"] == [expected]
    assert api.read("subscriptions").json()["subscriptions"][0]["entitlements"] == [expected]


def test_what_a_reader_may_keep(api: ApiClient) -> None:
    first = api.read(PATH)
    etag = first["ETag"]
    assert (first["Cache-Control"], first["Vary"].split(",")[0]) == ("private, no-cache", "Authorization")
    assert etag.startswith('"')
    again = api.call("get", PATH, If_None_Match=etag)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", etag)
    assert api.call("get", PATH, If_None_Match=f'"other", W/{etag}').status_code == 304
    assert api.call("get", PATH, If_None_Match='"other"').status_code == 200
    patch(api, seats={"max": 15})
    changed = api.call("get", PATH, If_None_Match=etag)
    assert (changed.status_code, changed["ETag"] != etag) == (200, True)
    patch(api, seats={"max": None})
    assert api.read(PATH)["ETag"] == etag
    features.give(seats={"max": 11})
    assert api.call("get", PATH, If_None_Match=etag).status_code == 200


def test_it_is_one_statement_beside_the_key(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    prepared = statements.fetch_prepared
    monkeypatch.setattr(statements, "fetch_prepared", lambda *given: asked.append(1) or prepared(*given))
    api.read(PATH)
    for number in range(5):
        features.make_feature(f"feature{number}")
        features.give(**{f"feature{number}": {"max": number}})
    asked.clear()
    with CaptureQueriesContext(connection) as captured:
        assert len(api.read(PATH).json()["entitlements"]) == 6
    assert (len(asked), len(captured) <= 2) == (1, True)


def test_taking_from_a_subscription(api: ApiClient) -> None:
    left = api.call("delete", f"{PATH}/seats/privileges/max").json()["entitlement"]
    assert [one["code"] for one in left["privileges"]] == ["sso"]
    assert api.call("delete", f"{PATH}/seats").json()["entitlement"] == left
    assert api.read(PATH).json() == {"entitlements": []}
    for path, code in (("seats", "entitlement_not_found"), ("seats/privileges/max", "entitlement_not_found")):
        answer = api.call("delete", f"{PATH}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, code)
    patch(api, seats={})
    gone = api.call("delete", f"{PATH}/seats/privileges/root")
    assert (gone.status_code, gone.json()["code"]) == (404, "privilege_not_found")


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"none": {}}, 404, "feature_not_found"),
        ({"seats": {"none": 1}}, 404, "privilege_not_found"),
        ({"seats": {"max": "many"}}, 422, {"max_privilege_value": ["value_is_invalid"]}),
        ({"seats": {"sso": "azure"}}, 422, {"sso_privilege_value": ["value_not_in_select_options"]}),
        ({"seats": {"max": 12}, "none": {}}, 404, "feature_not_found"),
        ({"seats": []}, 422, {"entitlements": ["value_is_invalid"]}),
    ],
)
def test_what_is_refused_changes_nothing(api: ApiClient, asked: Any, status: int, code: Any) -> None:
    answer = patch(api, **asked)
    shown = answer.json()
    assert (answer.status_code, shown.get("error_details", shown["code"])) == (status, code)
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}


@pytest.mark.parametrize(
    ("method", "path"), [("get", ""), ("patch", ""), ("delete", "/seats"), ("delete", "/seats/privileges/max")]
)
def test_no_subscription(api: ApiClient, method: str, path: str) -> None:
    answer = api.call(method, f"subscriptions/none/entitlements{path}", {"entitlements": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")
    answer = api.call(method, f"{PATH}{path}?status=terminated", {"entitlements": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "subscription_not_found")


@pytest.mark.parametrize("parameter", ["status", "subscription_status"])
def test_one_that_waits_for_its_start(api: ApiClient, parameter: str) -> None:
    new = NewSubscription(
        external_customer_id="acme",
        plan_code="starter",
        external_id="later",
        subscription_at=instant("2026-06-01"),
    )
    subscriptions.create(new=new, actor=ACTOR, at=instant("2026-05-04"))
    path = f"subscriptions/later/entitlements?{parameter}=pending"
    api.call("patch", path, {"entitlements": {"seats": {"max": 3}}})
    (shown,) = api.read(path).json()["entitlements"]
    assert shown["overrides"] == {"max": 3}
    assert features.held() == {"seats": {"max": 10, "sso": "google"}}

"""``/subscriptions/:id/alerts`` and ``…/spend``: the shapes, what is refused, and what answers to usage tell."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import SpendCap, UsageAlert
from billing.queries import reached_caps
from billing.services import alert_checks
from config.platform.models import AuditEntry, Installation
from tests.factories import billing, catalog, customers
from tests.factories.billing import instant
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db
PATH, SPEND = "subscriptions/sub/alerts", "subscriptions/sub/spend"
NOW = instant("2026-05-10T12:00")


@pytest.fixture(autouse=True)
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    Installation.objects.get_or_create(singleton=True)
    metric = catalog.make_metric("gigabytes", "sum_agg")
    plan = catalog.make_plan("p", cents=0, charges=[catalog.standard(metric, "1")])
    billing.make_subscription(customers.make_customer(), plan, at=instant("2026-05-01"))
    return ApiClient()


def one(**values: Any) -> dict[str, Any]:
    usual = {"alert_type": "current_usage_amount", "code": "soon", "thresholds": [{"value": "1000"}]}
    return {**usual, **values}


def post(api: ApiClient, **values: Any) -> Any:
    return api.call("post", PATH, {"alert": one(**values)})


def event(number: int, units: int = 1, **values: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"t{number}",
        "external_subscription_id": "sub",
        "code": "gigabytes",
        "timestamp": int(NOW.timestamp()),
        "properties": {"gigabytes": units},
        **values,
    }


def test_the_shape(api: ApiClient) -> None:
    thresholds = [{"code": "warn", "value": "1000"}, {"value": 250.5, "recurring": True}]
    answer = post(api, name="Soon", thresholds=thresholds)
    assert answer.status_code == 200, answer.json()
    found = answer.json()["alert"]
    row = UsageAlert.objects.get()
    assert found == {
        "lago_id": str(row.uuid),
        "lago_organization_id": str(Installation.objects.get().uuid),
        "external_subscription_id": "sub",
        "subscription_external_id": "sub",
        "lago_wallet_id": None,
        "wallet_code": None,
        "alert_type": "current_usage_amount",
        "code": "soon",
        "name": "Soon",
        "direction": "increasing",
        "previous_value": "0.0",
        "last_processed_at": None,
        "thresholds": [
            {"code": "warn", "value": "1000.0", "recurring": False},
            {"code": None, "value": "250.5", "recurring": True},
        ],
        "billable_metric": None,
        "created_at": "2026-05-10T12:00:00Z",
    }
    assert api.read(f"{PATH}/soon").json() == {"alert": found}
    listed = api.read(PATH).json()
    assert (listed["alerts"], listed["meta"]["total_count"]) == ([found], 1)


def test_of_a_metric(api: ApiClient) -> None:
    answer = post(api, alert_type="billable_metric_current_usage_units", billable_metric_code="gigabytes")
    assert answer.json()["alert"]["billable_metric"]["code"] == "gigabytes"


def test_a_change_and_the_ends(api: ApiClient) -> None:
    post(api)
    answer = api.call("put", f"{PATH}/soon", {"alert": {"name": "Other", "code": "other"}})
    found = answer.json()["alert"]
    assert (found["name"], found["code"], found["thresholds"][0]["value"]) == ("Other", "other", "1000.0")
    answer = api.call("put", f"{PATH}/other", {"alert": {"thresholds": [{"value": "5"}, {"value": "7"}]}})
    assert [row["value"] for row in answer.json()["alert"]["thresholds"]] == ["5.0", "7.0"]
    before = AuditEntry.objects.count()
    api.call("put", f"{PATH}/other", {"alert": {"thresholds": [{"value": "7"}, {"value": "5"}]}})
    assert AuditEntry.objects.count() == before
    assert api.call("delete", f"{PATH}/other").json()["alert"]["code"] == "other"
    assert api.read(f"{PATH}/other").json()["code"] == "alert_not_found"
    post(api)
    gone = api.call("delete", PATH)
    assert (gone.status_code, gone.content, api.read(PATH).json()["alerts"]) == (200, b"", [])


def test_several_are_made_all_or_none(api: ApiClient) -> None:
    second = one(alert_type="lifetime_usage_amount", code="life")
    answer = api.call("post", PATH, {"alerts": [one(), second, one(code="again"), one(code="x", thresholds=[])]})
    assert (answer.status_code, answer.json()["error_details"]) == (
        422,
        {"2": {"base": ["alert_already_exists"]}, "3": {"thresholds": ["value_is_mandatory"]}},
    )
    assert not UsageAlert.objects.exists()
    answer = api.call("post", PATH, {"alerts": [one(), second]})
    assert [row["code"] for row in answer.json()["alerts"]] == ["soon", "life"]
    for given in ([], "many", [one()] * 101):
        assert api.call("post", PATH, {"alerts": given}).json()["error_details"] == {"alerts": ["invalid_count"]}
    answer = api.call("post", PATH, {"alerts": [7]})
    assert answer.json()["error_details"]["0"]["alert_type"] == ["value_is_mandatory"]


@pytest.mark.parametrize(
    ("values", "details"),
    [
        ({"alert_type": "wallet_balance_amount"}, {"alert_type": ["invalid_type"]}),
        ({"alert_type": "any"}, {"alert_type": ["invalid_type"]}),
        ({"code": ""}, {"code": ["value_is_mandatory"]}),
        ({"thresholds": None}, {"thresholds": ["value_is_mandatory"]}),
        ({"thresholds": [{"code": "x"}]}, {"thresholds.0.value": ["value_is_mandatory"]}),
        ({"thresholds": [{"value": "0"}]}, {"thresholds": ["value_is_out_of_range"]}),
        ({"thresholds": [{"value": str(n)} for n in range(1, 22)]}, {"thresholds": ["too_many_thresholds"]}),
        ({"thresholds": [{"value": "5"}, {"value": 5}]}, {"thresholds": ["duplicate_threshold_values"]}),
        (
            {"thresholds": [{"value": "5", "recurring": True}, {"value": "6", "recurring": True}]},
            {"thresholds": ["multiple_recurring_thresholds"]},
        ),
        ({"alert_type": "billable_metric_current_usage_units"}, {"billable_metric": ["value_is_mandatory"]}),
        ({"billable_metric_code": "gigabytes"}, {"billable_metric": ["value_is_invalid"]}),
    ],
)
def test_what_is_refused(api: ApiClient, values: Any, details: Any) -> None:
    answer = post(api, **values)
    assert (answer.status_code, answer.json()["error_details"]) == (422, details)
    assert not UsageAlert.objects.exists()


def test_what_is_taken_or_not_there(api: ApiClient) -> None:
    post(api)
    assert post(api, alert_type="lifetime_usage_amount").json()["error_details"] == {"code": ["value_already_exist"]}
    assert post(api, code="other").json()["error_details"] == {"base": ["alert_already_exists"]}
    answer = api.call("put", f"{PATH}/soon", {"alert": {"alert_type": "lifetime_usage_amount"}})
    assert answer.json()["error_details"] == {"alert_type": ["invalid_type"]}
    missing = {"alert_type": "billable_metric_current_usage_units", "billable_metric_code": "none"}
    assert post(api, **missing).json()["code"] == "billable_metric_not_found"
    assert api.call("put", f"{PATH}/none", {"alert": {"name": "x"}}).json()["code"] == "alert_not_found"
    assert api.call("delete", f"{PATH}/none").json()["code"] == "alert_not_found"
    for method in ("get", "post", "delete"):
        answer = api.call(method, "subscriptions/none/alerts", {"alert": one()} if method == "post" else None)
        assert answer.json()["code"] == "subscription_not_found"
    ended = api.read(PATH, subscription_status="terminated")
    assert ended.json()["code"] == "subscription_not_found"


def test_a_cap(api: ApiClient) -> None:
    assert api.read(SPEND).json()["code"] == "spend_cap_not_found"
    assert api.call("delete", SPEND).json()["code"] == "spend_cap_not_found"
    api.call("post", "events", {"event": event(1, 30)})
    answer = api.call("put", SPEND, {"spend_cap": {"amount_cents": 10_000}})
    expected = {
        "external_subscription_id": "sub",
        "currency": "EUR",
        "cap_amount_cents": 10_000,
        "spent_amount_cents": 3_000,
        "remaining_amount_cents": 7_000,
        "reached": False,
        "reached_at": None,
        "period_from": "2026-05-01T00:00:00Z",
        "period_to": "2026-06-01T00:00:00Z",
        "as_of": "2026-05-10T12:00:00Z",
    }
    assert answer.json() == {"spend": expected}
    first = api.read(SPEND)
    assert first.json() == {"spend": expected}
    assert api.call("get", SPEND, If_None_Match=first["ETag"]).status_code == 304
    assert api.call("delete", SPEND).json() == {"spend": expected}
    assert not SpendCap.objects.exists()


@pytest.mark.parametrize("cents", [0, -1, "many", None, 1.5])
def test_what_is_no_cap(api: ApiClient, cents: Any) -> None:
    answer = api.call("put", SPEND, {"spend_cap": {"amount_cents": cents}})
    assert answer.status_code == 422
    assert list(answer.json()["error_details"]) == ["amount_cents"]
    assert api.call("put", SPEND, {"spend_cap": {}}).status_code == 400
    assert api.call("put", "subscriptions/none/spend", {"spend_cap": {"amount_cents": 5}}).status_code == 404
    assert api.read(SPEND, status="odd").status_code == 422
    assert not SpendCap.objects.exists()


def test_it_is_a_fast_read(api: ApiClient) -> None:
    api.call("put", SPEND, {"spend_cap": {"amount_cents": 10_000}})
    api.read(SPEND)
    with CaptureQueriesContext(connection) as captured:
        assert api.read(SPEND).status_code == 200
    assert len(captured) <= 2


def test_who_sends_usage_is_told_and_nothing_is_refused(api: ApiClient) -> None:
    api.call("put", SPEND, {"spend_cap": {"amount_cents": 1_000}})
    quiet = api.call("post", "events", {"event": event(1, 10)})
    assert (quiet.status_code, quiet.has_header("Spend-Caps-Reached")) == (200, False)
    assert alert_checks.run(as_of=NOW).caps == 1
    reached_caps.forget()
    answers = [
        api.call("post", "events", {"event": event(2)}),
        api.call("post", "events/batch", {"events": [event(3), event(4, external_subscription_id="other")]}),
        api.call("post", "events/stream", [event(5)]),
    ]
    assert [(answer.status_code, answer["Spend-Caps-Reached"]) for answer in answers] == [(200, "sub")] * 3
    other = api.call("post", "events", {"event": event(6, external_subscription_id="other")})
    assert not other.has_header("Spend-Caps-Reached")
    assert api.read("events").json()["meta"]["total_count"] == 6


def test_names_in_the_header_are_encoded_and_bounded(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reached_caps, "among", lambda **_: ["a, b\n", *(f"s{n:03}" for n in range(60))])
    named = api.call("post", "events", {"event": event(1)})["Spend-Caps-Reached"].split(", ")
    assert (len(named), named[:2]) == (50, ["a%2C%20b%0A", "s000"])

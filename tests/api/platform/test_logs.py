"""``/activity_logs``, ``/api_logs`` and ``/security_logs``: shapes, filters, and what is not there."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from lago_python_client.models.activity_log import ActivityLogResponse
from lago_python_client.models.api_log import ApiLogResponse

from config.kernel.actors import Actor
from config.platform.models import RequestLog
from config.platform.services import api_keys, audit
from tests.factories import catalog, customers, platform
from tests.factories.platform import ACTOR, AT, ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def test_activities_say_what_was_done_to_what_and_whom_it_concerns(api: ApiClient) -> None:
    customers.make_default_entity()
    with time_machine.travel(AT, tick=False):
        api.call("post", "customers", {"customer": {"external_id": "c1", "name": "One"}})
        api.call("post", "billable_metrics", {"billable_metric": catalog_metric()})
    found = api.read("activity_logs", **{"activity_types[]": "customer.created"}).json()
    (entry,) = found["activity_logs"]
    assert ActivityLogResponse.parse_obj(entry).external_customer_id == "c1"
    assert (entry["activity_source"], entry["resource_type"], entry["user_email"]) == ("api", "Customer", None)
    assert (entry["activity_object"]["lago_id"], entry["logged_at"]) == (entry["resource_id"], "2026-05-04T12:00:00Z")
    assert found["meta"]["total_count"] == 1
    assert api.read(f"activity_logs/{entry['activity_id']}").json() == {"activity_log": entry}

    def types(**params: Any) -> list[str]:
        rows = api.read("activity_logs", **params).json()["activity_logs"]
        return [row["activity_type"] for row in rows]

    assert types(external_customer_id="c1") == ["customer.created"]
    assert types(external_customer_id="c2") == types(external_subscription_id="s") == []
    assert types(**{"resource_ids[]": entry["resource_id"]}) == ["customer.created"]
    assert types(**{"resource_types[]": ["BillableMetric"]}) == ["billable_metric.created"]
    assert types(from_date="2026-05-04", to_date="2026-05-04", **{"activity_sources[]": "api"}) == [
        "billable_metric.created",
        "customer.created",
    ]
    assert types(to_date="2026-05-03") == types(**{"activity_types[]": "customer.create"}) == []


def catalog_metric() -> dict[str, str]:
    return {"name": "Calls", "code": "calls", "aggregation_type": "count_agg"}


def test_changes_are_before_and_after_and_people_are_named(api: ApiClient) -> None:
    person = User.objects.create_user("ann", email="ann@example.com")
    tax = catalog.make_tax()
    actor = Actor(kind="user", label="Ann", user_id=person.pk)
    audit.record(actor=actor, at=AT, verb="update", instance=tax, old={"rate": "1"}, new={"rate": "2"}, reason="law")
    (entry,) = api.read("activity_logs", **{"user_emails[]": "ann@example.com"}).json()["activity_logs"]
    assert entry["activity_object_changes"] == {"rate": ["1", "2"]}
    assert (entry["activity_source"], entry["activity_object"]["reason"]) == ("front", "law")
    assert entry["user_email"] == "ann@example.com"


def test_requests_are_found_by_what_they_were(api: ApiClient) -> None:
    api.call("post", "taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 19}}, X_Request_ID="r-1", User_Agent="a/1")
    api.call("delete", "taxes/none", X_Request_ID="r-2", User_Agent="b/1")
    found = api.read("api_logs").json()["api_logs"]
    assert [row["request_id"] for row in found] == ["r-2", "r-1"]
    shown = ApiLogResponse.parse_obj(found[1])
    assert (shown.http_method, shown.http_status, shown.request_path) == ("post", 200, "/api/v1/taxes")
    assert (shown.request_body["tax"]["code"], shown.request_response["tax"]["code"]) == ("vat", "vat")
    assert api.read("api_logs/r-1").json()["api_log"] == found[1]

    def ids(**params: Any) -> list[str]:
        return [row["request_id"] for row in api.read("api_logs", **params).json()["api_logs"]]

    assert ids(**{"http_methods[]": "delete"}) == ids(**{"http_statuses[]": "failed"}) == ["r-2"]
    assert ids(**{"http_statuses[]": ["200", "404"]}) == ["r-2", "r-1"]
    assert ids(**{"request_paths[]": "/api/v1/taxes"}) == ids(**{"clients[]": "a/1"}) == ["r-1"]
    assert ids(**{"request_paths[]": "/api/v1/taxes*"}) == ["r-2", "r-1"]
    assert ids(api_version="v2") == ids(to_date="2020-01-01") == []


def test_a_body_that_was_cut_is_still_an_object(api: ApiClient) -> None:
    RequestLog.objects.create(
        request_id="r",
        at=AT,
        api_key=api.key,
        method="POST",
        path="/",
        status=200,
        duration_ms=1,
        request_body='{"a": "x',
    )
    (entry,) = api.read("api_logs").json()["api_logs"]
    assert (entry["request_body"], entry["request_response"]) == ({"_text": '{"a": "x'}, None)


def test_keys_and_sign_ins_are_in_the_security_log(api: ApiClient) -> None:
    person = User.objects.create_user("ann", email="ann@example.com", password="right")
    client = Client(headers={"User-Agent": "browser"})
    assert not client.login(username="ann", password="wrong")
    client.post("/admin/login/", {"username": "ann", "password": "wrong"})
    client.force_login(person)
    client.logout()
    actor = Actor(kind="user", label="Ann", user_id=person.pk)
    api_keys.rotate(api_key_id=api.key.pk, actor=actor, at=timezone.now())

    def found(**params: Any) -> list[dict[str, Any]]:
        response = api.read("security_logs", **params)
        assert response.status_code == 200, response.content
        return response.json()["security_logs"]

    events = [row["log_event"] for row in found(**{"log_types[]": "sign_in"})]
    assert sorted(events) == ["sign_in.failed", "sign_in.failed", "sign_in.signed_out", "sign_in.succeeded"]
    failed = found(**{"log_events[]": "sign_in.failed"})
    assert [row["resources"]["user_name"] for row in failed] == ["ann", "ann"]
    assert {"ip_address": "127.0.0.1", "user_agent": "browser"} in [row["device_info"] for row in failed]
    assert "wrong" not in str(found())
    (rotated,) = found(**{"api_key_ids[]": str(api.key.uuid), "log_events[]": "api_key.rotated"})
    assert (rotated["user_email"], rotated["resources"]["api_key_id"]) == ("ann@example.com", str(api.key.uuid))
    assert {row["log_type"] for row in found(**{"user_ids[]": person.pk})} == {"sign_in", "api_key"}
    assert api.read(f"security_logs/{rotated['log_id']}").json() == {"security_log": rotated}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("activity_logs/x", 404, "activity_log_not_found"),
        ("api_logs/x", 404, "api_log_not_found"),
        ("security_logs/00000000-0000-0000-0000-000000000000", 404, "security_log_not_found"),
        ("activity_logs?activity_sources[]=x", 422, "validation_errors"),
        ("activity_logs?resource_ids[]=x", 422, "validation_errors"),
        ("activity_logs?resource_types[]=Nothing", 200, None),
        ("activity_logs?from_date=x", 422, "validation_errors"),
        ("activity_logs?to_date=2199-12-31", 200, None),
        ("activity_logs?to_date=9999-12-31", 422, "validation_errors"),
        ("api_logs?http_statuses[]=2000", 422, "validation_errors"),
        ("api_logs?http_methods[]=get", 422, "validation_errors"),
        ("security_logs?user_ids[]=9999999999999999999", 422, "validation_errors"),
        ("security_logs?api_key_ids[]=x", 422, "validation_errors"),
        ("security_logs?log_types[]=x", 422, "validation_errors"),
    ],
)
def test_what_cannot_be_asked_for(api: ApiClient, path: str, status: int, code: str | None) -> None:
    response = api.read(path)
    assert (response.status_code, response.json().get("code")) == (status, code), response.content


def test_a_key_needs_the_right_to_a_log() -> None:
    client = platform.client_of(rights={"activity_log": ["read"]})
    assert client.read("activity_logs").status_code == 200
    assert client.read("api_logs").json()["code"] == "read_action_not_allowed_for_api_log"
    assert client.read("security_logs").json()["code"] == "read_action_not_allowed_for_security_log"
    api_keys.revoke(api_key_id=client.key.pk, actor=ACTOR, at=AT)
    assert client.read("activity_logs").status_code == 401

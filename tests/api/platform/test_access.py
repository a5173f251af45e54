"""Rights and limits of keys, as every view obeys them; writes that are sent twice; conditions; what is logged."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.test import Client

from config.platform.models import RequestLog
from config.platform.services import api_keys
from tests.factories import platform
from tests.factories.platform import ACTOR, AT, ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.platform.views")]

GROUP = {"group": {"name": "g"}}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


# --- Rights ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rights", "method", "path", "status", "code"),
    [
        ({"plan": ["write"]}, "post", "once", 200, None),
        ({"plan": ["read"]}, "post", "once", 403, "write_action_not_allowed_for_plan"),
        ({"invoice": ["write"]}, "get", "groups/x", 403, "read_action_not_allowed_for_plan"),
        ({"plan": ["read"]}, "get", "groups/x", 404, "group_not_found"),
        ({"*": ["read"]}, "get", "groups/x", 404, "group_not_found"),
        ({"*": ["read"]}, "delete", "groups/x", 403, "write_action_not_allowed_for_plan"),
        ({"invoice": ["read"]}, "post", "preview", 200, None),  # writes nothing
        ({"invoice": ["write"]}, "post", "preview", 403, "read_action_not_allowed_for_invoice"),
        ({"*": ["read", "write"]}, "get", "nameless", 403, "read_action_not_allowed_for_"),
        ({"plan": ["read"]}, "post", "nowhere", 404, "resource_not_found"),
        (None, "get", "nameless", 200, None),
    ],
)
def test_a_key_may_what_its_rights_say(rights: Any, method: str, path: str, status: int, code: str | None) -> None:
    response = platform.client_of(rights=rights).call(method, path, GROUP if method == "post" else None)
    assert (response.status_code, response.json().get("code")) == (status, code), response.content
    if status == 403:
        assert response.json() == {"status": 403, "error": "Forbidden", "code": code}


def test_a_right_is_asked_for_before_the_body_and_after_the_key() -> None:
    client = platform.client_of(rights={"event": ["write"]})
    assert client.call("post", "once", b"{").status_code == 403
    assert platform.client_of(rights={"plan": ["write"]}).call("post", "once", {}).status_code == 400
    api_keys.revoke(api_key_id=client.key.pk, actor=ACTOR, at=AT)
    assert client.call("post", "once", b"{").status_code == 401


@pytest.mark.parametrize("path", ["once", "nowhere", "files/x"])
@pytest.mark.parametrize(
    "method", ["ACTOR", "AT", "DISPATCH", "_SERVED", "_ANSWERED", "RESOURCE", "__CLASS__", "TRACE"]
)
def test_a_method_that_is_none_is_refused(api: ApiClient, method: str, path: str) -> None:
    """A method is a word of the client: no attribute of a view is meant by it."""
    assert api.generic(method, f"/api/v1/{path}").status_code in {404, 405}
    assert Client().generic(method, f"/api/v1/{path}").status_code == 401


def test_a_length_that_is_no_number_is_refused(api: ApiClient) -> None:
    refused = api.generic("POST", "/api/v1/once", b"{}", content_type="application/json", CONTENT_LENGTH="abc")
    assert (refused.status_code, refused.json()["error"]) == (400, "BadRequest: Content-Length is no number")


# --- Limits ---------------------------------------------------------------------------------------------------------


def test_a_limited_key_is_told_where_it_stands_and_stopped() -> None:
    with time_machine.travel(AT, tick=False):
        client = platform.client_of(rate_limit=2, rights={"plan": ["write"]})
        first, refused, over = client.call("post", "once", GROUP), client.read("names"), client.read("names")
        assert [one.status_code for one in (first, refused, over)] == [200, 403, 429]
        for prefix in ("RateLimit-", "X-RateLimit-"):
            found = [[one[prefix + name] for name in ("Limit", "Remaining", "Reset")] for one in (first, refused, over)]
            assert found == [["2", "1", "60"], ["2", "0", "60"], ["2", "0", "60"]]
        assert over.json() == {"status": 429, "error": "Too Many Requests", "code": "too_many_requests"}
        assert over["Retry-After"] == "60"
    with time_machine.travel(AT + timedelta(seconds=60), tick=False):
        assert client.call("post", "once", GROUP).status_code == 200


def test_a_key_without_a_limit_is_told_nothing(api: ApiClient) -> None:
    assert not [name for name in api.read("names").headers if "ratelimit" in name.lower()]


# --- Repeats --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b'{"group": {"name": "g", "x": [1, 2.50]}}', b'{ "group":{"x":[1,2.50],"name":"g"} }\n'),
        ('{"group": {"name": "ü"}}'.encode(), b'{"group": {"name": "\\u00fc"}}'),
    ],
)
def test_the_same_json_is_the_same_request(api: ApiClient, first: bytes, again: bytes) -> None:
    before = api.call("post", "once", first, Idempotency_Key="k")
    after = api.call("post", "once", again, Idempotency_Key="k")
    assert (after.content, after.status_code) == (before.content, 200)
    assert (before.get("Idempotency-Replayed"), after["Idempotency-Replayed"]) == (None, "true")
    assert after["Content-Type"] == before["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("post", "once", {"group": {"name": "h"}}),
        ("post", "once", {"group": {"name": "g", "x": 1}}),
        ("post", "once", {"group": {"name": ["g"]}}),
        ("post", "once?x=1", GROUP),
        ("post", "files/empty", GROUP),
        ("put", "groups/g0", GROUP),
    ],
)
def test_another_request_under_a_known_key_is_refused(api: ApiClient, method: str, path: str, content: Any) -> None:
    api.call("post", "once", GROUP, Idempotency_Key="k")
    refused = api.call(method, path, content, Idempotency_Key="k")
    assert refused.status_code == 422
    assert refused.json()["error_details"] == {"idempotency_key": ["value_already_exist"]}
    assert Group.objects.filter(name__startswith="g").count() == 1


def test_a_number_is_not_the_text_of_its_digits(api: ApiClient) -> None:
    assert api.call("post", "once", {"group": {"name": "g", "x": 1}}, Idempotency_Key="k").status_code == 200
    assert api.call("post", "once", {"group": {"name": "g", "x": "1"}}, Idempotency_Key="k").status_code == 422


def test_a_rotated_key_knows_what_it_was_answered(api: ApiClient) -> None:
    first = api.call("post", "once", GROUP, Idempotency_Key="k")
    assert api.key is not None
    rotated = api_keys.rotate(api_key_id=api.key.pk, actor=ACTOR, at=AT)
    again = ApiClient(rotated.secret).call("post", "once", GROUP, Idempotency_Key="k")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize("kind", ["file", "stream", "empty"])
def test_files_and_nothing_are_remembered_too(api: ApiClient, kind: str) -> None:
    first, second = (api.call("post", f"files/{kind}", {}, Idempotency_Key="k") for _ in range(2))
    body = {"file": b"%PDF\x00", "stream": b"ab", "empty": b""}[kind]
    assert b"".join(first) == body
    assert second.content == body
    assert second.get("Content-Type") == first.get("Content-Type") or kind == "empty"
    assert second.get("Content-Disposition") == first.get("Content-Disposition")
    assert Group.objects.filter(name__startswith=kind).count() == 1


def test_a_read_takes_no_key(api: ApiClient) -> None:
    assert api.call("post", "preview", {"a": 1}, Idempotency_Key="k").status_code == 200
    assert api.call("post", "preview", {"a": 2}, Idempotency_Key="k").status_code == 200


# --- Conditions -----------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_not_sent_again(api: ApiClient) -> None:
    Group.objects.create(name="g")
    first = api.read("groups/g")
    again = api.call("get", "groups/g", If_None_Match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert api.call("put", "groups/g", {"group": {"add": 1}}).status_code == 200
    changed = api.call("get", "groups/g", If_None_Match=first["ETag"])
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)
    assert "ETag" not in api.read("groups/missing")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": '"x"'}, 200),
        ({"If_Unmodified_Since": "Mon, 01 Jan 2018 00:00:00 GMT"}, 200),
        ({"If_Modified_Since": "Mon, 01 Jan 2018 00:00:00 GMT"}, 200),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x", nonsense'}, 200),
    ],
)
def test_a_read_asks_for_nothing_but_what_changed(api: ApiClient, headers: dict[str, str], status: int) -> None:
    Group.objects.create(name="g")
    assert api.call("get", "groups/g", **headers).status_code == status


@pytest.mark.parametrize(("method", "content"), [("put", {"group": {"add": 1}}), ("delete", None)])
def test_a_write_to_what_somebody_changed_is_refused(api: ApiClient, method: str, content: Any) -> None:
    group = Group.objects.create(name="g")
    seen = api.read("groups/g")["ETag"]
    assert api.call("put", "groups/g", {"group": {"add": 1}}, If_Match=seen).status_code == 200
    refused = api.call(method, "groups/g", content, If_Match=seen)
    assert refused.status_code == 412
    assert refused.json() == {"status": 412, "error": "Precondition Failed", "code": "precondition_failed"}
    assert group.permissions.count() == 1
    now = api.read("groups/g")["ETag"]
    assert api.call(method, "groups/g", content, If_Match=f'"x", {now}').status_code == 200
    assert api.call("put", "groups/none", {"group": {"add": 1}}, If_Match="*").status_code == 404


def test_a_repeat_of_a_conditional_write_gets_its_first_answer(api: ApiClient) -> None:
    Group.objects.create(name="g")
    headers = {"If_Match": api.read("groups/g")["ETag"], "Idempotency_Key": "k"}
    first, second = (api.call("put", "groups/g", {"group": {"add": 1}}, **headers) for _ in range(2))
    assert (first.status_code, second.status_code, second.content) == (200, 200, first.content)


# --- The log of requests --------------------------------------------------------------------------------------------


def test_a_write_is_logged_with_what_may_be_kept(api: ApiClient) -> None:
    content = {"group": {"name": "g", "email": "a@example.com", "hmac_key": "k", "to": ["a@example.com"]}}
    headers = {"X_Request_ID": "r-1", "User_Agent": "tests/1"}
    api.call("post", "once?name=1&email=a@example.com", content, **headers)
    entry = RequestLog.objects.get()
    assert (entry.request_id, entry.method, entry.path, entry.status) == ("r-1", "POST", "/api/v1/once", 200)
    assert (entry.client, entry.address, entry.api_key) == ("tests/1", "127.0.0.1", api.key)
    assert entry.query == "name=1&email=[hidden]"
    hidden = dict.fromkeys(("email", "hmac_key", "to"), "[hidden]")
    assert json.loads(entry.request_body) == {"group": {"name": "g", **hidden}}
    assert "id" in json.loads(entry.response_body)["group"]
    assert api.secret not in str(list(RequestLog.objects.values()))


def test_what_is_refused_is_logged_although_it_was_undone(api: ApiClient) -> None:
    api.call("post", "once", {"group": {"name": "refused"}}, Idempotency_Key="k")
    api.call("post", "once", b"{broken")
    api.call("post", "nowhere", {})
    platform.client_of(rights={"event": ["write"]}).call("post", "once", GROUP)
    found = RequestLog.objects.order_by("id").values_list("status", "request_body")
    assert [one[0] for one in found] == [405, 400, 404, 403]
    assert found[1][1] == "[no JSON, 7 bytes]"


def test_what_is_not_logged(api: ApiClient, settings: Any) -> None:
    api.read("names")
    api.call("post", "preview", {})
    api.call("post", "ingestion", {})
    Client().post("/api/v1/once", GROUP, content_type="application/json")
    limited = platform.client_of(rate_limit=1)
    limited.read("names")
    assert limited.call("post", "once", GROUP).status_code == 429
    settings.API_LOG_DAYS = 0
    api.call("post", "once", GROUP)
    assert not RequestLog.objects.exists()
    settings.API_LOG_DAYS, settings.API_LOG_EVENTS = 90, True
    api.call("post", "ingestion", {})
    assert RequestLog.objects.get().path == "/api/v1/ingestion"


def test_a_fault_is_logged_and_goes_on(api: ApiClient) -> None:
    with pytest.raises(RuntimeError, match="a secret detail"):
        api.call("post", "faulty", {})
    entry = RequestLog.objects.get()
    assert (entry.status, entry.response_body) == (500, "")


@pytest.mark.parametrize("fault", [DatabaseError("full"), ValueError("a mistake of ours")])
def test_a_log_that_fails_fails_no_request(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: Exception
) -> None:
    def fail(**_: Any) -> None:
        raise fault

    monkeypatch.setattr(RequestLog.objects, "create", fail)
    assert api.call("post", "once", GROUP).status_code == 200
    with pytest.raises(RuntimeError, match="a secret detail"):
        api.call("post", "faulty", {})
    assert Group.objects.filter(name__startswith="g").exists()
    assert "could not be logged" in caplog.text
    assert not RequestLog.objects.exists()


def test_the_address_is_believed_from_our_own_proxy_only(api: ApiClient, settings: Any) -> None:
    settings.BEHIND_PROXY = False
    api.call("post", "once", GROUP, X_Forwarded_For="1.2.3.4")
    settings.BEHIND_PROXY = True
    api.call("post", "once", GROUP, X_Forwarded_For="9.9.9.9, 1.2.3.4")
    api.call("post", "once", GROUP, X_Forwarded_For="nonsense")
    assert list(RequestLog.objects.order_by("id").values_list("address", flat=True)) == ["127.0.0.1", "1.2.3.4", ""]
    api.key.refresh_from_db()
    assert set(api.key.addresses) == {"127.0.0.1", "1.2.3.4"}

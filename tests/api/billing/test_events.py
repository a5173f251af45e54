"""``/events``: single and batch, repeats, refusals, and looking at what came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import UsageEvent
from billing.queries import events as event_queries
from tests.factories import usage
from tests.factories.platform import AT, ApiClient

pytestmark = pytest.mark.django_db

MAY_4 = 1_777_852_800


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def sent(transaction_id: str = "t", **values: Any) -> dict[str, Any]:
    return {"transaction_id": transaction_id, "external_subscription_id": "sub", "code": "requests", **values}


def refused(details: object) -> dict[str, Any]:
    return {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }


def test_an_event_is_taken_and_shown(api: ApiClient) -> None:
    body = sent(timestamp=f"{MAY_4}.987654", precise_total_amount_cents="1234.5", properties={"a": [1, "x"]})
    with time_machine.travel(AT, tick=False):
        response = api.call("post", "events", {"event": body})
    assert response.status_code == 200
    row = UsageEvent.objects.get()
    expected = {
        "lago_id": str(row.id),
        "transaction_id": "t",
        "lago_customer_id": None,
        "code": "requests",
        "timestamp": "2026-05-04T00:00:00.987Z",
        "precise_total_amount_cents": "1234.5",
        "properties": {"a": [1, "x"]},
        "lago_subscription_id": None,
        "external_subscription_id": "sub",
        "created_at": "2026-05-04T12:00:00Z",
    }
    assert response.json() == {"event": expected}
    assert api.read("events/t").json() == {"event": expected}
    assert api.read("events").json()["events"] == [expected]
    assert row.timestamp.microsecond == 987654


def test_without_a_timestamp_it_happened_when_it_came(api: ApiClient) -> None:
    with time_machine.travel(AT + timedelta(microseconds=123456), tick=False):
        assert api.call("post", "events", {"event": sent()}).json()["event"]["timestamp"] == "2026-05-04T12:00:00.123Z"
    assert UsageEvent.objects.get().timestamp == AT + timedelta(microseconds=123456)


def test_a_repeat_is_refused_and_changes_nothing(api: ApiClient) -> None:
    assert api.call("post", "events", {"event": sent()}).status_code == 200
    before = UsageEvent.objects.values().get()
    response = api.call("post", "events", {"event": sent(properties={"other": 1})})
    assert response.status_code == 422
    assert response.json() == refused({"transaction_id": ["value_already_exist"]})
    assert UsageEvent.objects.values().get() == before


def test_a_batch_is_taken_in_its_order(api: ApiClient) -> None:
    batch = [sent(name, timestamp=MAY_4) for name in ("c", "a", "b")]
    response = api.call("post", "events/batch", {"events": batch})
    assert response.status_code == 200
    assert set(response.json()) == {"events"}
    assert [event["transaction_id"] for event in response.json()["events"]] == ["c", "a", "b"]
    ids = {str(row.id): row.transaction_id for row in UsageEvent.objects.all()}
    assert {event["lago_id"]: event["transaction_id"] for event in response.json()["events"]} == ids


def test_a_batch_is_all_or_nothing(api: ApiClient) -> None:
    assert api.call("post", "events", {"event": sent("known")}).status_code == 200
    response = api.call("post", "events/batch", {"events": [sent("a"), sent("known"), sent("b"), sent("a")]})
    assert response.status_code == 422
    exists = {"transaction_id": ["value_already_exist"]}
    assert response.json() == refused({"1": exists, "3": exists})
    assert usage.stored() == 1
    response = api.call("post", "events/batch", {"events": [sent("a"), sent("b", code=None)]})
    assert response.json() == refused({"1": {"code": ["value_is_mandatory"]}})
    assert usage.stored() == 1
    assert api.call("post", "events/batch", {"events": [sent("a"), sent("b")]}).status_code == 200
    assert usage.stored() == 3


@pytest.mark.parametrize(
    ("content", "code"),
    [({"events": []}, "no_events"), ({"events": [sent()] * 1001}, "too_many_events"), ({}, "no_events")],
)
def test_the_size_of_a_batch(api: ApiClient, content: Any, code: str) -> None:
    response = api.call("post", "events/batch", content)
    assert (response.status_code, response.json()) == (422, refused({"events": [code]}))


@pytest.mark.parametrize("path", ["events", "events/batch"])
@pytest.mark.parametrize("body", ["", "{", "[]", "\x00", '{"event', "é" * 10])
def test_a_body_that_cannot_be_read(api: ApiClient, path: str, body: str) -> None:
    response = api.call("post", path, body)
    assert response.status_code in (400, 422)
    assert response.json()["error"].startswith("BadRequest: ") or response.json()["error_details"]
    assert usage.stored() == 0


@pytest.mark.parametrize("body", [b"\xff\xfe", b'{"event": {"code": "\xc3"}}', b'{"events": [{"code": "\\u0000"}]}'])
def test_a_body_in_no_encoding(api: ApiClient, body: bytes) -> None:
    for path in ("/api/v1/events", "/api/v1/events/batch"):
        assert api.post(path, body, content_type="application/json").status_code in (400, 422)


@pytest.mark.parametrize(
    ("method", "path"), [("post", "events"), ("post", "events/batch"), ("get", "events"), ("get", "events/t")]
)
def test_a_key_is_needed(method: str, path: str) -> None:
    response = ApiClient("wrong").call(method, path)
    assert (response.status_code, response.json()) == (401, {"status": 401, "error": "Unauthorized"})


def test_an_event_costs_no_query_of_its_own(api: ApiClient) -> None:
    def queries(count: int) -> int:
        batch = [sent(f"{count}-{number}", timestamp=MAY_4) for number in range(count)]
        with CaptureQueriesContext(connection) as captured:
            assert api.call("post", "events/batch", {"events": batch}).status_code == 200
        return len(captured)

    queries(1)
    assert queries(2) == queries(300) == 3  # the key, and a savepoint around the one statement


def test_a_list_is_newest_first_and_narrowed(api: ApiClient) -> None:
    batch = [
        sent("a", timestamp=MAY_4),
        sent("c", timestamp=MAY_4 + 1),
        sent("b", timestamp=MAY_4 + 1),
        sent("d", timestamp=MAY_4 + 2, code="other"),
        sent("e", timestamp=MAY_4 + 3, external_subscription_id="other"),
    ]
    assert api.call("post", "events/batch", {"events": batch}).status_code == 200

    def found(**params: Any) -> list[str]:
        response = api.read("events", **params)
        assert response.status_code == 200
        assert response.json()["meta"]["total_count"] == len(response.json()["events"])
        return [event["transaction_id"] for event in response.json()["events"]]

    assert found() == ["e", "d", "b", "c", "a"]
    assert found(code="requests") == ["e", "b", "c", "a"]
    assert found(external_subscription_id="sub") == ["d", "b", "c", "a"]
    assert found(external_subscription_id="sub", code="other") == ["d"]
    assert found(timestamp_from="2026-05-04T00:00:01Z", timestamp_to="2026-05-04T00:00:02Z") == ["d", "b", "c"]
    assert found(code="unknown") == []
    page = api.read("events", per_page=2, page=2).json()
    assert [event["transaction_id"] for event in page["events"]] == ["b", "c"]
    assert page["meta"] == {"current_page": 2, "next_page": 3, "prev_page": 1, "total_pages": 3, "total_count": 5}
    beyond = api.read("events", per_page=100, page=5).json()
    assert (beyond["events"], beyond["meta"]["total_count"], beyond["meta"]["total_pages"]) == ([], 5, 1)
    assert api.read("events", code="unknown", page=2).json()["meta"]["total_count"] == 0
    assert api.read("events", timestamp_from="soon").status_code == 422


def test_long_lists_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    usage.store(*[usage.make_event() for _ in range(12)])
    assert event_queries.count(event_queries.listed()) == 12
    monkeypatch.setattr(event_queries, "COUNTED_EXACTLY", 10)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE billing_usage_event")
    # The planner takes every empty month for a row or so; what was counted is the least.
    assert 11 <= event_queries.count(event_queries.listed()) < 100
    assert event_queries.count(event_queries.listed(code="unknown")) == 0


@pytest.mark.parametrize("size", [1, 3, 4, 5])
def test_pages_far_back_go_on_where_others_end(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    # Of sixteen events six are of the same second, and pages end among them.
    moments = [f"2026-0{3 + number % 3}-04T12:00:0{number}" for number in range(9)] + ["2026-05-06T12:00:00"] * 6
    usage.store(*[usage.make_event(moment, code="requests") for moment in (*moments, "2026-06-01T00:00:00")])
    usage.store(usage.make_event(code="other"))
    monkeypatch.setattr(event_queries, "_NEAR", 2)
    monkeypatch.setattr(event_queries, "count", lambda _found: 5)  # far too few: an estimate may be
    rows = event_queries.listed(code="requests")
    met: list[str] = []
    for offset in range(0, 50, size):
        page = event_queries.page(rows, offset=offset, size=size)
        met += [event.transaction_id for event in page.rows]
        if not page.has_next:
            break
    assert met == [event.transaction_id for event in rows]
    assert len(met) == 16


def test_one_of_several_subscriptions_is_found(api: ApiClient) -> None:
    batch = [
        sent("a/b c", timestamp=MAY_4, external_subscription_id="first"),
        sent("a/b c", timestamp=MAY_4 + 5, external_subscription_id="second"),
    ]
    assert api.call("post", "events/batch", {"events": batch}).status_code == 200
    assert api.read("events/a/b%20c").json()["event"]["external_subscription_id"] == "second"
    found = api.read("events/a/b%20c", external_subscription_id="first").json()["event"]
    assert found["timestamp"] == "2026-05-04T00:00:00.000Z"
    response = api.read("events/nobody")
    assert response.status_code == 404
    assert response.json() == {"status": 404, "error": "Not Found", "code": "event_not_found"}
    assert api.read("events/x%00y").status_code == 404

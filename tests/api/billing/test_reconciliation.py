"""``/events/reconcile``: hours that match, hours that do not, and which events are missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import usage
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db

NOON, ONE, TWO = (f"2026-05-04T{hour}:00:00Z" for hour in (12, 13, 14))
NOTHING = "0" * 16


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def stream(api: ApiClient, *events: tuple[str, str], **values: Any) -> str:
    """Send events, each a name and a moment, and return the digest of the receipt."""
    body = "\n".join(
        json.dumps(
            {"transaction_id": name, "external_subscription_id": "sub", "code": "c", "timestamp": moment, **values}
        )
        for name, moment in events
    )
    response = api.post("/api/v1/events/stream", body, content_type="application/x-ndjson")
    assert response.status_code == 200
    return str(response.json()["receipt"]["digest"])


def compare(api: ApiClient, *hours: dict[str, Any], **narrowed: str) -> dict[str, Any]:
    response = api.call("post", "events/reconcile", {"reconciliation": {"hours": list(hours), **narrowed}})
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()["reconciliation"]
    return found


def outcomes(found: dict[str, Any]) -> list[str]:
    return [hour["outcome"] for hour in found["hours"]]


def test_receipts_of_an_hour_add_up_to_it(api: ApiClient) -> None:
    first = stream(api, ("a", "2026-05-04T12:00:00Z"), ("ä", "2026-05-04T12:59:59.999999Z"))
    second = stream(api, ("c", "2026-05-04T12:30:00Z"))
    other = stream(api, ("d", ONE))
    digest = f"{(int(first, 16) + int(second, 16)) % 2**64:016x}"
    hours = [{"hour": NOON, "count": 3, "digest": digest.upper()}, {"hour": ONE, "count": 1, "digest": other}]
    found = compare(api, *hours, {"hour": TWO, "count": 0, "digest": NOTHING})
    assert (found["matching"], found["sent_count"], found["stored_count"]) == (True, 4, 4)
    assert found["hours"][0] == {
        "hour": NOON,
        "outcome": "matching",
        "sent_count": 3,
        "stored_count": 3,
        "missing_count": 0,
        "sent_digest": digest.upper(),
        "stored_digest": digest,
        "missing": [],
    }
    assert outcomes(found) == ["matching"] * 3


def test_what_does_not_match(api: ApiClient) -> None:
    digest = stream(api, ("a", NOON), ("b", NOON))
    assert outcomes(compare(api, {"hour": NOON, "count": 3})) == ["missing"]
    assert compare(api, {"hour": NOON, "count": 3})["hours"][0]["missing_count"] == 1
    assert outcomes(compare(api, {"hour": NOON, "count": 1})) == ["surplus"]
    assert outcomes(compare(api, {"hour": NOON, "count": 2, "digest": NOTHING})) == ["different"]
    assert outcomes(compare(api, {"hour": NOON, "count": 2})) == ["matching"]
    assert outcomes(compare(api, {"hour": NOON, "count": 2, "digest": digest})) == ["matching"]
    assert not compare(api, {"hour": NOON, "count": 2, "digest": digest}, {"hour": ONE, "count": 1})["matching"]


def test_named_events_that_are_missing(api: ApiClient) -> None:
    stream(api, ("a", NOON), ("late", ONE))
    stream(api, ("a", NOON), external_subscription_id="other")
    names = [{"transaction_id": name} for name in ("a", "late", "lost", "lost")]
    found = compare(api, {"hour": NOON, "count": 3, "events": names}, external_subscription_id="sub")
    assert found["hours"][0]["missing"] == [
        {"transaction_id": "late", "external_subscription_id": "sub", "stored_at": ONE},
        {"transaction_id": "lost", "external_subscription_id": "sub", "stored_at": None},
    ]
    names = [{"transaction_id": "a", "external_subscription_id": "third"}]
    found = compare(api, {"hour": NOON, "count": 2, "events": names})
    assert outcomes(found) == ["different"]
    assert [event["external_subscription_id"] for event in found["hours"][0]["missing"]] == ["third"]


def test_a_comparison_is_narrowed(api: ApiClient) -> None:
    stream(api, ("a", NOON), ("b", NOON))
    stream(api, ("c", NOON), code="other")
    stream(api, ("a", NOON), external_subscription_id="other")
    for narrowed, count in (
        ({}, 4),
        ({"external_subscription_id": "sub"}, 3),
        ({"code": "c"}, 3),
        ({"external_subscription_id": "sub", "code": "other"}, 1),
        ({"external_subscription_id": "nobody"}, 0),
    ):
        assert outcomes(compare(api, {"hour": NOON, "count": count}, **narrowed)) == ["matching"]


@pytest.mark.parametrize(
    ("content", "field", "code"),
    [
        ({}, "hours", "value_is_mandatory"),
        ({"hours": []}, "hours", "value_is_mandatory"),
        ({"hours": [{"count": 1}]}, "hours.0.hour", "value_is_mandatory"),
        ({"hours": [{"hour": NOON}]}, "hours.0.count", "value_is_mandatory"),
        ({"hours": [{"hour": NOON, "count": -1}]}, "hours.0.count", "value_is_out_of_range"),
        ({"hours": [{"hour": NOON, "count": 1, "digest": "12"}]}, "hours.0.digest", "value_is_invalid"),
        ({"hours": [{"hour": "2026-05-04T12:30:00Z", "count": 1}]}, "hours.0.hour", "value_is_invalid"),
        ({"hours": [{"hour": NOON, "count": 1}] * 2}, "hours.1.hour", "value_is_invalid"),
        (
            {"hours": [{"hour": NOON, "count": 1, "events": [{"transaction_id": "a"}]}]},
            "hours.0.events.0.external_subscription_id",
            "value_is_mandatory",
        ),
    ],
)
def test_what_cannot_be_compared(api: ApiClient, content: dict[str, Any], field: str, code: str) -> None:
    body = {"reconciliation": {"code": "c", **content}}
    response = api.call("post", "events/reconcile", body)
    assert response.status_code == 422
    assert response.json()["error_details"] == {field: [code]}


def test_hours_cost_no_query_each(api: ApiClient) -> None:
    usage.store(usage.make_event())

    def queries(count: int) -> int:
        hours = [
            {
                "hour": f"2026-05-04T{hour:02}:00:00Z",
                "count": 0,
                "events": [{"transaction_id": f"{hour}", "external_subscription_id": "s"}],
            }
            for hour in range(count)
        ]
        with CaptureQueriesContext(connection) as captured:
            compare(api, *hours)
        return len(captured)

    queries(1)
    assert queries(1) == queries(24) == 3  # the key, the hours, the named events


def test_a_key_is_needed() -> None:
    response = ApiClient("wrong").call("post", "events/reconcile", {"reconciliation": {}})
    assert (response.status_code, response.json()) == (401, {"status": 401, "error": "Unauthorized"})

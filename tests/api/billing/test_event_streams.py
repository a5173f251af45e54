"""``/events/stream``: every form of the body, a verdict for each event, the receipt, and what a repeat changes."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest
import time_machine
import zstandard
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import UsageEvent
from tests.factories import usage
from tests.factories.platform import AT, ApiClient

pytestmark = pytest.mark.django_db

MAY_4 = 1_777_852_800
LINES = "application/x-ndjson"
PLAIN = "application/json"
EXISTS = {"transaction_id": ["value_already_exist"]}


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


def sent(transaction_id: str = "t", **values: Any) -> dict[str, Any]:
    given = {"transaction_id": transaction_id, "external_subscription_id": "sub", "code": "requests"}
    return {**given, "timestamp": MAY_4, **values}


def cloud(name: str = "7", **values: Any) -> dict[str, Any]:
    given = {"specversion": "1.0", "id": name, "source": "/gateway", "type": "requests", "subject": "sub"}
    return {**given, "time": "2026-05-04T00:00:00Z", "data": {"bytes": 5}, **values}


def lines(*events: Any) -> bytes:
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def post(api: ApiClient, body: bytes, kind: str = LINES, query: str = "", **headers: str) -> Any:
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.post(f"/api/v1/events/stream{query}", body, content_type=kind, headers=extra)


def verdicts(response: Any) -> list[str]:
    return [event["verdict"] for event in response.json()["events"]]


def digest(*names: str) -> str:
    # The documented rule: the sum of the first eight bytes of each SHA-256, as 64 bits.
    parts = [hashlib.sha256(f"sub\0{name}\0requests".encode()).hexdigest()[:16] for name in names]
    return f"{sum(int(part, 16) for part in parts) % 2**64:016x}"


def test_each_event_has_its_verdict(api: ApiClient) -> None:
    assert post(api, lines(sent("known"), sent("taken"))).status_code == 200
    body = lines(sent("new"), sent("known"), sent("taken", code="other"), sent("bad", code=""), sent("last"))
    with time_machine.travel(AT, tick=False):
        response = post(api, body)
    assert response.status_code == 200
    ids = {row.transaction_id: str(row.id) for row in UsageEvent.objects.all()}
    assert ids.keys() == {"known", "taken", "new", "last"}

    def told(position: int, name: str, verdict: str, details: object = None) -> dict[str, Any]:
        stored = ids[name] if verdict in {"accepted", "duplicate"} else None
        return {
            "position": position,
            "transaction_id": name,
            "verdict": verdict,
            "lago_id": stored,
            "error_details": details,
        }

    assert response.json() == {
        "receipt": {
            "count": 3,
            "digest": digest("new", "known", "last"),
            "accepted": 2,
            "duplicate": 1,
            "conflict": 1,
            "rejected": 1,
            "received_at": "2026-05-04T12:00:00Z",
        },
        "events": [
            told(0, "new", "accepted"),
            told(1, "known", "duplicate"),
            told(2, "taken", "conflict", EXISTS),
            told(3, "bad", "rejected", {"code": ["value_is_mandatory"]}),
            told(4, "last", "accepted"),
        ],
    }


def test_sent_again_it_changes_nothing(api: ApiClient) -> None:
    body = lines(*[sent(f"t{number}", properties={"n": number}) for number in range(50)])
    first = post(api, body).json()
    before = list(UsageEvent.objects.order_by("transaction_id").values())
    second = post(api, body).json()
    assert verdicts(post(api, body)) == ["duplicate"] * 50
    assert [event["lago_id"] for event in second["events"]] == [event["lago_id"] for event in first["events"]]
    assert second["receipt"]["digest"] == first["receipt"]["digest"]
    assert list(UsageEvent.objects.order_by("transaction_id").values()) == before


def test_exceptions_can_be_listed_alone(api: ApiClient) -> None:
    response = post(api, lines(sent("a"), sent("b", code=None), sent("c")), query="?verdicts=exceptions")
    assert [(event["position"], event["verdict"]) for event in response.json()["events"]] == [(1, "rejected")]
    assert response.json()["receipt"]["accepted"] == 2
    assert post(api, lines(sent("d")), query="?verdicts=some").status_code == 422
    assert usage.stored() == 2


def test_a_stream_of_which_nothing_is_stored_is_no_success(api: ApiClient) -> None:
    response = post(api, lines(sent(code=None), sent("u", timestamp="soon")))
    assert response.status_code == 422
    body = response.json()
    assert (body["error"], body["code"]) == ("Unprocessable Entity", "validation_errors")
    assert body["error_details"] == {"0": {"code": ["value_is_mandatory"]}, "1": {"timestamp": ["invalid_format"]}}
    assert (body["receipt"]["count"], body["receipt"]["digest"]) == (0, "0" * 16)
    assert [event["verdict"] for event in body["events"]] == ["rejected", "rejected"]
    assert usage.stored() == 0


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (lines(sent("a"), sent("b")), LINES),
        (lines(sent("a"), sent("b")), "application/x-www-form-urlencoded"),
        (lines(sent("a"), sent("b")), PLAIN),
        (lines(sent("a"), sent("b")).replace(b"\n", b"\r\n\r\n"), "application/jsonl; charset=utf-8"),
        (json.dumps([sent("a"), sent("b")]).encode(), PLAIN),
        (json.dumps([sent("a"), sent("b")], indent=2).encode(), "text/plain"),
        (json.dumps({"events": [sent("a"), sent("b")]}, indent=2).encode(), PLAIN),
        # What the quick way leaves to the careful one.
        (json.dumps([sent("a"), sent("b", properties={"deep": {"x": [1]}})]).encode(), PLAIN),
        (lines(sent("a"), sent("b", properties={"deep": {"x": [1]}})), LINES),
    ],
)
def test_forms_of_many_events(api: ApiClient, body: bytes, kind: str) -> None:
    assert verdicts(post(api, body, kind)) == ["accepted", "accepted"]
    assert set(UsageEvent.objects.values_list("transaction_id", flat=True)) == {"a", "b"}


@pytest.mark.parametrize("content", [sent(), {"event": sent()}, [sent()], {"events": [sent()]}])
@pytest.mark.parametrize("indent", [None, 2])
def test_forms_of_one_event(api: ApiClient, content: Any, indent: int | None) -> None:
    assert verdicts(post(api, json.dumps(content, indent=indent).encode(), PLAIN)) == ["accepted"]
    assert UsageEvent.objects.get().transaction_id == "t"


def test_a_broken_line_concerns_itself_alone(api: ApiClient) -> None:
    body = lines(sent("a")) + b"{nonsense\n\xff\xfe\n[1]\n\n" + lines(sent("b")) + b'{"transaction_id": "cut o'
    response = post(api, body)
    assert verdicts(response) == ["accepted", "rejected", "rejected", "rejected", "accepted", "rejected"]
    assert response.json()["events"][1]["error_details"] == {"base": ["value_is_invalid"]}
    assert usage.stored() == 2


def test_no_event_and_too_many_are_refused_as_a_whole(api: ApiClient) -> None:
    def codes(body: bytes, kind: str) -> Any:
        response = post(api, body, kind)
        assert response.status_code == 422
        return response.json()["error_details"]["events"]

    one = json.dumps(sent()).encode()
    for body, kind in ((b"", LINES), (b" \n\n", LINES), (b"[]", PLAIN), (b'{"events": []}', PLAIN)):
        assert codes(body, kind) == ["no_events"]
    assert codes(b"\n".join([one] * 10_001), LINES) == ["too_many_events"]
    assert codes(b"[" + b",".join([one] * 10_001) + b"]", PLAIN) == ["too_many_events"]
    assert codes(b'{"events": 7}', PLAIN) == ["must_be_an_array"]
    assert usage.stored() == 0


def test_ten_thousand_events_fit_and_cost_no_query_each(api: ApiClient) -> None:
    assert post(api, lines(sent("first"))).status_code == 200
    body = lines(*[sent(f"t{number}", timestamp=MAY_4 + number) for number in range(10_000)])
    with CaptureQueriesContext(connection) as captured:
        response = post(api, body)
    assert response.json()["receipt"]["accepted"] == 10_000
    assert len(captured) <= 4  # the key, the expressions, and a savepoint around the one statement
    with CaptureQueriesContext(connection) as captured:
        response = post(api, body)
    assert response.json()["receipt"]["duplicate"] == 10_000
    assert len(captured) <= 7  # a savepoint for each of two statements, and what compares
    assert usage.stored() == 10_001


@pytest.mark.parametrize("body", [b"{", b"[", b"[1", b'{"events', b"\x00", "é".encode("latin-1"), b"nonsense"])
def test_a_body_that_cannot_be_read(api: ApiClient, body: bytes) -> None:
    response = post(api, body, PLAIN)
    assert response.status_code == 400
    assert response.json()["error"].startswith("BadRequest: ")


def test_compressed_bodies(api: ApiClient) -> None:
    packed = gzip.compress(lines(sent("a"))) + gzip.compress(lines(sent("b")))
    assert verdicts(post(api, packed, Content_Encoding="gzip")) == ["accepted", "accepted"]
    packed = zstandard.compress(lines(sent("c"))) + zstandard.compress(lines(sent("d")))
    assert verdicts(post(api, packed, Content_Encoding="zstd")) == ["accepted", "accepted"]
    response = post(api, lines(sent("e")), Content_Encoding="br")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")
    assert usage.stored() == 4


@pytest.mark.parametrize("kind", ["application/cloudevents+json", "application/json; charset=utf-8"])
def test_a_cloud_event(api: ApiClient, kind: str) -> None:
    assert verdicts(post(api, json.dumps(cloud()).encode(), kind)) == ["accepted"]
    row = UsageEvent.objects.get()
    assert (row.transaction_id, row.external_subscription_id, row.code) == ("/gateway 7", "sub", "requests")
    assert (row.timestamp.isoformat(), row.properties) == ("2026-05-04T00:00:00+00:00", {"bytes": 5})


def test_cloud_events_in_batches_and_lines(api: ApiClient) -> None:
    batch = json.dumps([cloud("1"), cloud("2", source="/other"), cloud("2"), cloud("2"), cloud("3", type=None)])
    response = post(api, batch.encode(), "application/cloudevents-batch+json")
    assert verdicts(response) == ["accepted", "accepted", "accepted", "duplicate", "rejected"]
    assert response.json()["events"][4]["transaction_id"] == "3"
    assert response.json()["events"][4]["error_details"] == {"type": ["value_is_mandatory"]}
    assert verdicts(post(api, lines(cloud("4"), sent("plain")))) == ["accepted", "accepted"]


def test_a_cloud_event_in_binary_mode(api: ApiClient) -> None:
    attributes = {"Ce_Specversion": "1.0", "Ce_Id": "9", "Ce_Source": "/g", "Ce_Type": "requests", "Ce_Subject": "sub"}
    response = post(api, b'{"bytes": 9}', PLAIN, Ce_Time="2026-05-04T01:00:00Z", **attributes)
    assert verdicts(response) == ["accepted"]
    assert UsageEvent.objects.get().properties == {"bytes": 9}
    response = post(api, b"", PLAIN, **{**attributes, "Ce_Subject": ""})
    assert response.status_code == 422
    assert response.json()["error_details"] == {"0": {"subject": ["value_is_mandatory"]}}


def test_a_key_is_needed() -> None:
    response = post(ApiClient("wrong"), lines(sent()))
    assert (response.status_code, response.json()) == (401, {"status": 401, "error": "Unauthorized"})

"""What the base of the API does for every view: keys, error shapes, bodies, pages, idempotency keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client

from tests.factories import platform

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.api.platform.views")]


@pytest.fixture
def api() -> platform.ApiClient:
    return platform.ApiClient()


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dTpw", "Bearer é\x00"])
def test_no_key_no_answer(header: str | None) -> None:
    response = Client().get("/api/v1/names", headers={} if header is None else {"Authorization": header})
    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_revoked_and_an_expired_key_are_refused(api: platform.ApiClient) -> None:
    with time_machine.travel(platform.AT, tick=False):
        soon = platform.make_key("soon", expires_at=platform.AT + timedelta(hours=1))
        client = platform.ApiClient(soon.secret)
        assert client.read("names").status_code == 200
    with time_machine.travel(platform.AT + timedelta(hours=2), tick=False):
        assert client.read("names").status_code == 401


def test_recognising_a_key_is_one_query(api: platform.ApiClient, django_assert_num_queries: Any) -> None:
    Group.objects.all().delete()
    api.read("names")
    with django_assert_num_queries(2):  # the key and the count of an empty list
        api.read("names")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            "invalid",
            {
                "status": 422,
                "error": "Unprocessable Entity",
                "code": "validation_errors",
                "error_details": {"name": ["value_is_mandatory"]},
            },
        ),
        (
            "invalid_base",
            {
                "status": 422,
                "error": "Unprocessable Entity",
                "code": "validation_errors",
                "error_details": {"base": ["plan_locked"]},
            },
        ),
        ("not_found", {"status": 404, "error": "Not Found", "code": "customer_not_found"}),
        ("not_allowed", {"status": 405, "error": "Method Not Allowed", "code": "not_voidable"}),
        ("forbidden", {"status": 403, "error": "Forbidden", "code": "feature_unavailable"}),
        ("conflict", {"status": 409, "error": "Conflict", "code": "taken"}),
        ("bad_request", {"status": 400, "error": "BadRequest: no"}),
        (
            "data_error",
            {
                "status": 422,
                "error": "Unprocessable Entity",
                "code": "validation_errors",
                "error_details": {"base": ["value_is_invalid"]},
            },
        ),
    ],
)
def test_refusals(api: platform.ApiClient, kind: str, body: dict[str, Any]) -> None:
    response = api.read(f"raise/{kind}")
    assert response.status_code == body["status"]
    assert response.json() == body


def test_a_fault_is_not_taken_for_a_refusal(api: platform.ApiClient) -> None:
    with pytest.raises(RuntimeError):
        api.read("raise/fault")


def test_a_verb_that_the_route_lacks(api: platform.ApiClient) -> None:
    response = api.call("delete", "names")
    assert response.status_code == 405
    assert response.json() == {"status": 405, "error": "Method Not Allowed", "code": "method_not_allowed"}


def test_a_null_character_in_a_path_names_nothing(api: platform.ApiClient) -> None:
    response = api.read("things/a%00b")
    assert response.status_code == 404
    assert response.json()["code"] == "resource_not_found"


def test_a_null_character_in_a_parameter_cannot_be_read(api: platform.ApiClient) -> None:
    assert api.read("names?name=a%00b").status_code == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"thing"',
        b"{}",
        b'{"thing": null}',
        b'{"thing": []}',
        b'{"thing": "x"}',
        b'{"thing": {}}',
        b'{"thing": 1}',
        b'{"other": {"name": "x"}}',
        b'{"thing": {"name": "x"}',
        b"{thing: 1}",
        b'{"thing": {"name": "\xff"}}',
        b'{"thing": {"name": "\xed\xa0\x80"}}',
        b'{"thing": {"name": "\\ud800"}}',
        b'{"thing": {"name": "a\\u0000b"}}',
        b'{"thing": {"name": "x", "unknown\\u0000": 1}}',
        b'{"thing": {"name": "x", "amount_cents": 1e400}}',
        b'{"thing": {"name": "x", "amount_cents": NaN}}',
        b'{"thing": {"name": "x", "amount_cents": -Infinity}}',
        b'{"thing": {"name": "x", "amount_cents": ' + b"9" * 5000 + b"}}",
        b'{"thing": {"name": "x", "rows": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_bodies_that_cannot_be_read(api: platform.ApiClient, raw: bytes) -> None:
    response = api.call("post", "echo", raw)
    assert response.status_code == 400
    assert response.json()["status"] == 400
    assert response.json()["error"].startswith("BadRequest: ")


def test_the_missing_root_is_named(api: platform.ApiClient) -> None:
    expected = {"status": 400, "error": "BadRequest: param is missing or the value is empty or invalid: thing"}
    assert api.call("post", "echo", {"x": 1}).json() == expected


@pytest.mark.parametrize(
    ("extra", "details"),
    [
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"name": "  "}, {"name": ["value_is_mandatory"]}),
        ({"name": "x" * 11}, {"name": ["value_is_too_long"]}),
        ({"name": True}, {"name": ["value_is_invalid"]}),
        ({"name": ["x"]}, {"name": ["value_is_invalid"]}),
        ({"name": {"x": 1}}, {"name": ["value_is_invalid"]}),
        ({"note": "x" * 256}, {"note": ["value_is_too_long"]}),
        ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 10**15 + 1}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 10**600}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_cents": 1.5}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": "x"}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": "١٢٣"}, {"amount_cents": ["value_is_invalid"]}),
        ({"rows": [None]}, {"rows.0": ["value_is_mandatory"]}),
        ({"amount_cents": True}, {"amount_cents": ["value_is_invalid"]}),
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"amount_cents": []}, {"amount_cents": ["value_is_invalid"]}),
        ({"days": 10**10}, {"days": ["value_is_out_of_range"]}),
        ({"active": "maybe"}, {"active": ["value_is_invalid"]}),
        ({"active": {}}, {"active": ["value_is_invalid"]}),
        ({"units": "1e3"}, {"units": ["value_is_invalid"]}),
        ({"units": "NaN"}, {"units": ["value_is_invalid"]}),
        ({"units": "1,5"}, {"units": ["value_is_invalid"]}),
        ({"units": "1" * 16}, {"units": ["value_is_out_of_range"]}),
        ({"units": "0." + "1" * 16}, {"units": ["value_is_out_of_range"]}),
        ({"units": []}, {"units": ["value_is_invalid"]}),
        ({"rate": -1}, {"rate": ["value_is_out_of_range"]}),
        ({"rate": 101}, {"rate": ["value_is_out_of_range"]}),
        ({"rate": "19%"}, {"rate": ["value_is_invalid"]}),
        ({"at": "soon"}, {"at": ["invalid_date"]}),
        ({"at": "2026-02-30"}, {"at": ["invalid_date"]}),
        ({"at": "9999-12-31T23:59:59-12:00"}, {"at": ["invalid_date"]}),
        ({"at": 1}, {"at": ["invalid_date"]}),
        ({"kind": "c"}, {"kind": ["value_is_invalid"]}),
        ({"kind": {}}, {"kind": ["value_is_invalid"]}),
        ({"rows": {}}, {"rows": ["must_be_an_array"]}),
        ({"rows": [1]}, {"rows.0": ["value_is_invalid"]}),
        ({"rows": [{"code": "a"}, {}]}, {"rows.1.code": ["value_is_mandatory"]}),
        ({"name": "", "days": -1}, {"name": ["value_is_mandatory"], "days": ["value_is_out_of_range"]}),
    ],
)
def test_input_that_is_not_valid(api: platform.ApiClient, extra: dict[str, Any], details: dict[str, list[str]]) -> None:
    response = api.call("post", "echo", {"thing": {"name": "x", **extra}})
    assert response.status_code == 422, response.content
    assert response.json()["error_details"] == details


def test_input_that_is_valid(api: platform.ApiClient) -> None:
    content = {
        "name": "ü €",
        "note": None,
        "amount_cents": "12",
        "units": "0.000000000000001",
        "rate": 19.5,
        "at": "2026-05-01T02:00:00+02:00",
        "unknown": {"x": [1]},
    }
    response = api.call("post", "echo", {"thing": content, "other": 1})
    assert response.json()["thing"] == {
        "name": "'ü €'",
        "note": "''",
        "amount_cents": "12",
        "units": "Decimal('1E-15')",
        "rate": "Decimal('0.195')",
        "at": "datetime.datetime(2026, 5, 1, 0, 0, tzinfo=datetime.timezone.utc)",
    }


def test_the_answer_is_json_whatever_is_asked_for(api: platform.ApiClient) -> None:
    response = api.call("get", "names", Accept="application/pdf")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.parametrize(
    ("query", "names", "meta"),
    [  # seven groups: current, next, previous, pages, count
        ("", "g1 g2 g3 g4 g5 g6 g7", (1, None, None, 1, 7)),
        ("?per_page=3", "g1 g2 g3", (1, 2, None, 3, 7)),
        ("?per_page=3&page=2", "g4 g5 g6", (2, 3, 1, 3, 7)),
        ("?per_page=3&page=3", "g7", (3, None, 2, 3, 7)),
        ("?per_page=3&page=4", "", (4, None, None, 3, 7)),
        ("?per_page=abc&page=-1", "g1 g2 g3 g4 g5 g6 g7", (1, None, None, 1, 7)),
        ("?per_page=0&page=0", "g1 g2 g3 g4 g5 g6 g7", (1, None, None, 1, 7)),
        ("?page=99999999999999999999999", "g1 g2 g3 g4 g5 g6 g7", (1, None, None, 1, 7)),
        ("?page=9999999999999", "", (10**9, None, None, 1, 7)),
        ("?page=²", "g1 g2 g3 g4 g5 g6 g7", (1, None, None, 1, 7)),
        ("?name[]=g1&name[]=g2&name[]=g1", "g1 g2", (1, None, None, 1, 2)),
        ("?name=g3&flag=true&amount=5&day=2026-05-01", "g3", (1, None, None, 1, 1)),
    ],
)
def test_pages(api: platform.ApiClient, query: str, names: str, meta: tuple[int | None, ...]) -> None:
    Group.objects.all().delete()
    Group.objects.bulk_create(Group(name=f"g{number}") for number in range(1, 8))
    found = api.read(f"names{query}").json()
    assert [row["name"] for row in found["names"]] == names.split()
    assert tuple(found["meta"].values()) == meta


def test_an_empty_list(api: platform.ApiClient) -> None:
    Group.objects.all().delete()
    assert api.read("names").json() == {
        "names": [],
        "meta": {"current_page": 0, "next_page": None, "prev_page": None, "total_pages": 0, "total_count": 0},
    }


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("name[]=g1&name[]=x", {"name": ["value_is_invalid"]}),
        ("flag=maybe", {"flag": ["value_is_invalid"]}),
        ("amount=1.5", {"amount": ["value_is_invalid"]}),
        ("amount=" + "9" * 500, {"amount": ["value_is_invalid"]}),
        ("day=yesterday", {"day": ["invalid_date"]}),
    ],
)
def test_filters_that_cannot_be_read(api: platform.ApiClient, query: str, details: dict[str, list[str]]) -> None:
    response = api.read(f"names?{query}")
    assert response.status_code == 422
    assert response.json()["error_details"] == details


def test_an_idempotency_key_writes_once(api: platform.ApiClient) -> None:
    first = api.call("post", "once", {"group": {"name": "g"}}, Idempotency_Key="k1")
    second = api.call("post", "once", {"group": {"name": "g"}}, Idempotency_Key="k1")
    assert first.json() == second.json()
    assert (first.headers.get("Idempotency-Replayed"), second["Idempotency-Replayed"]) == (None, "true")
    assert Group.objects.filter(name__startswith="g").count() == 1


def test_without_a_key_every_call_writes(api: platform.ApiClient) -> None:
    api.call("post", "once", {"group": {"name": "g"}})
    api.call("post", "once", {"group": {"name": "g"}})
    assert Group.objects.filter(name__startswith="g").count() == 2


def test_an_idempotency_key_with_another_body_is_refused(api: platform.ApiClient) -> None:
    api.call("post", "once", {"group": {"name": "g"}}, Idempotency_Key="k1")
    other = api.call("post", "once", {"group": {"name": "h"}}, Idempotency_Key="k1")
    assert other.status_code == 422
    assert other.json()["error_details"] == {"idempotency_key": ["value_already_exist"]}
    assert Group.objects.filter(name__startswith="h").count() == 0


def test_a_refusal_does_not_use_up_the_key(api: platform.ApiClient) -> None:
    refused = api.call("post", "once", {"group": {"name": "refused"}}, Idempotency_Key="k1")
    assert refused.status_code == 405
    assert api.call("post", "once", {"group": {"name": "g"}}, Idempotency_Key="k1").status_code == 200


@pytest.mark.parametrize(
    ("key", "code"), [("", "value_is_invalid"), (" ", "value_is_invalid"), ("x" * 256, "value_is_too_long")]
)
def test_keys_that_are_none(api: platform.ApiClient, key: str, code: str) -> None:
    response = api.call("post", "once", {"group": {"name": "g"}}, Idempotency_Key=key)
    assert response.status_code == 422
    assert response.json()["error_details"] == {"idempotency_key": [code]}

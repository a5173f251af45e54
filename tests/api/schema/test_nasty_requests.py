"""What makers of requests seldom think of, sent to every route: bodies that are no JSON or too much of it, values that
no column holds, days that are none. Each is refused with a described 4xx, or taken; nothing is a fault of the server.

In the suite each place gets one of the values, in turns; ``make fuzz`` sends all of them everywhere.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.api.schema import filled
from tests.factories import described
from tests.factories.platform import ApiClient

EVERYWHERE = "FUZZ_EXAMPLES" in os.environ

BODIES: dict[str, bytes] = {
    "cut off": b'{"plan": {',
    "no object": b"[]",
    "a text": b'"plan"',
    "null": b"null",
    "a number": b"1e400",
    "not UTF-8": b'{"plan": {"name": "\xff\xfe"}}',
    "a null byte": b'{"plan": {"name": "\x00"}}',
    "NaN": b'{"plan": {"amount_cents": NaN}}',
    "deep": b"[" * 10_000 + b"]" * 10_000,
    "deep in an object": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a long number": b'{"plan": {"amount_cents": ' + b"9" * 5_000 + b"}}",
    "a byte order mark": b'\xef\xbb\xbf{"plan": {}}',
}
"""Bodies as bytes; no route finds its root key in them."""

UNDER_ROOT: dict[str, str] = {
    "an escaped null": r'{"name": "\u0000", "code": "\u0000"}',
    "half a surrogate pair": r'{"name": "\ud800", "code": "\udfff"}',
    "infinite": '{"amount_cents": 1e400, "rate": 1e400}',
    "a key twice": '{"code": "a", "code": "b", "name": 1, "name": null}',
    "an array": '["code"]',
    "arrays for objects": '{"metadata": [[]], "charges": {}, "properties": [], "fees": {}, "items": {}}',
    "objects for texts": '{"code": {}, "name": {"a": 1}, "external_id": [], "currency": {}}',
    "exponents": '{"amount_cents": "1e5", "units": "1e5", "rate_amount": "1e5", "rate": "1e5", "paid_credits": "1e5"}',
    "beyond 64 bits": '{"amount_cents": 9223372036854775808, "units": "9223372036854775808", "net_payment_term": 1e30}',
    "no days": '{"ending_at": "0000-00-00", "subscription_at": "2026-02-31", "expiration_at": "9999-12-31T23:59:60Z"}',
    "far zones": '{"timezone": "Mars/Olympus", "paid_at": "2026-05-01T00:00:00+99:99", "timestamp": "-1e400"}',
}
"""Objects under the root key of a route, as JSON."""

VALUES = (
    "%00",
    "%FF",
    "0000-00-00",
    "2026-02-31",
    "9999-12-31T23:59:59%2B14:00",
    "0001-01-01T00:00:00-14:00",
    "9223372036854775808",
    "-1",
    "1e5",
    "1e400",
    "%F0%9F%92%A9",
    "true",
    "x" * 2_000,
)
"""Values of parameters, percent-encoded."""


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every operation."""
    for path, methods in described.document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def root(operation: dict[str, Any]) -> str:
    """Return the root key of the body, or a word where there is none."""
    content = next(iter(operation["requestBody"]["content"].values()))["schema"]
    name = content.get("$ref", "").rsplit("/", 1)[-1]
    properties = described.document()["components"]["schemas"].get(name, {}).get("properties", {})
    return next(iter(properties), "x")


def turns(values: Any) -> Iterator[list[Any]]:
    """Yield what a place gets: all values with ``make fuzz``, otherwise one of them in turns."""
    rounds = itertools.cycle(values)
    while True:
        yield list(values) if EVERYWHERE else [next(rounds)]


@pytest.fixture
def api() -> ApiClient:
    client = ApiClient()
    client.raise_request_exception = False
    return client


def check(api: ApiClient, method: str, address: str, body: bytes = b"", **headers: str) -> list[str]:
    """Send a request that leaves no trace; say what is wrong with the answer."""
    with transaction.atomic():
        response = api.generic(method.upper(), address, body, content_type="application/json", headers=headers or None)
        transaction.set_rollback(True)
    if response.status_code >= 500:
        return [f"{method} {address[:120]} {body[:120]!r}: {response.status_code}"]
    return described.problems(response)


@pytest.mark.django_db
def test_nasty_bodies(api: ApiClient) -> None:
    known = filled.company(api)
    raw, under = turns(BODIES.values()), turns(UNDER_ROOT.values())
    wrong = []
    for method, path, operation in operations():
        if "requestBody" not in operation:
            continue
        address = path.format_map(_Names(filled.names(path, known)))
        bodies = [*next(raw), *(f'{{"{root(operation)}": {one}}}'.encode() for one in next(under))]
        for body in bodies:
            wrong += check(api, method, address, body)
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_nasty_parameters(api: ApiClient) -> None:
    known = filled.company(api)
    values = turns(VALUES)
    wrong = []
    for method, path, operation in operations():
        found = filled.names(path, known)
        address = path.format_map(_Names(found))
        for parameter in operation.get("parameters", []):
            where, name = parameter.get("in", "query"), parameter.get("name", parameter.get("$ref", "").split("/")[-1])
            if where == "query" and method == "get":
                wrong += [one for value in next(values) for one in check(api, method, f"{address}?{name}={value}")]
            elif where == "path" and method in {"get", "delete"}:
                for value in next(values):
                    wrong += check(api, method, path.format_map(_Names({**found, name: value})))
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_a_body_that_is_too_long(api: ApiClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100_000
    body = json.dumps({"plan": {"name": "x" * 200_000}}).encode()
    response = api.generic("POST", "/api/v1/plans", body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (413, "request_too_large")
    assert not described.problems(response)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x", "a/b/c;="]
)
def test_json_is_read_whatever_the_client_calls_it(api: ApiClient, content_type: str) -> None:
    body = json.dumps({"tax": {"name": "VAT", "code": "vat", "rate": "19"}}).encode()
    response = api.generic("POST", "/api/v1/taxes", body, content_type=content_type)
    assert response.status_code == 200, response.content
    refused = api.generic("POST", "/api/v1/taxes", b"<tax/>", content_type=content_type)
    assert refused.status_code == 400
    assert refused.json()["error"].startswith("BadRequest: ")


class _Names(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "1" if key == "number" else "none"

"""Reading another installation: pages, retries, and what is said when it cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core import management
from django.core.management.base import CommandError

from config.importing.source import Lago, Unreadable
from tests.config.importing.lago import KEY, Peer, serving

Answers = list[httpx.Response | Exception]


def reading(answers: Answers) -> tuple[Lago, list[httpx.Request], list[float]]:
    """Return a client that gets these answers, with what it asked and how long it waited."""
    asked: list[httpx.Request] = []
    waited: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    lago = Lago("https://lago.example/api/v1/", KEY, sleep=waited.append, transport=httpx.MockTransport(answer))
    return lago, asked, waited


def page(rows: list[int], following: int | None) -> httpx.Response:
    """Return a page of taxes."""
    return httpx.Response(200, json={"taxes": [{"n": row} for row in rows], "meta": {"next_page": following}})


def test_pages_are_read_in_their_order() -> None:
    lago, asked, waited = reading([page([1, 2], 2), page([3], None)])
    assert [row["n"] for row in lago.rows("taxes", status="active")] == [1, 2, 3]
    assert [dict(request.url.params) for request in asked] == [
        {"status": "active", "page": number, "per_page": "100"} for number in "12"
    ]
    assert asked[0].url.path == "/api/v1/taxes"
    assert asked[0].headers["Authorization"] == f"Bearer {KEY}"
    assert waited == []


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (httpx.Response(429, headers={"x-ratelimit-reset": "7"}), [7]),
        (httpx.Response(429, headers={"Retry-After": "3", "x-ratelimit-reset": "7"}), [3]),
        (httpx.Response(429, headers={"x-ratelimit-reset": "86400"}), [60]),
        (httpx.Response(503), [1.0]),
        (httpx.ReadTimeout("slow"), [1.0]),
        (httpx.ConnectError("refused"), [1.0]),
    ],
)
def test_what_passes_is_tried_again(fault: Any, waits: list[float]) -> None:
    lago, asked, waited = reading([fault, page([1], None)])
    assert [row["n"] for row in lago.rows("taxes")] == [1]
    assert (len(asked), waited) == (2, waits)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda: httpx.Response(401, json={"status": 401, "error": "Unauthorized"}), "does not know this API key"),
        (lambda: httpx.Response(403, json={"code": "read_action_not_allowed_for_tax"}), "may not read taxes"),
        (lambda: httpx.Response(200, text="<html>hello</html>"), "did not answer in JSON"),
        (lambda: httpx.Response(200, json=["no object"]), "did not answer in JSON"),
        (lambda: httpx.Response(200, json={"other": []}), "answered without 'taxes'"),
        (lambda: httpx.Response(422, json={"error": "no"}), "answered 422"),
        (lambda: page([1], 1), "names 1 as the page after 1"),
    ],
)
def test_what_cannot_be_read_is_said(answer: Callable[[], httpx.Response], says: str) -> None:
    lago, asked, waited = reading([answer()])
    with pytest.raises(Unreadable, match=says):
        list(lago.rows("taxes"))
    assert len(asked) == 1
    assert waited == []


def test_it_gives_up_after_some_tries() -> None:
    lago, asked, waited = reading([httpx.ConnectError("refused") for _ in range(6)])
    with pytest.raises(Unreadable, match="cannot be reached: refused"):
        lago.find("organizations")
    assert (len(asked), waited) == (6, [1.0, 2.0, 4.0, 8.0, 16.0])


def test_what_is_not_there_is_nothing() -> None:
    lago, _, _ = reading([httpx.Response(404, json={"code": "tax_not_found"}), httpx.Response(404)])
    assert lago.find("taxes/none") is None
    assert list(lago.rows("alerts")) == []


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_and_keeps_what_is_there(tmp_path: Any) -> None:
    tax = {"lago_id": None, "name": "VAT", "code": "vat", "rate": 19.0, "applied_to_organization": False}
    bad = {**tax, "code": "bad", "rate": "much"}
    limited = {"taxes": [(429, {"x-ratelimit-reset": "0"}, b"{}")]}
    file = tmp_path / "report.json"
    with serving(Peer({"taxes": [tax, bad]}, faults=limited)) as peer:
        how = {"url": peer.url, "only": "taxes"}
        with pytest.raises(CommandError, match="does not know this API key"):
            management.call_command("import_lago", **how, api_key="other")
        with pytest.raises(CommandError, match="There is no nonsense"):
            management.call_command("import_lago", url=peer.url, api_key=KEY, only="nonsense")
        with pytest.raises(CommandError, match="1 were refused"):
            management.call_command("import_lago", **how, api_key=KEY, report=file)
        assert '"rate": [' in file.read_text()
        peer.content["taxes"] = [tax]
        management.call_command("import_lago", **how, api_key=KEY)

"""Probes, security headers, request ids and what the access log does not say."""

import html
import json
import logging
import re

import pytest
from django.db import DatabaseError
from django.test import Client

from config import health
from config import logging as structured_logging


def test_healthz_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_answers_when_the_database_is_up_to_date(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["checks"] == {"database": "ok", "migrations": "ok"}


def test_readyz_names_a_database_that_is_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> list[str]:
        raise DatabaseError("no route to the secret host")

    monkeypatch.setattr(health, "pending_migrations", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "unreachable"
    assert b"secret host" not in response.content


def test_readyz_waits_for_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "pending_migrations", lambda: ["catalog.0002_more"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == "pending"


def test_probes_change_nothing(client: Client) -> None:
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_pages_carry_the_strict_headers(client: Client) -> None:
    response = client.get("/admin/login/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    script_sources = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe-inline" not in script_sources
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert response.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_the_page_of_the_api_has_no_script_that_the_policy_refuses(client: Client) -> None:
    page = client.get("/api/docs/").content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 4
    sources = [re.search(r'src="([^"]+)"', html.unescape(attributes)) for attributes, _ in scripts]
    assert all(source is not None and source[1].startswith("/") for source in sources)
    assert not any(content.strip() for _, content in scripts)
    assert not re.search(r"\son\w+=", page)
    last = client.get(sources[-1][1])
    assert last.headers["Content-Type"].startswith("application/javascript")
    assert b"SwaggerUIBundle(" in last.content
    assert b"/api/schema/" in last.content


def test_data_carries_no_page_policy(client: Client) -> None:
    assert "Content-Security-Policy" not in client.get("/healthz").headers


@pytest.mark.parametrize(
    ("given", "kept"), [("order-17.a", True), ("", False), ("two words", False), ("x" * 65, False), ("a\nb", False)]
)
def test_a_request_id_is_kept_if_it_is_harmless(client: Client, given: str, kept: bool) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert (answered == given) is kept
    assert answered


def test_the_access_line_has_no_query_string(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="config.access"):
        client.get("/nowhere?token=secret&email=ada@example.com", headers={"Authorization": "Bearer secret"})
    [line] = [record.getMessage() for record in caplog.records if record.name == "config.access"]
    assert line == "GET /nowhere"
    formatter = structured_logging.JsonFormatter()
    assert "secret" not in "".join(map(formatter.format, caplog.records))
    assert "ada@example.com" not in "".join(map(formatter.format, caplog.records))


def test_json_lines_are_json_with_their_fields() -> None:
    record = logging.makeLogRecord({"name": "x", "levelname": "INFO", "msg": "billed %s", "args": ("a\nb",), "run": 7})
    entry = json.loads(structured_logging.JsonFormatter().format(record))
    assert (entry["message"], entry["run"], entry["level"]) == ("billed a\nb", 7, "info")
    assert entry["time"].endswith("+00:00")


def test_an_exception_is_part_of_the_json_line() -> None:
    try:
        raise ValueError("wrong")
    except ValueError as error:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": (ValueError, error, error.__traceback__)})
    entry = json.loads(structured_logging.JsonFormatter().format(record))
    assert "ValueError: wrong" in entry["exception"]


def test_the_arguments_of_a_task_are_not_logged() -> None:
    record = logging.makeLogRecord({"msg": "Task received", "data": {"kwargs": {"email": "ada@example.com"}}, "run": 7})
    assert "ada@example.com" not in structured_logging.JsonFormatter().format(record)
    assert structured_logging.HumanFormatter().format(record) == "Task received run=7"


def test_the_access_line_is_one_line(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="config.access"):
        client.get("/nowhere%0AINFO%20forged")
    [line] = [record.getMessage() for record in caplog.records if record.name == "config.access"]
    assert line == "GET /nowhere\\nINFO forged"


@pytest.mark.django_db
def test_the_access_line_does_not_give_away_a_signed_link(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="config.access"):
        client.get("/api/v1/files/signed:token/A-001.pdf")
    [line] = [record.getMessage() for record in caplog.records if record.name == "config.access"]
    assert line == "GET /api/v1/files/.../A-001.pdf"

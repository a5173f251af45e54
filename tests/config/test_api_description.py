"""The description of the API as it is served, and the page that shows it under the security policy."""

from __future__ import annotations

import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from config import api_description


@pytest.fixture(autouse=True)
def _generated_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_description, "rendered", lambda wanted: wanted.encode())


@pytest.mark.parametrize(
    ("query", "accept", "shown", "content_type"),
    [
        ("", "", b"yaml", "application/yaml"),
        ("", "*/*", b"yaml", "application/yaml"),
        ("", "application/json", b"json", "application/json"),
        ("", "application/json, application/yaml", b"yaml", "application/yaml"),
        ("?format=json", "application/yaml", b"json", "application/json"),
        ("?format=yaml", "application/json", b"yaml", "application/yaml"),
        ("?format=../secret", "", b"yaml", "application/yaml"),
    ],
)
def test_formats(query: str, accept: str, shown: bytes, content_type: str) -> None:
    response = Client().get(f"/api/schema/{query}", headers={"Accept": accept})
    assert (response.status_code, response.content, response["Content-Type"]) == (200, shown, content_type)


def test_what_is_known_is_not_sent_again() -> None:
    first = Client().get("/api/schema/")
    again = Client().get("/api/schema/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert Client().get("/api/schema/", headers={"If-None-Match": '"other"'}).status_code == 200


def test_it_is_read_only() -> None:
    assert Client().post("/api/schema/").status_code == 405


def test_the_page_has_all_its_scripts_from_here() -> None:
    response = Client().get("/api/docs/")
    text = response.content.decode()
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 4
    assert all('src="/' in attributes and not inside.strip() for attributes, inside in scripts)
    assert "<style" not in text
    assert "script-src 'self'" in response["Content-Security-Policy"]
    for name in re.findall(r'"/static/([^"]+)"', text):
        assert finders.find(name), name


def test_the_script_of_the_page_reads_the_description_as_json() -> None:
    text = Client().get("/api/docs/?script=").content.decode()
    assert "/api/schema/?format\\u003Djson" in text
    assert "plugins: [SearchOperations]" in text

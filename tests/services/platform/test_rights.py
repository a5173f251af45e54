"""What API keys may do: the vocabulary, usual sets, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from config.kernel import errors
from config.platform.services import rights


@pytest.mark.parametrize(
    ("given", "resource", "action", "may"),
    [
        (None, "invoice", "write", True),
        (None, "", "write", True),
        ({"event": ["write"]}, "event", "write", True),
        ({"event": ["write"]}, "event", "read", False),
        ({"event": ["write"]}, "plan", "write", False),
        ({"*": ["read"]}, "plan", "read", True),
        ({"*": ["read"]}, "plan", "write", False),
        ({"*": ["read"]}, "", "read", False),
        ({"*": ["read"], "plan": ["write"]}, "plan", "write", True),
        ({"*": ["read"], "plan": ["write"]}, "plan", "read", True),
    ],
)
def test_what_rights_cover(given: Any, resource: str, action: str, may: bool) -> None:
    assert rights.allows(given, resource=resource, action=action) is may


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("everything", None),
        ("usage", {"event": ["write"]}),
        ("read", {"*": ["read"]}),
        ("plan:write+read, event:write", {"event": ["write"], "plan": ["read", "write"]}),
        ("plan:read,plan:write", {"plan": ["read", "write"]}),
        ("*:read,event:write", {"*": ["read"], "event": ["write"]}),
    ],
)
def test_rights_are_read_from_a_line(text: str, found: Any) -> None:
    assert rights.parse(text) == found


@pytest.mark.parametrize(
    "text", ["", "plans:read", "plan", "plan:delete", "plan:read+", "all", "plan:read;event:write"]
)
def test_a_line_that_names_no_right_is_refused(text: str) -> None:
    with pytest.raises(rights.UnknownRight):
        rights.parse(text)


@pytest.mark.parametrize("given", [{}, {"plan": []}, {"plan": ["read"], "x": ["read"]}, {"plan": "read"}, ["plan"], 1])
def test_rights_to_nothing_and_to_what_is_not_there_are_refused(given: Any) -> None:
    with pytest.raises(errors.Invalid) as refused:
        rights.checked(given)
    assert list(refused.value.details) == ["rights"]


def test_usual_sets_are_recognised() -> None:
    assert [rights.preset(rights.checked(found)) for found in rights.PRESETS.values()] == list(rights.PRESETS)
    assert rights.preset({"event": ["read", "write"]}) == ""
    assert len(set(rights.RESOURCES)) == len(rights.RESOURCES)

"""Telling of each object once for all steps of a verb."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from config.platform.models import ApiKey
from config.platform.services import outbox, tellings
from tests.factories.platform import AT

A, B = ApiKey(pk=1, name="a"), ApiKey(pk=2, name="b")


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is recorded, as "name: objects"."""
    found: list[str] = []

    def record(name: str, instances: Sequence[Any], *, at: datetime) -> None:
        assert at == AT
        found.append(f"{name}: {' '.join(one.name for one in instances)}")

    monkeypatch.setattr(outbox, "record", record)
    return found


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([], []),
        ([("x.updated", A), ("x.updated", A)], ["x.updated: a"]),
        ([("x.updated", A), ("x.updated", B)], ["x.updated: a b"]),
        # Whoever is told that it was made sees it as it is.
        ([("x.created", A), ("x.updated", A), ("x.updated", B)], ["x.created: a", "x.updated: b"]),
        ([("x.updated", A), ("x.terminated", A), ("x.started", B)], ["x.terminated: a", "x.started: b"]),
        # A check is no news of the object itself.
        ([("x.updated", A), ("x.vies_check", A)], ["x.updated: a", "x.vies_check: a"]),
        # No object's own order changes: b started before it ended.
        (
            [("x.terminated", A), ("x.started", B), ("x.terminated", B)],
            ["x.terminated: a", "x.started: b", "x.terminated: b"],
        ),
    ],
)
def test_each_object_once_at_the_end(steps: list[tuple[str, ApiKey]], expected: list[str], told: list[str]) -> None:
    with tellings.once(at=AT):
        for name, instance in steps:
            tellings.tell(name, instance, at=AT)
        assert told == []
    assert told == expected


def test_verbs_within_verbs_are_told_by_the_outermost(told: list[str]) -> None:
    @tellings.gathered
    def inner(*, thing: ApiKey, at: datetime) -> str:
        tellings.tell("x.updated", thing, at=at)
        return thing.name

    @tellings.gathered
    def outer(*, as_of: datetime) -> str:
        found = inner(thing=A, at=as_of) + inner(thing=A, at=as_of)
        assert told == []
        return found

    assert outer(as_of=AT) == "aa"
    assert told == ["x.updated: a"]
    assert inner(thing=B, at=AT) == "b"
    assert told == ["x.updated: a", "x.updated: b"]


@tellings.gathered
def fail(*, thing: ApiKey, at: datetime) -> None:
    tellings.tell("x.updated", thing, at=at)
    raise KeyError


def test_what_failed_is_not_told(told: list[str]) -> None:
    with tellings.once(at=AT):
        tellings.tell("x.updated", A, at=AT)
        with pytest.raises(KeyError):
            fail(thing=B, at=AT)
    assert told == ["x.updated: a"]
    with pytest.raises(KeyError):
        fail(thing=B, at=AT)
    assert told == ["x.updated: a"]
    tellings.tell("x.updated", B, at=AT)  # outside of any verb: at once
    assert told == ["x.updated: a", "x.updated: b"]

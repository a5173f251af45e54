"""The order of a time line, its pages and its groups; and what comes to pass next in a forecast."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from billing.domain import forecast_steps, timelines
from billing.domain.forecast_steps import Known, Step, StepKind
from billing.domain.timelines import Entry, Group, Kind


def at(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


ENTRIES = [
    Entry(at(1), Kind.CREATED, 1),
    Entry(at(1), Kind.STARTED, 1),
    Entry(at(2), Kind.INVOICE, 7),
    Entry(at(2), Kind.PLAN_CHANGED, 2),
    Entry(at(3), Kind.ALERT, 5),
    Entry(at(2), Kind.INVOICE, 8),
]
NEWEST = [
    (3, Kind.ALERT),
    (2, Kind.INVOICE),
    (2, Kind.INVOICE),
    (2, Kind.PLAN_CHANGED),
    (1, Kind.STARTED),
    (1, Kind.CREATED),
]


def shown(entries: tuple[Entry, ...]) -> list[tuple[int, Kind]]:
    return [(entry.at.day, entry.kind) for entry in entries]


@pytest.mark.parametrize("split", range(7))
def test_the_newest_stand_first_whatever_stream_they_come_in(split: int) -> None:
    streams = [list(reversed(ENTRIES[:split])), ENTRIES[split:]]
    found = timelines.page(streams, offset=0, size=10)
    assert (shown(found.entries), found.has_older) == (NEWEST, False)
    assert [entry.key for entry in found.entries if entry.kind is Kind.INVOICE] == [8, 7]


@pytest.mark.parametrize("size", range(1, 7))
def test_pages_are_the_whole_without_a_gap(size: int) -> None:
    found: list[tuple[int, Kind]] = []
    for offset in range(0, 6, size):
        page = timelines.page([ENTRIES], offset=offset, size=size)
        found += shown(page.entries)
        assert page.has_older == (offset + size < 6)
    assert found == NEWEST


@pytest.mark.parametrize(
    ("group", "kinds"),
    [
        (Group.MONEY, [Kind.INVOICE, Kind.INVOICE]),
        (Group.CHANGES, [Kind.PLAN_CHANGED, Kind.STARTED, Kind.CREATED]),
        (Group.NOTICES, [Kind.ALERT]),
    ],
)
def test_a_group_has_its_own_alone(group: Group, kinds: list[Kind]) -> None:
    found = timelines.page([ENTRIES], offset=0, size=10, groups=[group])
    assert [entry.kind for entry in found.entries] == kinds


def test_what_is_to_come_has_the_soonest_first() -> None:
    assert shown(timelines.upwards(ENTRIES)) == list(reversed(NEWEST))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Known(), None),
        (Known(bills_at=at(5), ends_at=at(9)), Step(at(5), StepKind.BILL)),
        # At the same instant the end comes first: it bills what the billing day would.
        (Known(bills_at=at(5), ends_at=at(5)), Step(at(5), StepKind.END)),
        (Known(bills_at=at(5), trial_ends_at=at(5)), Step(at(5), StepKind.TRIAL_END)),
        (Known(resumes_at=at(7), ends_at=at(8)), Step(at(7), StepKind.RESUME)),
        # What is due already is done at the clock.
        (Known(bills_at=at(1)), Step(at(3), StepKind.BILL)),
        # A billing day that was done and stayed open comes again when the grace is over.
        (Known(bills_at=at(4), settles_at=at(14)), Step(at(14), StepKind.BILL)),
    ],
)
def test_the_next_step(known: Known, expected: Step | None) -> None:
    done = {Step(at(4), StepKind.BILL)}
    assert forecast_steps.next_step(known, clock=at(3), done=done) == expected

"""The outcome of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from billing.domain import reconciliation
from billing.domain.reconciliation import Missing, SentHour

HOUR = datetime(2026, 5, 4, 12, tzinfo=UTC)
END = HOUR + timedelta(hours=1)
A, B = ("a", "s"), ("b", "s")


@pytest.mark.parametrize(
    ("sent", "stored", "outcome"),
    [
        (SentHour(HOUR, 2), 2, "matching"),
        (SentHour(HOUR, 2, "00000000000000FF"), 2, "matching"),
        (SentHour(HOUR, 2, "00000000000000fe"), 2, "different"),
        (SentHour(HOUR, 2, keys=(A,)), 2, "matching"),
        (SentHour(HOUR, 2, keys=(A, B)), 2, "different"),
        (SentHour(HOUR, 3, "00000000000000ff"), 2, "missing"),
        (SentHour(HOUR, 1, "00000000000000ff"), 2, "surplus"),
        (SentHour(HOUR, 0), 0, "matching"),
    ],
)
def test_outcomes(sent: SentHour, stored: int, outcome: str) -> None:
    found = reconciliation.compare(sent=sent, end=END, stored_count=stored, stored_digest=255, instants={A: HOUR})
    assert (found.outcome, found.stored_count, found.stored_digest) == (outcome, stored, "00000000000000ff")


def test_named_events_belong_into_their_hour() -> None:
    last = END - timedelta(microseconds=1)
    sent = SentHour(HOUR, 4, keys=(A, A, B, ("c", "s"), ("d", "s")))
    instants = {A: last, B: END, ("c", "s"): HOUR - timedelta(microseconds=1)}
    found = reconciliation.compare(sent=sent, end=END, stored_count=4, stored_digest=0, instants=instants)
    assert found.missing == (Missing(B, END), Missing(("c", "s"), instants["c", "s"]), Missing(("d", "s"), None))

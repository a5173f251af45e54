"""Streams: each event for itself, and what counts as the same event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.domain.usage_events import EventIn, Verdict
from billing.models import UsageEvent
from billing.services import usage_streams
from tests.factories.usage import RECEIVED_AT, clear, make_event, store, stored

pytestmark = pytest.mark.django_db

ACCEPTED, DUPLICATE, CONFLICT = Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT


def verdicts(events: Sequence[EventIn], **values: Any) -> list[Verdict]:
    return [one.verdict for one in usage_streams.take_in(events=events, **{"received_at": RECEIVED_AT, **values})]


def changed(**values: Any) -> EventIn:
    return make_event(**{"transaction_id": "a", "properties": {"a": 1, "b": [1, {"c": None}]}, **values})


def test_nothing_is_nothing() -> None:
    assert verdicts([]) == []
    assert stored() == 0


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({}, DUPLICATE),
        ({"properties": {"b": [1.0, {"c": None}], "a": 1}}, DUPLICATE),  # the order of keys and a zero are no content
        ({"properties": {"a": "1", "b": [1, {"c": None}]}}, CONFLICT),
        ({"properties": {}}, CONFLICT),
        ({"amount_cents": "1"}, CONFLICT),
        ({"code": "other"}, CONFLICT),
        ({"moment": "2026-05-04T12:00:00.000001"}, CONFLICT),
        ({"moment": "2026-06-04T12:00:00"}, CONFLICT),
        ({"external_subscription_id": "other"}, ACCEPTED),
        ({"transaction_id": "A"}, ACCEPTED),
    ],
)
def test_what_counts_as_the_same(values: dict[str, Any], verdict: Verdict) -> None:
    first = changed()
    store(first)
    (taken,) = usage_streams.take_in(events=[changed(**values)], received_at=RECEIVED_AT)
    assert taken.verdict == verdict
    assert stored() == (2 if verdict == ACCEPTED else 1)
    assert (taken.id is None) == (verdict == CONFLICT)
    if verdict == DUPLICATE:
        assert taken.id == str(UsageEvent.objects.get().id)
    assert verdicts([first]) == [DUPLICATE]


def test_amounts_are_compared_as_numbers() -> None:
    assert verdicts([changed(amount_cents="1.50")]) == [ACCEPTED]
    assert verdicts([changed(amount_cents="1.5"), changed()]) == [DUPLICATE, CONFLICT]


def test_an_event_without_a_timestamp_is_the_same_later() -> None:
    later = RECEIVED_AT + timedelta(minutes=5)
    assert verdicts([changed(timestamp=RECEIVED_AT)]) == [ACCEPTED]
    assert verdicts([changed(timestamp=later)], received_at=later) == [DUPLICATE]
    assert verdicts([changed(timestamp=later)]) == [CONFLICT]  # this one was given
    assert UsageEvent.objects.get().timestamp == RECEIVED_AT


def test_repeats_inside_a_stream() -> None:
    first, other = changed(), changed(code="other")
    assert verdicts([other, first, other, make_event()]) == [ACCEPTED, CONFLICT, DUPLICATE, ACCEPTED]
    assert UsageEvent.objects.get(transaction_id="a").code == "other"


def test_many_events_of_one_instant() -> None:
    events = [make_event(properties={"n": number}) for number in range(3000)]
    assert verdicts(events) == [ACCEPTED] * 3000
    assert verdicts(events) == [DUPLICATE] * 3000


_pieces = st.lists(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), max_size=6), max_size=5)


@given(_pieces)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_a_stream_is_cut_and_repeated(pieces: list[list[tuple[int, int]]]) -> None:
    clear()
    model: dict[int, int] = {}
    for piece in pieces:
        expected = []
        for name, content in piece:
            expected.append(ACCEPTED if name not in model else DUPLICATE if model[name] == content else CONFLICT)
            model.setdefault(name, content)
        events = [make_event(transaction_id=f"t{name}", properties={"c": content}) for name, content in piece]
        assert verdicts(events) == expected
    rows = UsageEvent.objects.values_list("transaction_id", "properties__c")
    assert {(name, content) for name, content in rows} == {(f"t{name}", content) for name, content in model.items()}

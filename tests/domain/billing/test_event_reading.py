"""The quick way and the careful way give the same events, for lines, arrays and rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain import event_reading
from billing.domain.usage_events import EventIn

NOW = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)
GOOD = {"transaction_id": "t", "external_subscription_id": "s", "code": "c"}

_values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=5)
)
_events = st.fixed_dictionaries(
    GOOD | {name: st.text(max_size=3) for name in GOOD},
    optional={
        "timestamp": st.one_of(_values, st.integers(946_684_800, 4_102_444_799), st.just("2026-05-04T00:00:00Z")),
        "precise_total_amount_cents": _values,
        "properties": st.dictionaries(
            st.text(max_size=3), st.one_of(_values, st.lists(_values, max_size=2)), max_size=3
        ),
        "specversion": st.just("1.0"),
    },
)


def comparable(found: Any) -> Any:
    if not isinstance(found, EventIn):
        return found
    return *found.key, found.code, found.timestamp, bytes(found.properties), found.amount_cents


@given(st.lists(_events, min_size=1, max_size=4))
def test_both_ways_agree(events: list[dict[str, Any]]) -> None:
    raws = [json.dumps(event).encode() for event in events]
    careful = [comparable(one) for one in event_reading.each_of_any_kind(raws, received_at=NOW)]
    assert [comparable(one) for one in event_reading.rows(raws, received_at=NOW)] == careful
    for way, body in (
        (event_reading.lines, b"\r\n".join(raws)),
        (event_reading.array, b"[" + b",".join(raws) + b"]"),
        (event_reading.batch, b'{"events": [' + b",".join(raws) + b"]}"),
    ):
        quick = way(body, received_at=NOW, most=4)
        assert quick is None or [comparable(one) for one in quick] == careful


@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n \n"])
def test_lines_are_events(between: bytes) -> None:
    raw = json.dumps(GOOD).encode()
    found = event_reading.lines(between.join([raw, raw]), received_at=NOW, most=2)
    assert found is not None
    assert len(found) == 2


def test_several_objects_in_a_line_go_the_careful_way() -> None:
    raw = json.dumps(GOOD).encode()
    assert event_reading.lines(raw + raw, received_at=NOW, most=2) is None
    assert event_reading.rows([raw + raw], received_at=NOW) == [{"base": ["value_is_invalid"]}]
    assert event_reading.rows([], received_at=NOW) == []


def test_the_number_of_events_is_bounded() -> None:
    raw = json.dumps(GOOD).encode()
    assert event_reading.lines(raw + b"\n" + raw, received_at=NOW, most=1) is None
    assert event_reading.array(b"[" + raw + b"," + raw + b"]", received_at=NOW, most=1) is None
    assert event_reading.array(b"[]", received_at=NOW, most=1) is None

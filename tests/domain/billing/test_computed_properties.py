"""Putting computed properties into an event: what is written, what stays, and what is told when it cannot be."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import computed_properties
from billing.domain.usage_events import EventIn
from tests.factories.usage import make_event


def complete(event: EventIn, **expressions: str) -> EventIn:
    return computed_properties.complete(event=event, expressions=expressions)


def properties(event: EventIn) -> Any:
    return json.loads(bytes(event.properties), parse_float=Decimal)


def failures(event: EventIn) -> Any:
    return None if event.failures is None else json.loads(bytes(event.failures))


def test_a_number_is_written_as_text_in_plain_digits_beside_what_was_sent() -> None:
    sent = make_event(properties={"bytes": 1_500_000_000, "region": "eu"})
    found = complete(sent, gb="event.properties.bytes / 1000000000")
    assert properties(found) == {"bytes": 1_500_000_000, "region": "eu", "gb": "1.5"}
    assert found.failures is None
    assert (found.key, found.code, found.timestamp) == (sent.key, sent.code, sent.timestamp)


def test_a_text_is_written_as_it_is() -> None:
    sent = make_event(properties={"user": 'o"neill', "app": 7})
    assert properties(complete(sent, who="CONCAT(event.properties.user, '-', event.properties.app)")) == {
        "user": 'o"neill',
        "app": 7,
        "who": 'o"neill-7',
    }


def test_time_and_code_of_the_event_can_be_used() -> None:
    # 2026-05-04T12:00:00.25Z is 1,777,896,000.25 seconds after 1970.
    sent = make_event("2026-05-04T12:00:00.250000", code="calls")
    found = properties(complete(sent, at="event.timestamp", what="event.code"))
    assert found == {"at": "1777896000.25", "what": "calls"}


def test_figures_keep_all_their_digits() -> None:
    sent = make_event(properties={})
    sent = msgspec.structs.replace(sent, properties=msgspec.Raw(b'{"a": 0.1234567890123456789, "b": 1e3}'))
    found = complete(sent, sum="event.properties.a + event.properties.b")
    assert properties(found)["sum"] == "1000.1234567890123456789"
    assert b"0.1234567890123456789" in bytes(found.properties)


def test_what_was_sent_for_a_computed_property_is_replaced() -> None:
    found = complete(make_event(properties={"gb": 2000}), gb="event.properties.gb / 1000")
    assert (properties(found), failures(found)) == ({"gb": "2"}, None)


def test_what_cannot_be_computed_is_not_there_to_be_counted() -> None:
    sent = make_event(properties={"gb": 2000, "path": "/"})
    found = complete(sent, gb="event.properties.gb / event.properties.divisor", cost="event.properties.gb * 2")
    assert properties(found) == {"path": "/", "cost": "4000"}
    assert failures(found) == {
        "gb": {"problem": "the event has no property divisor", "position": 23, "sent": 2000},
    }


def test_every_expression_sees_the_event_as_it_was_sent() -> None:
    sent = make_event(properties={"a": 1})
    found = complete(sent, a="event.properties.a + 1", b="event.properties.a * 10", c="event.properties.b")
    assert properties(found) == {"a": "2", "b": "10"}
    assert failures(found) == {"c": {"problem": "the event has no property b", "position": 1}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "other"]), json_values))
@settings(max_examples=100, deadline=None)
def test_any_event_gets_the_property_or_a_reason_and_loses_nothing_else(sent: dict[str, Any]) -> None:
    event = make_event(properties=sent)
    found = complete(event, a="event.properties.a / event.properties.b")
    told = failures(found)
    assert ("a" in properties(found)) == (told is None)
    assert {name: value for name, value in properties(found).items() if name != "a"} == {
        name: value for name, value in sent.items() if name != "a"
    }
    if told is not None and "a" in sent:
        assert told["a"]["sent"] == sent["a"]
    assert complete(event, a="event.properties.a / event.properties.b") == found

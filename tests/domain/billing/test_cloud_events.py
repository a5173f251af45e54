"""CloudEvents as usage events: which attribute becomes which field, and what is refused under which name."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.domain import cloud_events, event_fields, event_reading
from billing.domain.usage_events import EventIn

NOW = datetime(2026, 5, 20, 8, 0, tzinfo=UTC)
MAY_4 = datetime(2026, 5, 4, tzinfo=UTC)
GOOD = {"specversion": "1.0", "id": "7", "source": "urn:gateway", "type": "requests", "subject": "sub"}


def read(**values: Any) -> EventIn | dict[str, list[str]]:
    content = {name: value for name, value in {**GOOD, **values}.items() if value is not ...}
    (found,) = event_reading.each_of_any_kind([json.dumps(content).encode()], received_at=NOW)
    return found


def test_attributes_become_fields() -> None:
    found = read(time="2026-05-04T02:00:00+02:00", data={"bytes": 5}, amountcents="1.5", traceparent="00-1", data_x=1)
    assert isinstance(found, EventIn)
    assert (found.transaction_id, found.external_subscription_id, found.code) == ("urn:gateway 7", "sub", "requests")
    assert (found.timestamp, found.amount_cents, bytes(found.properties)) == (MAY_4, "1.5", b'{"bytes": 5}')


def test_without_time_and_data() -> None:
    found = read(data=None)
    assert isinstance(found, EventIn)
    assert (found.timestamp, bytes(found.properties)) == (NOW, b"{}")


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ({"specversion": "0.3"}, {"specversion": ["value_is_invalid"]}),
        ({"specversion": None}, {"specversion": ["value_is_invalid"]}),
        ({"id": ...}, {"id": ["value_is_mandatory"]}),
        ({"id": ""}, {"id": ["value_is_mandatory"]}),
        ({"id": 7}, {"id": ["value_is_invalid"]}),
        ({"id": "x" * 250}, {"id": ["value_is_too_long"]}),
        ({"id": "a\x00b"}, {"id": ["value_is_invalid"]}),
        ({"source": ...}, {"source": ["value_is_mandatory"]}),
        ({"source": 1}, {"source": ["value_is_invalid"]}),
        ({"source": "a b"}, {"source": ["value_is_invalid"]}),
        ({"type": ...}, {"type": ["value_is_mandatory"]}),
        ({"subject": ...}, {"subject": ["value_is_mandatory"]}),
        ({"time": "soon"}, {"time": ["invalid_format"]}),
        ({"data": "text"}, {"data": ["value_is_invalid"]}),
        ({"data_base64": "AAAA"}, {"data_base64": ["value_is_invalid"]}),
        ({"amountcents": "x"}, {"amountcents": ["value_is_invalid"]}),
        ({"id": ..., "source": ...}, {"id": ["value_is_mandatory"], "source": ["value_is_mandatory"]}),
    ],
)
def test_refusals_name_the_attribute(values: dict[str, Any], refused: dict[str, list[str]]) -> None:
    assert read(**values) == refused


def test_sources_keep_equal_ids_apart() -> None:
    # A blank can stand in an id but not in a source, so no two pairs become one transaction id.
    ids = [read(source=source, id=name) for source, name in (("a", "b c"), ("a", "c"), ("b", "c"), ("a#b", "c"))]
    assert len({one.transaction_id for one in ids if isinstance(one, EventIn)}) == 4


def test_a_plain_event_may_have_any_key() -> None:
    raw = b'{"specversion": "1.0", "transaction_id": "t", "external_subscription_id": "s", "code": "c"}'
    (found,) = event_reading.each_of_any_kind([raw], received_at=NOW)
    assert found == event_fields.examine(raw, received_at=NOW)
    assert isinstance(found, EventIn)


def test_binary_mode() -> None:
    headers = {"ce-id": "caf%C3%A9", "ce-source": "/g", "ce-data": "no", "content-type": "x", "ce-specversion": "1.0"}
    fields = cloud_events.from_headers(headers=headers, body=b'{"a": 1}')
    assert {name: json.loads(bytes(raw)) for name, raw in fields.items()} == {
        "id": "café",
        "source": "/g",
        "specversion": "1.0",
        "data": {"a": 1},
    }
    assert "data" not in cloud_events.from_headers(headers=headers, body=b" ")

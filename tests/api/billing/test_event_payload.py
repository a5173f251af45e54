"""Reading events: what is taken, what it becomes, and the reason of every refusal. No database."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.api import event_payload
from billing.domain import event_fields, event_reading
from billing.domain.usage_events import EventIn
from config.kernel import errors

NOW = datetime(2026, 5, 20, 8, 0, 0, 123456, tzinfo=UTC)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SECONDS = 1_767_225_600
ABSENT = object()

GOOD = {"transaction_id": "t", "external_subscription_id": "s", "code": "c", "properties": {"a": 1}}


def changed(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **values}.items() if value is not ABSENT}


def raw(events: object) -> bytes:
    return json.dumps({"events": events}).encode()


def refusals(body: bytes) -> dict[int, dict[str, list[str]]]:
    with pytest.raises(event_payload.RefusedEvents) as refusal:
        event_payload.read_many(body, received_at=NOW)
    return refusal.value.by_position


def as_read(event: EventIn) -> tuple[Any, ...]:
    rest = [getattr(event, name) for name in EventIn.__struct_fields__ if name != "properties"]
    return (*rest, bytes(event.properties))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (ABSENT, NOW),
        (None, NOW),
        (SECONDS, NEW_YEAR),
        (f"{SECONDS}", NEW_YEAR),
        (SECONDS + 0.123456, NEW_YEAR + timedelta(microseconds=123456)),
        (f"{SECONDS}.123456", NEW_YEAR + timedelta(microseconds=123456)),
        (f"{SECONDS}.1234569", NEW_YEAR + timedelta(microseconds=123456)),  # finer is cut off
        (f"{SECONDS}.000001", NEW_YEAR + timedelta(microseconds=1)),
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T00:00:00.000001Z", NEW_YEAR + timedelta(microseconds=1)),
        ("2026-01-01T01:00:00+01:00", NEW_YEAR),
        ("2026-01-01T00:00:00", NEW_YEAR),
        ("2026-01-01", NEW_YEAR),
        (946_684_800, datetime(2000, 1, 1, tzinfo=UTC)),
        (4_102_444_799, datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_are_exact(sent: object, expected: datetime) -> None:
    (event,) = event_payload.read_many(raw([changed(timestamp=sent)]), received_at=NOW)
    assert event.timestamp == expected
    assert event.timestamp.utcoffset() == timedelta(0)


@given(st.integers(SECONDS * 10**6, SECONDS * 10**6 + 10**13))
def test_every_microsecond_survives_as_number_and_as_text(microseconds: int) -> None:
    seconds, rest = divmod(microseconds, 10**6)
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    for sent in (f"{seconds}.{rest:06}", f'"{seconds}.{rest:06}"'):
        body = raw([changed(timestamp=0)]).replace(b'"timestamp": 0', f'"timestamp": {sent}'.encode())
        (event,) = event_payload.read_many(body, received_at=NOW)
        assert event.timestamp == expected


LONG = "x" * 256
BAD_TEXTS = [
    (ABSENT, "value_is_mandatory"),
    (None, "value_is_mandatory"),
    ("", "value_is_mandatory"),
    (5, "value_is_invalid"),
    (1.5, "value_is_invalid"),
    (True, "value_is_invalid"),
    (["t"], "value_is_invalid"),
    ({"t": 1}, "value_is_invalid"),
    ("a\x00b", "value_is_invalid"),
    (LONG, "value_is_too_long"),
]
BAD_VALUES = [
    ("timestamp", "yesterday", "invalid_format"),
    ("timestamp", "", "invalid_format"),
    ("timestamp", True, "invalid_format"),
    ("timestamp", [SECONDS], "invalid_format"),
    ("timestamp", {}, "invalid_format"),
    ("timestamp", "1e9", "invalid_format"),
    ("timestamp", "NaN", "invalid_format"),
    ("timestamp", "2026-02-30T00:00:00Z", "invalid_format"),
    ("timestamp", "2026-01-01T00:00:00+99:00", "invalid_format"),
    ("timestamp", SECONDS * 1000, "value_is_out_of_range"),  # milliseconds
    ("timestamp", 946_684_799, "value_is_out_of_range"),
    ("timestamp", 4_102_444_800, "value_is_out_of_range"),
    ("timestamp", -1, "value_is_out_of_range"),
    ("timestamp", 10**40, "value_is_out_of_range"),
    ("timestamp", 1e300, "value_is_out_of_range"),
    ("timestamp", "1999-12-31T23:59:59Z", "value_is_out_of_range"),
    ("timestamp", "0001-01-01T00:00:00+23:59", "value_is_out_of_range"),
    ("properties", [], "value_is_invalid"),
    ("properties", "x", "value_is_invalid"),
    ("properties", 1, "value_is_invalid"),
    ("properties", {"a\x00": 1}, "value_is_invalid"),
    ("properties", {"a": "\x00"}, "value_is_invalid"),
    ("properties", {"a": ["\x00"]}, "value_is_invalid"),
    ("properties", {"a": {"b": {"\x00": 1}}}, "value_is_invalid"),
    ("properties", {"a": "x" * 16_384}, "value_is_too_long"),
    ("properties", {"a": 1e300}, "value_is_out_of_range"),
    ("properties", {"a": 1e-300}, "value_is_out_of_range"),
    ("properties", {"a": 10**60}, "value_is_out_of_range"),
    ("properties", {"a": [10**60]}, "value_is_out_of_range"),
    ("properties", {"a": [[[[[[[[[]]]]]]]]]}, "nesting_is_too_deep"),
    ("precise_total_amount_cents", "x", "value_is_invalid"),
    ("precise_total_amount_cents", "", "value_is_invalid"),
    ("precise_total_amount_cents", "1e3", "value_is_invalid"),
    ("precise_total_amount_cents", "9" * 41, "value_is_invalid"),
    ("precise_total_amount_cents", 1e300, "value_is_invalid"),
    ("precise_total_amount_cents", True, "value_is_invalid"),
    ("precise_total_amount_cents", [1], "value_is_invalid"),
]


@pytest.mark.parametrize(
    ("name", "sent", "code"),
    [(name, sent, code) for name in ("transaction_id", "external_subscription_id", "code") for sent, code in BAD_TEXTS]
    + BAD_VALUES,
)
def test_what_is_refused_says_why(name: str, sent: object, code: str) -> None:
    bad = changed(**{name: sent})
    assert refusals(raw([changed(transaction_id="good"), bad])) == {1: {name: [code]}}
    with pytest.raises(errors.Invalid) as refusal:
        event_payload.read_one(json.dumps({"event": bad}).encode(), received_at=NOW)
    assert refusal.value.details == {name: [code]}


@pytest.mark.parametrize(
    "sent",
    [
        b'{"a": 1e400}',
        b'{"a": 1e99999999999999999999}',
        b'{"a": -1e131072}',
        b'{"a": 1e-131072}',
        b'{"a": 0e-131072}',
        b'{"a": 0E-9999}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_monstrous_numbers_are_refused(sent: bytes) -> None:
    body = raw([changed(properties=0)]).replace(b'"properties": 0', b'"properties": ' + sent)
    assert set(refusals(body)) == {0}
    assert set(refusals(body)[0]) == {"properties"}


@pytest.mark.parametrize("sent", [b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud800x"'])
@pytest.mark.parametrize("place", [b'"code": "c"', b'"a": 1'])
def test_half_a_surrogate_pair_is_refused(sent: bytes, place: bytes) -> None:
    name = place.partition(b":")[0]
    body = raw([GOOD]).replace(place, name + b": " + sent)
    with pytest.raises((event_payload.RefusedEvents, event_payload.UnreadableBody)):
        event_payload.read_many(body, received_at=NOW)


def test_everything_wrong_with_every_event_is_told_at_once() -> None:
    body = raw([{"code": 5, "timestamp": "x"}, GOOD, None, [], changed(code="", properties=1)])
    assert refusals(body) == {
        0: {
            "transaction_id": ["value_is_mandatory"],
            "external_subscription_id": ["value_is_mandatory"],
            "code": ["value_is_invalid"],
            "timestamp": ["invalid_format"],
        },
        2: {"base": ["value_is_invalid"]},
        3: {"base": ["value_is_invalid"]},
        4: {"code": ["value_is_mandatory"], "properties": ["value_is_invalid"]},
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "no_events"),
        (b"", "no_events"),
        (b'{"events": null}', "no_events"),
        (b'{"events": []}', "no_events"),
        (b'{"events": {}}', "must_be_an_array"),
        (b'{"events": "x"}', "must_be_an_array"),
        (raw([GOOD] * 1001), "too_many_events"),
    ],
)
def test_batches_of_none_or_too_many(body: bytes, code: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        event_payload.read_many(body, received_at=NOW)
    assert refusal.value.details == {"events": [code]}


def test_a_batch_of_a_thousand_is_taken() -> None:
    body = raw([changed(transaction_id=str(number)) for number in range(1000)])
    found = event_payload.read_many(body, received_at=NOW)
    assert [event.transaction_id for event in found] == [str(number) for number in range(1000)]


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"5",
        b"{",
        b'{"events": [}',
        b'{"events": [{}]} x',
        b'{"events": [{"code": NaN}]}',
        b"\xff\xfe{}",
        b'{"\xff": 1}',
        '{"events": []}'.encode("utf-16"),
        b'{"events": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_json_object_cannot_be_read(body: bytes) -> None:
    for read in (event_payload.read_many, event_payload.read_one):
        with pytest.raises(event_payload.UnreadableBody) as refusal:
            read(body, received_at=NOW)
        assert refusal.value.message.startswith("BadRequest: ")


@pytest.mark.parametrize("body", [b"{}", b"", b'{"event": null}', b'{"event": {}}', b'{"event": []}', b'{"event": 1}'])
def test_a_missing_root_is_named(body: bytes) -> None:
    with pytest.raises(event_payload.UnreadableBody) as refusal:
        event_payload.read_one(body, received_at=NOW)
    assert refusal.value.message == "BadRequest: param is missing or the value is empty or invalid: event"


@pytest.mark.parametrize(
    "properties",
    [
        b"{}",
        b'{"a": 1.10000000000000000000000000000000001, "b": 123456789012345678901234567890}',
        b'{"a": 0.000000, "b": 1e-40, "c": 1E+39, "d": 0.1' + b"0" * 100 + b'1, "e": "1e-999"}',
        b'{"a": {"b": [1, {"c": null}]}, "d": "\\ud83d\\ude00 \\\\u0000"}',
        '{"ä": "✓"}'.encode(),
    ],
)
def test_properties_are_kept_to_the_letter(properties: bytes) -> None:
    body = raw([changed(properties=0)]).replace(b'"properties": 0', b'"properties": ' + properties)
    (event,) = event_payload.read_many(body, received_at=NOW)
    assert bytes(event.properties) == properties


@pytest.mark.parametrize("sent", [ABSENT, None])
def test_missing_properties_are_none(sent: object) -> None:
    (event,) = event_payload.read_many(raw([changed(properties=sent)]), received_at=NOW)
    assert bytes(event.properties) == b"{}"


@pytest.mark.parametrize(
    ("sent", "text"),
    [(None, None), ("12.50", "12.50"), (7, "7"), (0.1, "0.1"), (-2.5, "-2.5"), (1e22, "10000000000000000000000")],
)
def test_amounts_are_decimals(sent: object, text: str | None) -> None:
    (event,) = event_payload.read_many(raw([changed(precise_total_amount_cents=sent)]), received_at=NOW)
    assert event.amount_cents == text


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
events = st.fixed_dictionaries(
    {},
    optional={
        "transaction_id": st.text(min_size=1, max_size=300) | values,
        "external_subscription_id": st.text(min_size=1) | values,
        "code": st.text(min_size=1) | values,
        "timestamp": st.integers(0, 5_000_000_000) | st.floats(9e8, 5e9) | values,
        "precise_total_amount_cents": st.decimals(allow_nan=False).map(str) | values,
        "properties": st.dictionaries(st.text(), values, max_size=4) | values,
    },
)
whole = st.builds(lambda event: {**GOOD, **event}, events)


@given(st.lists(events | whole | values, min_size=1, max_size=4))
def test_the_quick_way_and_the_careful_way_agree(sent: list[Any]) -> None:
    body = raw(sent)
    quick = event_reading.batch(body, received_at=NOW, most=event_payload.MAX_EVENTS)
    careful: list[EventIn] | None = None
    with contextlib.suppress(event_payload.RefusedEvents):
        careful = event_payload._carefully(body, NOW)
    if quick is not None:
        assert careful is not None
        assert [as_read(event) for event in quick] == [as_read(event) for event in careful]
    assert careful is None or len(careful) == len(sent)


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_no_body_is_too_strange_to_be_answered(body: bytes) -> None:
    for read in (event_payload.read_many, event_payload.read_one):
        with pytest.raises(errors.DomainError):
            read(body, received_at=NOW)


def test_the_bounds_are_what_the_documentation_says() -> None:
    assert (event_payload.MAX_EVENTS, event_fields.MAX_LENGTH, event_fields.MAX_DEPTH) == (1000, 255, 8)
    fits = {"a": "x" * (16_384 - len('{"a": ""}'))}
    (event,) = event_payload.read_many(raw([changed(properties=fits)]), received_at=NOW)
    assert len(event.properties) == 16_384

"""Reading events from JSON. Owns the two ways of doing it, which give the same answers.

The quick way decodes and checks a whole body in a few calls of the decoder, and takes all events or none. Whatever it
does not like at once goes the careful way, event by event, which either takes the event after all or says why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from billing.domain import cloud_events, event_fields
from billing.domain.usage_events import NO_PROPERTIES, Codes, EventIn

# What only the careful way can judge: an escaped null character, which no column can hold, and numbers next to nothing.
_NULL_CHARACTER = b"\\u0000"
_TINY = (b"e-", b"E-", b"0." + b"0" * event_fields.MAX_DIGITS)
_NULL = msgspec.Raw(b"null")

_Text = Annotated[str, Meta(min_length=1, max_length=event_fields.MAX_LENGTH)]
_Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Fraction = Annotated[float, Meta(ge=-event_fields.LARGEST_FLOAT, le=event_fields.LARGEST_FLOAT)]
_Scalar = str | _Whole | _Fraction | bool | None


class _Event(msgspec.Struct, gc=False):
    transaction_id: _Text
    external_subscription_id: _Text
    code: _Text
    timestamp: int | float | str | None = None
    precise_total_amount_cents: str | int | float | None = None
    properties: msgspec.Raw = NO_PROPERTIES


class _Checked(msgspec.Struct, gc=False):
    """Properties that need no second look: no lists, no objects, no monstrous numbers."""

    properties: dict[str, _Scalar] | None = None


class _Batch(msgspec.Struct, gc=False):
    events: list[_Event]


class _CheckedBatch(msgspec.Struct, gc=False):
    events: list[_Checked]


_batch, _checked_batch = msgspec.json.Decoder(_Batch), msgspec.json.Decoder(_CheckedBatch)
_array, _checked_array = msgspec.json.Decoder(list[_Event]), msgspec.json.Decoder(list[_Checked])
_line, _checked_line = msgspec.json.Decoder(_Event), msgspec.json.Decoder(_Checked)

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def batch(body: bytes, *, received_at: datetime, most: int) -> list[EventIn] | None:
    """Return the events of ``{"events": [...]}`` if they are 1 to ``most`` and all valid at first sight."""
    if _NULL_CHARACTER in body:
        return None
    try:
        events = _batch.decode(body).events
        return _taken(body, events, _checked_batch.decode(body).events, received_at, most)
    except _UNREADABLE:
        return None


def array(body: bytes, *, received_at: datetime, most: int) -> list[EventIn] | None:
    """Return the events of ``[...]`` if they are 1 to ``most`` and all valid at first sight."""
    if _NULL_CHARACTER in body:
        return None
    try:
        return _taken(body, _array.decode(body), _checked_array.decode(body), received_at, most)
    except _UNREADABLE:
        return None


def lines(body: bytes, *, received_at: datetime, most: int) -> list[EventIn] | None:
    """Return the events of a JSON object in each line if they are 1 to ``most`` and all valid at first sight."""
    if _NULL_CHARACTER in body:
        return None
    try:
        events = _line.decode_lines(body)
        if len(events) != sum(1 for line in body.split(b"\n") if line.strip()):
            return None  # the decoder is content with several objects in a line
        return _taken(body, events, _checked_line.decode_lines(body), received_at, most)
    except _UNREADABLE:
        return None


def each(raws: Sequence[msgspec.Raw | bytes], *, received_at: datetime) -> list[EventIn | Codes]:
    """Return each event, or the codes of everything that is wrong with it, by field; no JSON object is ``base``."""
    return [event_fields.examine(raw, received_at=received_at) for raw in raws]


def each_of_any_kind(raws: Sequence[msgspec.Raw | bytes], *, received_at: datetime) -> list[EventIn | Codes]:
    """Return as `each` does; CloudEvents are taken too, and their codes are by attribute."""
    return [_of_any_kind(raw, received_at) for raw in raws]


def rows(raws: Sequence[bytes], *, received_at: datetime) -> list[EventIn | Codes]:
    """Return as `each_of_any_kind` does, for JSON objects that have no line break; the quick way where it goes."""
    quick = lines(b"\n".join(raws), received_at=received_at, most=len(raws))
    if quick is None or len(quick) != len(raws):
        return each_of_any_kind(raws, received_at=received_at)
    return list(quick)


def _of_any_kind(raw: msgspec.Raw | bytes, received_at: datetime) -> EventIn | Codes:
    fields = event_fields.split(raw)
    if fields is None:
        return {"base": [event_fields.WRONG]}
    if cloud_events.is_one(fields):
        return cloud_events.examine(fields, received_at=received_at)
    return event_fields.examine_fields(fields, received_at=received_at)


def _taken(
    body: bytes, events: list[_Event], checked: list[_Checked], received_at: datetime, most: int
) -> list[EventIn] | None:
    if not 0 < len(events) <= most:
        return None
    if any(mark in body for mark in _TINY) and _has_tiny(checked):
        return None
    if len(body) > event_fields.MAX_PROPERTIES_BYTES and not _are_small(events):
        return None
    found = []
    for event in events:
        at = event_fields.instant(event.timestamp, received_at=received_at)
        amount = event_fields.amount(event.precise_total_amount_cents)
        if isinstance(at, str) or amount is event_fields.REFUSED:
            return None
        properties = NO_PROPERTIES if event.properties == _NULL else event.properties
        found.append(EventIn(event.transaction_id, event.external_subscription_id, event.code, at, properties, amount))
    return found


def _are_small(events: Sequence[_Event]) -> bool:
    return all(len(event.properties) <= event_fields.MAX_PROPERTIES_BYTES for event in events)


def _has_tiny(events: Sequence[_Checked]) -> bool:
    return any(
        isinstance(value, float) and abs(value) < event_fields.SMALLEST_FLOAT
        for event in events
        for value in (event.properties or {}).values()
    )

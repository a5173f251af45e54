"""The body of an event stream. Owns its forms: JSON lines, a JSON array, one event; plain events and CloudEvents in
structured, batched and binary mode. What an event must look like is `billing.domain.event_reading`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from billing.api import event_payload
from billing.domain import cloud_events, event_fields, event_reading
from billing.domain.usage_events import Codes, EventIn

MAX_EVENTS = 10_000

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines")

_Quick = Callable[..., list[EventIn] | None]

_text = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class Stream:
    """The events of a request in their order, read or refused with codes, and the transaction ids that they name."""

    found: Sequence[EventIn | Codes]
    names: Sequence[str | None]


def read(body: bytes, *, content_type: str, headers: Mapping[str, str], received_at: datetime) -> Stream:
    """Read a stream of 1 to 10,000 events. The names of ``headers`` are in lower case.

    JSON lines are told by their content type, or by more than one object in the body; empty lines are no events. An
    array may stand for itself or under ``events``, a single event for itself or under ``event``. Raises UnreadableBody
    for what is no JSON, and Invalid with ``no_events`` or ``too_many_events``. What is wrong with a single event, or
    with a single line, concerns that one only.
    """
    if "ce-specversion" in headers:
        fields = cloud_events.from_headers(headers=headers, body=body)
        return Stream([cloud_events.examine(fields, received_at=received_at)], [_name(fields)])
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        raise event_payload.refused("no_events")
    if kind in LINES:
        return _lines(body, received_at)
    if body.lstrip().startswith(b"["):
        quick = _quickly(event_reading.array, body, received_at)
        return quick or _carefully(event_payload.listed(body, most=MAX_EVENTS), received_at)
    return _objects(body, received_at)


def _objects(body: bytes, received_at: datetime) -> Stream:
    """Read one object, or one in each line where the first line is one."""
    try:
        fields = event_payload.root(body)
    except event_payload.UnreadableBody:
        first = body.lstrip().partition(b"\n")[0]
        if event_fields.split(first) is None:
            raise
        return _lines(body, received_at)
    if "transaction_id" not in fields and "specversion" not in fields:
        if "events" in fields:
            quick = _quickly(event_reading.batch, body, received_at)
            return quick or _carefully(event_payload.listed(fields["events"], most=MAX_EVENTS), received_at)
        if "event" in fields:
            return _carefully([fields["event"]], received_at)
    return _carefully([body], received_at)


def _lines(body: bytes, received_at: datetime) -> Stream:
    quick = _quickly(event_reading.lines, body, received_at)
    if quick is not None:
        return quick
    lines = [line for line in body.split(b"\n") if line.strip()]
    if len(lines) > MAX_EVENTS:
        raise event_payload.refused("too_many_events")
    return _carefully(lines, received_at)


def _quickly(way: _Quick, body: bytes, received_at: datetime) -> Stream | None:
    events = way(body, received_at=received_at, most=MAX_EVENTS)
    return None if events is None else Stream(events, [event.transaction_id for event in events])


def _carefully(raws: Sequence[msgspec.Raw | bytes], received_at: datetime) -> Stream:
    found = event_reading.each_of_any_kind(raws, received_at=received_at)
    names = [
        one.transaction_id if isinstance(one, EventIn) else _name(event_fields.split(raw) or {})
        for raw, one in zip(raws, found, strict=True)
    ]
    return Stream(found, names)


def _name(fields: Mapping[str, msgspec.Raw]) -> str | None:
    """Return the transaction id, or else the id of a CloudEvent, as it was sent, if it is a text."""
    raw = fields.get("transaction_id", fields.get("id"))
    try:
        return None if raw is None else _text.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None

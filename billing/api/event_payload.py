"""Reading events from a request body. Owns decoding, what an event must look like, and the reason of each refusal.

Two ways give the same answers. The quick one decodes and checks a whole body in a few calls of the decoder; whatever it
does not like at once goes the careful way, event by event, which either takes the event after all or says why not. JSON
that is no JSON at all is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from billing.api import event_fields
from billing.services.usage import NO_PROPERTIES, EventIn
from config.kernel import errors

MAX_EVENTS = 1000

Refusals = dict[int, dict[str, list[str]]]
"""Codes by field, by position in the request."""

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


_batch = msgspec.json.Decoder(_Batch)
_checked_batch = msgspec.json.Decoder(_CheckedBatch)
_any_root = msgspec.json.Decoder(dict[str, msgspec.Raw])
_any_list = msgspec.json.Decoder(list[msgspec.Raw])


class UnreadableBody(errors.BadRequest):
    """The body is no JSON object, or lacks its root key."""


class RefusedEvents(errors.Invalid):
    """Some events are not valid; ``by_position`` has the codes by field of each."""

    def __init__(self, by_position: Refusals) -> None:
        super().__init__("validation_errors", "Some events are not valid.")
        self.by_position = by_position


def read_one(body: bytes, *, received_at: datetime) -> EventIn:
    """Read ``{"event": {...}}``. Raises UnreadableBody, and Invalid with the codes by field."""
    raw = _root(body).get("event")
    if raw is None or not _is_object(raw):
        raise _missing("event")
    found = event_fields.examine(raw, received_at=received_at)
    if isinstance(found, EventIn):
        return found
    raise errors.Invalid("validation_errors", "The event is not valid.", found)


def read_many(body: bytes, *, received_at: datetime) -> list[EventIn]:
    """Read ``{"events": [...]}`` of 1 to 1000 events.

    Raises UnreadableBody; Invalid with ``no_events`` or ``too_many_events``; RefusedEvents with the reasons of each
    event that is refused.
    """
    quick = _quickly(body, received_at)
    return _carefully(body, received_at) if quick is None else quick


def _quickly(body: bytes, received_at: datetime) -> list[EventIn] | None:
    """Return the events if all of them are valid at first sight, otherwise nothing."""
    if _NULL_CHARACTER in body:
        return None
    try:
        events = _batch.decode(body).events
        if not 0 < len(events) <= MAX_EVENTS:
            return None
        checked = _checked_batch.decode(body).events
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
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


def _carefully(body: bytes, received_at: datetime) -> list[EventIn]:
    events = _events(_root(body).get("events"))
    found: list[EventIn] = []
    refusals: Refusals = {}
    for position, raw in enumerate(events):
        result = event_fields.examine(raw, received_at=received_at)
        if isinstance(result, EventIn):
            found.append(result)
        else:
            refusals[position] = result
    if refusals:
        raise RefusedEvents(refusals)
    return found


def _events(raw: msgspec.Raw | None) -> list[msgspec.Raw]:
    if raw is None or raw == _NULL:
        raise _refused("no_events")
    try:
        events = _any_list.decode(raw)
    except msgspec.ValidationError as error:
        raise _refused("must_be_an_array") from error
    if not events:
        raise _refused("no_events")
    if len(events) > MAX_EVENTS:
        raise _refused("too_many_events")
    return events


def _root(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the keys of the body. An empty body has none."""
    if not body.strip():
        return {}
    try:
        return _any_root.decode(body)
    except msgspec.ValidationError as error:
        raise UnreadableBody("bad_request", "BadRequest: the body is no JSON object") from error
    except msgspec.DecodeError as error:
        raise UnreadableBody("bad_request", f"BadRequest: the body is not JSON: {error}") from error
    except UnicodeDecodeError as error:
        raise UnreadableBody("bad_request", "BadRequest: the body is not UTF-8") from error
    except RecursionError as error:
        raise UnreadableBody("bad_request", "BadRequest: the JSON is nested too deeply") from error


def _is_object(raw: msgspec.Raw) -> bool:
    text = bytes(raw)
    return text.startswith(b"{") and text != b"{}"


def _are_small(events: Sequence[_Event]) -> bool:
    return all(len(event.properties) <= event_fields.MAX_PROPERTIES_BYTES for event in events)


def _has_tiny(events: Sequence[_Checked]) -> bool:
    return any(
        isinstance(value, float) and abs(value) < event_fields.SMALLEST_FLOAT
        for event in events
        for value in (event.properties or {}).values()
    )


def _missing(root: str) -> UnreadableBody:
    return UnreadableBody("bad_request", f"BadRequest: param is missing or the value is empty or invalid: {root}")


def _refused(code: str) -> errors.Invalid:
    return errors.Invalid(code, f"The events cannot be taken: {code}.", {"events": [code]})

"""The body of a request with one event or a batch. Owns its root keys, its size, and the refusal as a whole; which
events are taken is `billing.domain.event_reading`'s. JSON that is no JSON at all is refused as a whole.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from billing.domain import event_fields, event_reading
from billing.domain.usage_events import EventIn
from config.kernel import errors

MAX_EVENTS = 1000

Refusals = dict[int, dict[str, list[str]]]
"""Codes by field, by position in the request."""

_NULL = msgspec.Raw(b"null")

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
    raw = root(body).get("event")
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
    quick = event_reading.batch(body, received_at=received_at, most=MAX_EVENTS)
    return _carefully(body, received_at) if quick is None else quick


def root(body: bytes) -> dict[str, msgspec.Raw]:
    """Return the keys of the body. An empty body has none. Raises UnreadableBody for what is no JSON object."""
    if not body.strip():
        return {}
    try:
        return _any_root.decode(body)
    except msgspec.ValidationError as error:
        raise UnreadableBody("bad_request", "BadRequest: the body is no JSON object") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error) from error


def listed(raw: msgspec.Raw | bytes | None, *, most: int) -> list[msgspec.Raw]:
    """Return the 1 to ``most`` elements of a JSON array. Raises Invalid, and UnreadableBody for what is no JSON."""
    if raw is None or raw == _NULL:
        raise refused("no_events")
    try:
        events = _any_list.decode(raw)
    except msgspec.ValidationError as error:
        raise refused("must_be_an_array") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error) from error
    if not events:
        raise refused("no_events")
    if len(events) > most:
        raise refused("too_many_events")
    return events


def refused(code: str) -> errors.Invalid:
    """Return the refusal of all events."""
    return errors.Invalid(code, f"The events cannot be taken: {code}.", {"events": [code]})


def unreadable(error: Exception) -> UnreadableBody:
    """Return the refusal of a body that the decoder could not read."""
    reason = f"not JSON: {error}"
    if isinstance(error, UnicodeDecodeError):
        reason = "not UTF-8"
    elif isinstance(error, RecursionError):
        reason = "nested too deeply"
    return UnreadableBody("bad_request", f"BadRequest: the body is {reason}")


def _carefully(body: bytes, received_at: datetime) -> list[EventIn]:
    raws = listed(root(body).get("events"), most=MAX_EVENTS)
    found: list[EventIn] = []
    refusals: Refusals = {}
    for position, result in enumerate(event_reading.each(raws, received_at=received_at)):
        if isinstance(result, EventIn):
            found.append(result)
        else:
            refusals[position] = result
    if refusals:
        raise RefusedEvents(refusals)
    return found


def _is_object(raw: msgspec.Raw) -> bool:
    text = bytes(raw)
    return text.startswith(b"{") and text != b"{}"


def _missing(root_key: str) -> UnreadableBody:
    return UnreadableBody("bad_request", f"BadRequest: param is missing or the value is empty or invalid: {root_key}")

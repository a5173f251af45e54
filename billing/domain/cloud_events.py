"""CloudEvents 1.0 as usage events. Owns which attribute becomes which field; the values are judged by `event_fields`.

| attribute | field |
|---|---|
| ``source`` and ``id``, with a blank between | ``transaction_id``: the standard makes both together unique |
| ``subject`` | ``external_subscription_id`` |
| ``type`` | ``code`` |
| ``time`` | ``timestamp`` |
| ``data`` | ``properties`` |
| extension ``amountcents`` | ``precise_total_amount_cents`` |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib import parse

import msgspec

from billing.domain import event_fields
from billing.domain.usage_events import Codes, EventIn

VERSION = "1.0"

_FIELDS = {
    "external_subscription_id": "subject",
    "code": "type",
    "timestamp": "time",
    "properties": "data",
    "precise_total_amount_cents": "amountcents",
}
_ATTRIBUTES = {**_FIELDS, "transaction_id": "id"}

_text = msgspec.json.Decoder(str)


def is_one(fields: Mapping[str, msgspec.Raw]) -> bool:
    """Say whether the fields are those of a CloudEvent."""
    return "specversion" in fields and "transaction_id" not in fields


def examine(fields: Mapping[str, msgspec.Raw], *, received_at: datetime) -> EventIn | Codes:
    """Return the event, or the codes of everything that is wrong with it, by attribute."""
    wrong: Codes = {}
    given = {field: fields[attribute] for field, attribute in _FIELDS.items() if attribute in fields}
    source, name = _read(fields, "source"), _read(fields, "id")
    if _read(fields, "specversion") != VERSION:
        wrong["specversion"] = [event_fields.WRONG]
    if source is None or any(char.isspace() for char in source):
        wrong["source"] = [event_fields.WRONG]
    elif not source:
        wrong["source"] = [event_fields.MANDATORY]
    if "data_base64" in fields:
        wrong["data_base64"] = [event_fields.WRONG]
    if source and name:
        given["transaction_id"] = msgspec.Raw(msgspec.json.encode(f"{source} {name}"))
    elif "id" in fields and name != "":
        given["transaction_id"] = fields["id"]  # no text, which is judged below
    found = event_fields.examine_fields(given, received_at=received_at)
    if isinstance(found, EventIn):
        return wrong or found
    return {**wrong, **{_ATTRIBUTES.get(field, field): codes for field, codes in found.items()}}


def from_headers(*, headers: Mapping[str, str], body: bytes) -> dict[str, msgspec.Raw]:
    """Return the fields of a CloudEvent in binary mode: attributes in ``ce-`` headers, data in the body.

    The names of ``headers`` are in lower case, values percent-encoded as HTTP needs it. An empty body is no data.
    """
    fields = {
        name.removeprefix("ce-"): msgspec.Raw(msgspec.json.encode(parse.unquote(value)))
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    fields.pop("data", None)
    if body.strip():
        fields["data"] = msgspec.Raw(body)
    return fields


def _read(fields: Mapping[str, msgspec.Raw], name: str) -> str | None:
    """Return a text attribute, empty where it is absent or null; nothing where it is no text."""
    raw = fields.get(name)
    if raw is None or raw == msgspec.Raw(b"null"):
        return ""
    try:
        return _text.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None

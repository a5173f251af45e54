"""Rows of tables as events. Owns which column becomes which field: those of an event by their names, all others
properties. The values are judged by `event_fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

FIELDS = ("transaction_id", "external_subscription_id", "code", "timestamp", "precise_total_amount_cents")
MANDATORY = ("transaction_id", "external_subscription_id", "code", "timestamp")
PROPERTIES = "properties"
PREFIX = "properties."


def missing(columns: list[str]) -> list[str]:
    """Return which mandatory columns a table lacks."""
    return [name for name in MANDATORY if name not in columns]


def raw(row: Mapping[str, Any]) -> bytes:
    """Return a row as an event in JSON.

    Cells that are empty are absent. A column ``properties`` has an object, or one as JSON text; any other column is the
    property of its name, which ``properties.`` may precede. Decimals become text, so that nothing is lost.
    """
    given = {name: value for name, value in row.items() if value is not None and value != ""}
    fields = {name: given.pop(name) for name in FIELDS if name in given}
    whole = given.pop(PROPERTIES, None)
    columns = {name.removeprefix(PREFIX): value for name, value in given.items()}
    if isinstance(whole, str) and not columns:
        text = whole.encode()
        # Kept to the letter where it is an object in one line; all else is refused with its event.
        fields[PROPERTIES] = msgspec.Raw(text) if _is_object(text) and b"\n" not in text else _decoded(text)
    elif whole is None:
        fields[PROPERTIES] = columns
    else:
        found = _decoded(whole.encode()) if isinstance(whole, str) else whole
        fields[PROPERTIES] = {**found, **columns} if isinstance(found, dict) else found
    return msgspec.json.encode(fields)


def _is_object(text: bytes) -> bool:
    return isinstance(_decoded(text), dict)


def _decoded(text: bytes) -> Any:
    """Return the value of JSON text, or the text itself where it is none, which is then refused as no object."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return text.decode()

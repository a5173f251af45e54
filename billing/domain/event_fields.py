"""The fields of an event as senders write them. Owns which values are taken, what they become, and why others are not.

Instants keep microseconds exactly: figures are read as decimals, never as binary fractions. What is finer is cut off.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from billing.domain.usage_events import NO_PROPERTIES, Codes, EventIn

MAX_LENGTH = 255
MAX_PROPERTIES_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_DIGITS = 40
LARGEST_FLOAT, SMALLEST_FLOAT = 1e40, 1e-40

FIRST, END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

MANDATORY = "value_is_mandatory"
WRONG = "value_is_invalid"
TOO_LONG = "value_is_too_long"
OUT_OF_RANGE = "value_is_out_of_range"
NO_INSTANT = "invalid_format"
TOO_DEEP = "nesting_is_too_deep"

REFUSED: Final = "\x00"
"""What `amount` returns for something that is no amount; no amount looks like it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND, _END_SECOND = 946_684_800, 4_102_444_800
_DIGITS = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,40})?")
_PLAIN = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Decimals, because the refusal of a monstrous number must not depend on what a binary fraction can hold.
_anything = msgspec.json.Decoder(float_hook=Decimal)


def examine(raw: msgspec.Raw | bytes, *, received_at: datetime) -> EventIn | Codes:
    """Return the event, or the codes of everything that is wrong with it, by field."""
    fields = split(raw)
    if fields is None:
        return {"base": [WRONG]}
    return examine_fields(fields, received_at=received_at)


def split(raw: msgspec.Raw | bytes) -> dict[str, msgspec.Raw] | None:
    """Return the fields of a JSON object, not decoded yet, or nothing where it is none."""
    try:
        return _fields.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def examine_fields(fields: Mapping[str, msgspec.Raw], *, received_at: datetime) -> EventIn | Codes:
    """Return the event of these fields, or the codes of everything that is wrong with it, by field."""
    wrong: Codes = {}
    texts = {}
    for name in ("transaction_id", "external_subscription_id", "code"):
        texts[name], code = _text(_value(fields, name))
        if code:
            wrong[name] = [code]
    at = instant(_value(fields, "timestamp"), received_at=received_at)
    if isinstance(at, str):
        wrong["timestamp"] = [at]
    cents = amount(_value(fields, "precise_total_amount_cents"))
    if cents is REFUSED:
        wrong["precise_total_amount_cents"] = [WRONG]
    properties = fields.get("properties", NO_PROPERTIES)
    code = _properties(properties)
    if code:
        wrong["properties"] = [code]
    if wrong or isinstance(at, str):
        return wrong
    if properties == msgspec.Raw(b"null"):
        properties = NO_PROPERTIES
    return EventIn(
        texts["transaction_id"], texts["external_subscription_id"], texts["code"], at, properties, amount_cents=cents
    )


def instant(value: Any, *, received_at: datetime) -> datetime | str:
    """Return the instant in UTC, or the code of the refusal.

    Taken are Unix seconds (integer, fraction, or either as text) and ISO 8601, where no zone means UTC; nothing given
    is the moment of receipt. Only the years 2000 to 2099 are taken: whatever lies outside was meant in another unit.
    """
    if value is None:
        return received_at
    if type(value) is int:
        return datetime.fromtimestamp(value, UTC) if _FIRST_SECOND <= value < _END_SECOND else OUT_OF_RANGE
    if isinstance(value, float | Decimal):
        return _from_seconds(Decimal(repr(value)) if isinstance(value, float) else value)
    if not isinstance(value, str):
        return NO_INSTANT
    return _from_seconds(Decimal(value)) if _DIGITS.fullmatch(value) else _from_iso(value)


def amount(value: Any) -> str | None:
    """Return an amount as plain decimal text, nothing for nothing, and REFUSED for what is no plain decimal."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return REFUSED
    text = value if isinstance(value, str) else _written(value)
    return text if _PLAIN.fullmatch(text) else REFUSED


def _written(value: float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    # The position of the first and the last digit bound the text before it is written.
    if not number.is_finite() or number.adjusted() > MAX_DIGITS or number.as_tuple().exponent < -MAX_DIGITS:  # type: ignore[operator]
        return ""
    return format(number, "f")


def _from_seconds(seconds: Decimal) -> datetime | str:
    if not _FIRST_SECOND <= seconds < _END_SECOND:
        return OUT_OF_RANGE
    return _EPOCH + timedelta(microseconds=math.floor(seconds * 1_000_000))


def _from_iso(text: str) -> datetime | str:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC) if FIRST <= found < END else OUT_OF_RANGE
    except (ValueError, OverflowError):
        return NO_INSTANT


def _value(fields: Mapping[str, msgspec.Raw], name: str) -> Any:
    raw = fields.get(name)
    if raw is None:
        return None
    try:
        return _anything.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return _Unreadable


class _Unreadable:
    """Stands for a value that is no valid JSON: broken text, or a number without bounds."""


def _text(value: Any) -> tuple[str, str]:
    """Return the text and no code, or the code of the refusal."""
    if value is None or value == "":
        return "", MANDATORY
    if not isinstance(value, str) or "\x00" in value:
        return "", WRONG
    return (value, "") if len(value) <= MAX_LENGTH else ("", TOO_LONG)


def _properties(raw: msgspec.Raw) -> str:
    """Return the code of what is wrong with properties, or nothing."""
    if len(raw) > MAX_PROPERTIES_BYTES:
        return TOO_LONG
    content = _value({"properties": raw}, "properties")
    if content is None:
        return ""
    return _tree(content) if isinstance(content, dict) else WRONG


def _tree(content: dict[str, Any]) -> str:
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for value in level:
            code = _leaf(value)
            if code:
                return code
            if isinstance(value, dict):
                if any("\x00" in key for key in value):
                    return WRONG
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return ""
        level = below
    return TOO_DEEP


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        return WRONG if "\x00" in value else ""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return ""
    number = Decimal(value)
    # The position of the first digit: beyond the bounds a few letters of JSON would fill pages of plain digits.
    return "" if number.is_finite() and abs(number.adjusted()) <= MAX_DIGITS else OUT_OF_RANGE

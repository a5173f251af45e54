"""What engineers may note on an object of the catalogue, by key. Owns how many notes there are at most, and how long
they may be; where they are kept is the object's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.kernel import errors

MOST, LONGEST_KEY, LONGEST_VALUE = 50, 100, 255

Notes = Mapping[str, str | None]


class InvalidNotes(errors.Invalid):
    """There are too many notes, or one is too long or no text."""


def checked(raw: Mapping[str, Any]) -> dict[str, str | None]:
    """Return notes as they are kept: texts, or nothing, by key. Numbers become text.

    At most 50 of them, keys of 1 to 100 characters, values of at most 255. Raises InvalidNotes (``metadata``).
    """
    if len(raw) > MOST:
        raise _refused("invalid_count")
    return {_key(key): _value(value) for key, value in raw.items()}


def _key(key: str) -> str:
    if not key.strip():
        raise _refused("value_is_mandatory")
    if len(key) > LONGEST_KEY:
        raise _refused("value_is_too_long")
    return key


def _value(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise _refused("value_is_invalid")
    if isinstance(value, int) and abs(value) >= 10**LONGEST_VALUE:
        raise _refused("value_is_too_long")
    text = str(value)
    if len(text) > LONGEST_VALUE:
        raise _refused("value_is_too_long")
    return text


def _refused(code: str) -> InvalidNotes:
    return InvalidNotes("validation_errors", "The metadata are not valid.", {"metadata": [code]})

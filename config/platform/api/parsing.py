"""Request bodies. Owns which JSON is let in at all: what no field and no column could hold is refused here.

Strings with a null character or half a surrogate pair cannot be stored as text, infinite numbers are no JSON, and deep
nesting only serves to exhaust the reader. The ingestion of events has a decoder of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from rest_framework import exceptions
from rest_framework.parsers import JSONParser

MAX_DEPTH = 32


class StrictJsonParser(JSONParser):
    """JSON in UTF-8, finite, storable and of sane depth."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read the body; an empty one is an empty object. Raises ParseError with the reason."""
        raw = stream.read()
        if not raw.strip():
            return {}
        try:
            content = json.loads(raw.decode("utf-8"), parse_constant=_no_constant)
        except RecursionError as error:
            raise exceptions.ParseError("the JSON is nested too deeply") from error
        except UnicodeDecodeError as error:
            raise exceptions.ParseError("the body is not UTF-8") from error
        except ValueError as error:
            raise exceptions.ParseError(f"the body is not JSON: {_reason(error)}") from error
        check(content)
        return content


def check(content: Any) -> None:
    """Raise ParseError if anything in decoded JSON cannot be stored: nesting, null characters, surrogates, infinity."""
    level: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            _check_value(value, below)
        if not below:
            return
        level = below
    raise exceptions.ParseError("the JSON is nested too deeply")


def storable(text: str) -> bool:
    """Say whether PostgreSQL can hold the text: no null character, no lone surrogate."""
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and the infinities, which JSON does not have


def _check_value(value: Any, below: list[Any]) -> None:
    if isinstance(value, str):
        _check_text([value])
    elif isinstance(value, float) and not math.isfinite(value):
        raise exceptions.ParseError("a number is out of range")
    elif isinstance(value, dict):
        _check_text(value)
        below.extend(value.values())
    elif isinstance(value, list):
        below.extend(value)


def _check_text(texts: Iterable[str]) -> None:
    if not all(storable(text) for text in texts):
        raise exceptions.ParseError("a text has a null character or half a surrogate pair")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "a number is out of range"

"""Codes of refused input. Owns the translation of the framework's validation codes to those that API clients know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KNOWN = {
    "required": "value_is_mandatory",
    "null": "value_is_mandatory",
    "blank": "value_is_mandatory",
    "empty": "value_is_mandatory",
    "max_length": "value_is_too_long",
    "max_string_length": "value_is_too_long",
    "string_too_long": "value_is_too_long",
    "min_length": "value_is_too_short",
    "min_value": "value_is_out_of_range",
    "max_value": "value_is_out_of_range",
    "max_digits": "value_is_out_of_range",
    "max_decimal_places": "value_is_out_of_range",
    "max_whole_digits": "value_is_out_of_range",
    "overflow": "value_is_out_of_range",
    "unique": "value_already_exist",
    "not_a_list": "must_be_an_array",
    "not_a_dict": "value_is_invalid",
    "invalid": "value_is_invalid",
    "invalid_choice": "value_is_invalid",
    "date": "invalid_date",
    "datetime": "invalid_date",
    "make_aware": "invalid_date",
}
"""Codes that are missing here are those that clients know already, and are passed on."""

BASE = "base"


def known(code: str) -> str:
    """Translate one code."""
    return KNOWN.get(code, code)


def flat(found: Any) -> dict[str, list[str]]:
    """Bring nested codes into one level: {"charges": [{}, {"code": ["required"]}]} is {"charges.1.code": [...]}.

    What concerns no single field comes under ``base``; each code of a field is named once.
    """
    details: dict[str, list[str]] = {}
    for path, code in _walk(found, ()):
        named = details.setdefault(".".join(path) or BASE, [])
        if code not in named:
            named.append(code)
    return details


def _walk(found: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(found, dict):
        for key, inner in found.items():
            yield from _walk(inner, path if key == "non_field_errors" else (*path, str(key)))
    elif isinstance(found, list):
        for position, inner in enumerate(found):
            yield from _walk(inner, (*path, str(position)) if isinstance(inner, dict) else path)
    else:
        yield path, known(str(found))

"""How fields and parameters come to their descriptions. Owns the rules: what a name says by itself, and the unit that
follows from a name or a format. The words are in `glossary`; what a serializer says (``help_text``) goes before them.
"""

from __future__ import annotations

import re
from typing import Any

from config.platform.api import glossary

INSTANT_OUT = "ISO 8601 in UTC."
INSTANT_IN = "ISO 8601; read as UTC without a zone."
DAY = "A local date, `YYYY-MM-DD`."
CENTS = "In minor units of the currency."

_NAMES: tuple[tuple[str, str], ...] = (
    (r"lago_(\w+)_ids", "Ids of the {0}s (UUIDs)."),
    (r"lago_(\w+)_id", "Id of the {0} (UUID)."),
    (r"external_(\w+)_ids", "Your own ids of the {0}s."),
    (r"external_(\w+)_id", "Your own id of the {0}."),
    (r"(\w+)_codes", "Codes of the {0}s."),
    (r"(\w+)_code", "Code of the {0}."),
    (r"(\w+)_numbers", "Numbers of the {0}s."),
    (r"(\w+)_ids", "Ids of the {0}s (UUIDs)."),
    (r"(\w+)_count", "How many {0}."),
    (r"(\w+)_name", "Name of the {0}."),
)
"""What is said by names of these forms."""

_LISTED = "The {0}."
_RETURNED = re.compile(r"^Return (\w)")
_NO_DAYS = {"add_on", "grant_on"}


def describe(component: str, schema: dict[str, Any]) -> None:
    """Give every field of a component its description, in place, with its unit; nested ones too."""
    is_request = component.endswith(("Request", "Body"))
    for name, field in schema.get("properties", {}).items():
        text = field.get("description") or _word(component, name, field)
        if text:
            text = _RETURNED.sub(lambda found: found.group(1).upper(), text)
            field["description"] = _with_unit(name, field, text, is_request=is_request)
        _limit(component, name, field)
        describe(component, field)
        describe(component, _inner(field))


def _limit(component: str, name: str, field: dict[str, Any]) -> None:
    """Name the values of a text that has only some, in place; none where the field says which itself."""
    key = f"{component.removesuffix('Request')}.{name}"
    values = glossary.VALUES.get(key) or glossary.VALUES.get(name)
    if values and field.get("type") in ("string", ["string", "null"]) and not {"enum", "const"} & set(field):
        field["enum"] = [*values, *([None] if "null" in field["type"] else [])]


def describe_parameter(parameter: dict[str, Any]) -> None:
    """Give a parameter its description, in place; what the view says goes first."""
    name = parameter["name"].removesuffix("[]")
    if not parameter.get("description"):
        words = glossary.PARAMETERS
        found = words.get(f"{parameter['in']}.{name}") or words.get(name) or _by_name(name)
        if found:
            parameter["description"] = found


def _word(component: str, name: str, field: dict[str, Any]) -> str:
    for key in (f"{component}.{name}", f"{component.removesuffix('Request')}.{name}", name):
        if key in glossary.FIELDS:
            return glossary.FIELDS[key]
    return _by_name(name) or (_LISTED.format(_plain(name)) if _is_part(field) else "")


def _by_name(name: str) -> str:
    for pattern, text in _NAMES:
        match = re.fullmatch(pattern, name)
        if match:
            return text.format(_plain(match.group(1)))
    return ""


def _with_unit(name: str, field: dict[str, Any], text: str, *, is_request: bool) -> str:
    unit = _unit(name, field, is_request=is_request)
    return f"{text} {unit}" if unit and not _has_unit(text) else text


def _unit(name: str, field: dict[str, Any], *, is_request: bool) -> str:
    if name.endswith("_cents"):
        return CENTS
    formats = {field.get("format"), _inner(field).get("format"), *(part.get("format") for part in _parts(field))}
    if "date-time" in formats or name.endswith("_at"):
        return INSTANT_IN if is_request else INSTANT_OUT
    if "date" in formats or (name.endswith(("_date", "_on")) and name not in _NO_DAYS):
        return DAY
    return ""


def _has_unit(text: str) -> bool:
    return any(word in text for word in ("minor units", "hundredths", "UTC", "YYYY-MM-DD", "_period`"))


def _parts(field: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for key in ("anyOf", "oneOf", "allOf") for part in field.get(key, []) if isinstance(part, dict)]


def _inner(field: dict[str, Any]) -> dict[str, Any]:
    found = field.get("items")
    return found if isinstance(found, dict) else {}


def _is_part(field: dict[str, Any]) -> bool:
    return "$ref" in field or "$ref" in _inner(field) or any("$ref" in part for part in _parts(field))


def _plain(name: str) -> str:
    return name.replace("_", " ")

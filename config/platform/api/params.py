"""Query parameters of lists. Owns how filters are read from an address; which filters a list has is its view's.

An unreadable filter is refused with 422 under its name: another list than the one asked for would mislead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from rest_framework.request import Request

from config.kernel import errors
from config.platform.api import serializers

MAX_PAIRS = 5
"""As many as an object has notes. Each costs the database a search of its own."""

_YES, _NO = {"true", "1", "yes", "on", "t"}, {"false", "0", "no", "off", "f"}


def text(request: Request, name: str) -> str | None:
    """Return a text, or None where the parameter is absent or empty."""
    return request.query_params.get(name) or None


def texts(request: Request, name: str, *, allowed: Sequence[str] | None = None) -> list[str]:
    """Return a list given as ``name[]=a&name[]=b`` or ``name=a``. Raises Invalid for a value that is not allowed."""
    found = [value for key in (f"{name}[]", name) for value in request.query_params.getlist(key) if value]
    if allowed is not None and not set(found) <= set(allowed):
        raise _refused(name, "value_is_invalid")
    return list(dict.fromkeys(found))


def pairs(request: Request, name: str) -> dict[str, str]:
    """Return what was given as ``name[key]=value``, by key. Raises Invalid for more than `MAX_PAIRS`."""
    prefix = f"{name}["
    given = request.query_params.items()
    found = {key[len(prefix) : -1]: value for key, value in given if key.startswith(prefix) and key.endswith("]")}
    if len(found) > MAX_PAIRS:
        raise _refused(name, "invalid_count")
    return found


def flag(request: Request, name: str) -> bool | None:
    """Return yes or no, or None where the parameter is absent. Raises Invalid."""
    given = text(request, name)
    if given is None:
        return None
    if given.lower() in _YES | _NO:
        return given.lower() in _YES
    raise _refused(name, "value_is_invalid")


def whole(request: Request, name: str) -> int | None:
    """Return an integer such as an amount in minor units, or None where the parameter is absent. Raises Invalid."""
    given = text(request, name)
    if given is None:
        return None
    found = serializers.plain_decimal(given)
    if found is None or found != found.to_integral_value() or abs(found) > serializers.MAX_MINOR:
        raise _refused(name, "value_is_invalid")
    return int(found)


def day(request: Request, name: str) -> date | None:
    """Return a date, or None where the parameter is absent. An instant stands for its UTC day. Raises Invalid."""
    found = instant(request, name, code="invalid_date")
    return None if found is None else found.date()


def instant(request: Request, name: str, *, code: str = "invalid_date") -> datetime | None:
    """Return an instant (ISO 8601, no zone is UTC), or None where the parameter is absent. Raises Invalid."""
    given = text(request, name)
    if given is None:
        return None
    found = serializers.instant(given.replace(" ", "+") if "T" in given else given)  # a plus sign not percent-encoded
    if found is None:
        raise _refused(name, code)
    return found


def uuid(value: str) -> UUID | None:
    """Read the public id of a path or parameter. None for anything else, which then names nothing."""
    try:
        return UUID(value) if len(value) in (32, 36) else None
    except ValueError:
        return None


def _refused(name: str, code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", f"The parameter {name} is not valid.", {name: [code]})

"""Groups of usage that are shown apart but priced as one. Owns reading the names of the properties, by whose values the
units of a fee are broken down, from a charge's or filter's properties. What is priced apart are the groups' own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.kernel import errors

KEY = "presentation_group_keys"
MAX_KEYS = 2
MAX_LENGTH = 255


class InvalidPresentation(errors.Invalid):
    """The properties to break usage down by are not a short list of names."""


@dataclass(frozen=True, slots=True)
class PresentationKey:
    """A property of events by whose values units are shown, in the API and, where asked for, on invoices too."""

    name: str
    display_in_invoice: bool = False


def parse(raw: Mapping[str, object]) -> tuple[PresentationKey, ...]:
    """Return the properties to break usage down by, in their order; none where usage is not broken down.

    An entry is a name, or an object of a name (`value`) and options. Raises InvalidPresentation under `properties`:
    `invalid_type` for what is neither, `value_is_duplicated`, `too_many_keys` for more than two.
    """
    given = raw.get(KEY)
    if not given:
        return ()
    if not isinstance(given, list | tuple):
        raise _refused("invalid_type")
    found = tuple(_key(entry) for entry in given)
    if len(found) > MAX_KEYS:
        raise _refused("too_many_keys")
    if len({key.name for key in found}) < len(found):
        raise _refused("value_is_duplicated")
    return found


def written(keys: tuple[PresentationKey, ...]) -> list[dict[str, object]]:
    """Write the properties to break usage down by the way `parse` reads them, in one form."""
    return [{"value": key.name, "options": {"display_in_invoice": key.display_in_invoice}} for key in keys]


def _key(entry: object) -> PresentationKey:
    if isinstance(entry, str):
        return PresentationKey(_name(entry))
    if not isinstance(entry, Mapping):
        raise _refused("invalid_type")
    options = entry.get("options")
    if options is not None and not isinstance(options, Mapping):
        raise _refused("invalid_type")
    shown = (options or {}).get("display_in_invoice")
    if shown is not None and not isinstance(shown, bool):
        raise _refused("invalid_type")
    return PresentationKey(_name(entry.get("value")), bool(shown))


def _name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_LENGTH or "\x00" in name:
        raise _refused("invalid_type")
    return name


def _refused(code: str) -> InvalidPresentation:
    return InvalidPresentation("invalid_presentation", f"The breakdown is wrong: {code}.", {"properties": [code]})

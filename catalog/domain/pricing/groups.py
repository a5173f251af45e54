"""Groups of usage that are priced apart: the properties of events by whose values a price starts anew. Owns reading the
names of these properties from a charge's or filter's properties.
"""

from __future__ import annotations

from collections.abc import Mapping

from config.kernel import errors

KEY = "pricing_group_keys"
LEGACY_KEY = "grouped_by"
MAX_KEYS = 10
MAX_LENGTH = 255


class InvalidGroups(errors.Invalid):
    """The properties to group by are not a short list of names."""


def parse(raw: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the properties to group by, in their order, each once; none where usage is not grouped.

    The old name of the setting is read where the new one is not given. Raises InvalidGroups under `properties`.
    """
    given = raw.get(KEY) or raw.get(LEGACY_KEY)
    if not given:
        return ()
    if not isinstance(given, list | tuple) or not all(_is_name(name) for name in given):
        raise _refused("invalid_type")
    found = tuple(dict.fromkeys(given))
    if len(found) > MAX_KEYS:
        raise _refused("value_is_too_long")
    return found


def nowhere(raw: Mapping[str, object]) -> dict[str, str | None]:
    """Return the group of what has none of these properties, which no usage at all belongs to as well."""
    return dict.fromkeys(parse(raw))


def mirrored(raw: Mapping[str, object]) -> dict[str, object]:
    """Return properties with the setting under its old name too, as clients of either name know it."""
    return {**raw, LEGACY_KEY: raw[KEY]} if raw.get(KEY) else dict(raw)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= MAX_LENGTH and "\x00" not in name


def _refused(code: str) -> InvalidGroups:
    return InvalidGroups("invalid_groups", f"The groups are wrong: {code}.", {"properties": [code]})

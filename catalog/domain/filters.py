"""Charge filters: other prices for the events whose properties have certain values. Owns matching and checking.

Each event belongs to one filter or to none (the charge's own price), so that no event is billed twice. Matching works
on the values of the few properties that the filters name, so it can be done once per distinct combination of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config.kernel import errors

ALL_VALUES = "__ALL_FILTER_VALUES__"
MAX_VALUES = 1000
MAX_LENGTH = 255

Id = int | str


@dataclass(frozen=True, slots=True)
class Filter:
    """The values that an event's properties must have, by property; `id` is whatever the caller knows the filter by."""

    id: Id
    values: Mapping[str, frozenset[str]]

    @property
    def combinations(self) -> int:
        """Return how many combinations of values the filter accepts."""
        return math.prod(len(accepted) for accepted in self.values.values())

    def accepts(self, properties: Mapping[str, str | None]) -> bool:
        """Say whether every property that the filter names has one of its values."""
        return all(properties.get(name) in accepted for name, accepted in self.values.items())


def resolve(*, filter_id: Id, values: Mapping[str, Sequence[str]], declared: Mapping[str, Sequence[str]]) -> Filter:
    """Return a stored filter ready to match: `__ALL_FILTER_VALUES__` becomes the values that the metric declares."""
    found = {}
    for name, accepted in values.items():
        everything = declared.get(name, ()) if ALL_VALUES in accepted else ()
        found[name] = frozenset(value for value in (*accepted, *everything) if value != ALL_VALUES)
    return Filter(filter_id, found)


def names(filters: Iterable[Filter]) -> tuple[str, ...]:
    """Return the properties that decide about the filter, in a stable order: what usage has to be grouped by."""
    return tuple(sorted({name for filter_ in filters for name in filter_.values}))


def in_order(filters: Sequence[Filter]) -> list[Filter]:
    """Sort filters, given oldest first, by precedence: more properties, then fewer combinations, then older."""
    return sorted(filters, key=lambda filter_: (-len(filter_.values), filter_.combinations))


def assign(*, filters: Sequence[Filter], properties: Mapping[str, str | None]) -> Id | None:
    """Return the id of the one filter that an event with these properties belongs to, or nothing for the charge itself.

    Filters are given oldest first. Property values are text as `as_text` writes it; a missing property matches no
    filter that names it. Filters without any value take nothing.
    """
    for filter_ in in_order(filters):
        if filter_.values and filter_.accepts(properties):
            return filter_.id
    return None


def as_text(value: object) -> str | None:
    """Write the value of an event's property as filters compare it: as in JSON, text without its quotes."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def declare(raw: object) -> dict[str, tuple[str, ...]]:
    """Read the filters of a metric, `[{"key", "values"}]`, as sorted values by key.

    Raises Invalid with the code under `filters`: the form is wrong, a key or a list of values is missing or comes
    twice.
    """
    if raw is None:
        return {}
    if not isinstance(raw, list | tuple) or not all(isinstance(row, Mapping) for row in raw):
        raise _refusal("filters", "value_is_invalid")
    declared: dict[str, tuple[str, ...]] = {}
    for row in raw:
        key, values = row.get("key"), row.get("values")
        if not isinstance(key, str) or not key or len(key) > MAX_LENGTH or key in declared:
            raise _refusal("filters", "value_is_invalid")
        if not values:
            raise _refusal("filters", "value_is_mandatory")
        if not _are_values(values) or ALL_VALUES in values:
            raise _refusal("filters", "value_is_invalid")
        declared[key] = tuple(sorted(set(values)))
    return declared


def check(*, raw: object, declared: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Read the values of a charge filter, `{key: [value, ...]}`, against what the metric declares.

    Raises Invalid with the code under `values`: nothing given, a key or value that the metric does not declare.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise _refusal("values", "value_is_mandatory")
    values: dict[str, list[str]] = {}
    for key, accepted in raw.items():
        if key not in declared or not _are_values(accepted):
            raise _refusal("values", "value_is_invalid")
        if not accepted:
            raise _refusal("values", "value_is_mandatory")
        if not set(accepted) <= {*declared[key], ALL_VALUES}:
            raise _refusal("values", "value_is_invalid")
        values[key] = list(dict.fromkeys(accepted))
    return values


def _are_values(values: object) -> bool:
    return (
        isinstance(values, list | tuple)
        and len(values) <= MAX_VALUES
        and all(isinstance(value, str) and 0 < len(value) <= MAX_LENGTH for value in values)
    )


def _refusal(field: str, code: str) -> errors.Invalid:
    return errors.Invalid("invalid_filters", f"The filters are wrong: {code}.", {field: [code]})

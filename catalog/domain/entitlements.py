"""What somebody may use, as values: features with their privileges. Owns what a subscription has beside its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.domain.privileges import Definition, Value


@dataclass(frozen=True, slots=True)
class Granted:
    """A privilege and its value: the plan's, or another in its place. ``None`` is no value."""

    definition: Definition
    plan_value: Value | None
    override: Value | None = None

    @property
    def value(self) -> Value | None:
        """What counts."""
        return self.plan_value if self.override is None else self.override


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A feature that somebody may use."""

    code: str
    name: str
    description: str
    privileges: tuple[Granted, ...]

    @property
    def overrides(self) -> Mapping[str, Value]:
        """The values in place of the plan's, by privilege."""
        return {one.definition.code: one.override for one in self.privileges if one.override is not None}

"""Reading which features and values somebody asks to be given. Owns the locks on the features while values are set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from catalog.domain import privileges
from catalog.domain.privileges import Value
from catalog.models import Feature, Privilege
from catalog.queries import features
from config.kernel import db, errors

Asked = Mapping[str, Mapping[str, object]]
"""Values by privilege code, by feature code."""


@dataclass(frozen=True, slots=True)
class FeatureValues:
    """A feature and the values of its privileges; ``None`` takes a value back where that is allowed."""

    feature: Feature
    values: tuple[tuple[Privilege, Value | None], ...]


def read(*, asked: Asked, may_take_back: bool = False) -> tuple[FeatureValues, ...]:
    """Lock the features asked for and read the values. Needs a transaction.

    Nobody can retire a feature or an option while it is given. Raises NotFound (`feature_not_found`,
    `privilege_not_found`), Invalid under ``<privilege code>_privilege_value``.
    """
    rows = db.lock(Feature.objects.filter(code__in=list(asked), deleted_at__isnull=True))
    by_code = {row.code: row for row in rows}
    found = []
    for code, values in asked.items():
        if code not in by_code:
            raise errors.NotFound("feature_not_found", f"There is no feature {code}.")
        found.append(FeatureValues(by_code[code], _values(by_code[code], values, may_take_back=may_take_back)))
    return tuple(found)


def _values(
    feature: Feature, values: Mapping[str, object], *, may_take_back: bool
) -> tuple[tuple[Privilege, Value | None], ...]:
    known = {row.code: row for row in features.privileges(feature)} if values else {}
    found: list[tuple[Privilege, Value | None]] = []
    for code, value in values.items():
        privilege = known.get(code)
        if privilege is None:
            raise errors.NotFound("privilege_not_found", f"{feature.code} has no privilege {code}.")
        if value is None and may_take_back:
            found.append((privilege, None))
            continue
        found.append((privilege, privileges.parse(definition=features.definition(privilege), value=value)))
    return tuple(found)

"""Features: making, changing and retiring them and their privileges.

A feature or privilege that was retired is given by nobody any more, whatever plans and subscriptions said of it. The
type of a privilege stays what it is, and an option stays while somebody has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from catalog.domain import privileges
from catalog.domain.privileges import Definition, ValueType
from catalog.models import Feature, Privilege
from catalog.queries import features
from catalog.services import webhook_types
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, outbox, uniqueness

MAX_PRIVILEGES = 200
NAMES = ("name", "description")


class FeatureValues(TypedDict, total=False):
    """What a feature is made of. ``privileges`` are ``{"code", "name", "value_type", "config"}``."""

    code: str
    name: str
    description: str
    privileges: Sequence[Mapping[str, Any]]


@transaction.atomic
def create(*, values: FeatureValues, actor: Actor, at: datetime) -> Feature:
    """Make a feature. Raises Invalid for a taken code and for wrong privileges (``privilege.code`` and the like)."""
    declared = privileges.define_all(_few(values.get("privileges", ())))
    feature = Feature(code=values["code"], created_at=at, **{name: values.get(name, "") for name in NAMES})
    with uniqueness.told(catalog_feature_code="code"):
        feature.save(force_insert=True)
    for definition in declared:
        _add(feature, definition, at)
    audit.record(actor=actor, at=at, verb="create", instance=feature, new={"code": feature.code, **_shown(feature)})
    outbox.record(webhook_types.FEATURE_CREATED, [feature], at=at)
    return features.by_code(code=feature.code)


@transaction.atomic
def update(*, code: str, values: FeatureValues, actor: Actor, at: datetime) -> Feature:
    """Change what ``values`` holds. The code stays.

    Privileges are found by their code: known ones are changed by what is sent of them, others are made; absent ones are
    kept. Raises NotFound (`feature_not_found`), Invalid as `create`, for another type (``privilege.value_type``:
    `modification_not_allowed`) and for an option that is gone but given to somebody (``privilege.config``:
    `value_in_use`).
    """
    feature = _lock(code)
    before = _shown(feature)
    names = [name for name in NAMES if name in values]
    for name in names:
        setattr(feature, name, values[name])
    feature.save(update_fields=names or ["name"])
    if "privileges" in values:
        _declare(feature, _few(values["privileges"]), at)
    _note(feature, before, actor, at)
    return features.by_code(code=code)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> Feature:
    """Retire a feature: nobody has it any more. Its code may be used again. Raises NotFound (`feature_not_found`)."""
    shown = features.by_code(code=code)
    feature = _lock(code)
    feature.deleted_at = at
    feature.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=feature)
    outbox.record(webhook_types.FEATURE_DELETED, [feature], at=at)
    return shown


@transaction.atomic
def delete_privilege(*, code: str, privilege_code: str, actor: Actor, at: datetime) -> Feature:
    """Retire a privilege: nobody has a value of it any more. Raises NotFound (`feature_`, `privilege_not_found`)."""
    feature = _lock(code)
    before = _shown(feature)
    found = next((row for row in features.privileges(feature) if row.code == privilege_code), None)
    if found is None:
        raise errors.NotFound("privilege_not_found", f"{code} has no privilege {privilege_code}.")
    found.deleted_at = at
    found.save(update_fields=["deleted_at"])
    _note(feature, before, actor, at)
    return features.by_code(code=code)


def _lock(code: str) -> Feature:
    return db.lock_one(Feature.objects.filter(pk=features.by_code(code=code).pk))


def _few(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if len(rows) > MAX_PRIVILEGES:
        raise errors.Invalid("validation_errors", "Too many privileges.", {"privileges": ["value_is_too_long"]})
    return rows


def _add(feature: Feature, definition: Definition, at: datetime) -> None:
    Privilege.objects.create(
        feature=feature,
        code=definition.code,
        name=definition.name,
        value_type=definition.value_type,
        select_options=list(definition.options),
        created_at=at,
    )


def _declare(feature: Feature, rows: Sequence[Mapping[str, Any]], at: datetime) -> None:
    known = {row.code: row for row in features.privileges(feature)}
    for definition in privileges.define_all([_completed(raw, known) for raw in rows]):
        if definition.code in known:
            _change(known[definition.code], definition)
        else:
            _add(feature, definition, at)


def _completed(raw: Mapping[str, Any], known: Mapping[str, Privilege]) -> Mapping[str, Any]:
    """Add to what is sent of a known privilege what is not sent of it."""
    code = raw.get("code")
    before = known.get(code) if isinstance(code, str) else None
    if before is None:
        return raw
    kind = raw.get("value_type")
    if kind is not None and kind != before.value_type:
        code_of_refusal = (
            "modification_not_allowed" if isinstance(kind, str) and kind in set(ValueType) else "value_is_invalid"
        )
        details = {"privilege.value_type": [code_of_refusal]}
        raise errors.Invalid("validation_errors", f"The type of {code} stays what it is.", details)
    definition = features.definition(before)
    content = {"code": code, "name": definition.name, "value_type": before.value_type, "config": definition.config}
    return {**content, **{name: value for name, value in raw.items() if value is not None}}


def _change(privilege: Privilege, definition: Definition) -> None:
    gone = set(privilege.select_options) - set(definition.options)
    if gone and gone & features.used_values(privilege):
        message = f"Somebody has an option of {privilege.code} that would be gone."
        raise errors.Invalid("validation_errors", message, {"privilege.config": ["value_in_use"]})
    privilege.name, privilege.select_options = definition.name, list(definition.options)
    privilege.save(update_fields=["name", "select_options"])


def _shown(feature: Feature) -> dict[str, Any]:
    rows = features.privileges(feature)
    declared = [
        {"code": row.code, "name": row.name, "value_type": row.value_type, "select_options": row.select_options}
        for row in rows
    ]
    return {"name": feature.name, "description": feature.description, "privileges": declared}


def _note(feature: Feature, before: dict[str, Any], actor: Actor, at: datetime) -> None:
    after = _shown(feature)
    new = {key: value for key, value in after.items() if value != before[key]}
    if new:
        old = {key: before[key] for key in new}
        audit.record(actor=actor, at=at, verb="update", instance=feature, old=old, new=new)
        outbox.record(webhook_types.FEATURE_UPDATED, [feature], at=at)

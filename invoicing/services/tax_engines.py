"""Tax engines of sellers: making, changing and switching them off. What they are asked is `tax_waits`'."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness
from customers.domain import profiles
from customers.queries import billing_entities
from invoicing.models import TaxEngine

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_FIELDS = ("code", "url", "token", "is_active")


class EngineValues(TypedDict, total=False):
    """A tax engine. ``token`` is written, never read; absent keys leave things as they are."""

    billing_entity_code: str
    code: str
    url: str
    token: str
    is_active: bool


@transaction.atomic
def create(*, values: EngineValues, actor: Actor, at: datetime) -> TaxEngine:
    """Give a seller a tax engine: its invoices wait for it from now on. Raises Invalid per field, NotFound."""
    seller = billing_entities.by_code(code=values.get("billing_entity_code", ""))
    content = {field: values[field] for field in _FIELDS if field in values}  # type: ignore[literal-required]
    _demand({"code": "", "url": "", **content})
    engine = TaxEngine(billing_entity=seller, created_at=at, updated_at=at, **content)
    with uniqueness.told(
        invoicing_taxengine_code_key="code", invoicing_taxengine_billing_entity_id_key="billing_entity_code"
    ):
        engine.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="create", instance=engine, new=_shown(content))
    return engine


@transaction.atomic
def update(*, code: str, values: EngineValues, actor: Actor, at: datetime) -> TaxEngine:
    """Change an engine, or switch it off and on. What waits for it goes on waiting. Raises as `create`."""
    engine = db.lock_one(TaxEngine.objects.filter(pk=by_code(code=code).pk))
    given = {field: values[field] for field in _FIELDS if field in values}  # type: ignore[literal-required]
    _demand(given)
    new = {field: value for field, value in given.items() if getattr(engine, field) != value}
    if not new:
        return engine
    old = {field: getattr(engine, field) for field in new}
    for field, value in new.items():
        setattr(engine, field, value)
    engine.updated_at = at
    with uniqueness.told(invoicing_taxengine_code_key="code"):
        engine.save(update_fields=[*new, "updated_at"])
    audit.record(actor=actor, at=at, verb="update", instance=engine, old=_shown(old), new=_shown(new))
    return engine


def by_code(*, code: str) -> TaxEngine:
    """Return an engine. Raises NotFound (`tax_engine_not_found`)."""
    found = TaxEngine.objects.select_related("billing_entity").filter(code=code).first()
    if found is None:
        raise errors.NotFound("tax_engine_not_found", f"There is no tax engine {code}.")
    return found


def _demand(values: Mapping[str, Any]) -> None:
    details = profiles.check({field: value for field, value in values.items() if field == "url"})
    for field in ("code", "url"):
        if field in values and not values[field]:
            details[field] = ["value_is_mandatory"]
    if values.get("code") and not _CODE.fullmatch(values["code"]):
        details["code"] = ["value_is_invalid"]
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the token out of the trail."""
    return {field: "changed" if field == "token" else value for field, value in values.items()}

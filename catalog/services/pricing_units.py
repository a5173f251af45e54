"""Pricing units: making and changing them. What one is worth is agreed by each charge that is priced in it.

They are never retired: invoices that were priced in one name it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from catalog.models import PricingUnit
from catalog.queries import pricing_units
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness

SHORT = 3
"""The most letters of a short name, which stands beside figures."""


class PricingUnitValues(TypedDict, total=False):
    """What a pricing unit is made of."""

    code: str
    name: str
    short_name: str
    description: str


@transaction.atomic
def create(*, values: PricingUnitValues, actor: Actor, at: datetime) -> PricingUnit:
    """Make a pricing unit. Raises Invalid for a taken code."""
    with uniqueness.told(catalog_pricing_unit_code="code"):
        unit = PricingUnit.objects.create(**values, created_at=at)
    audit.record(actor=actor, at=at, verb="create", instance=unit, new=values)
    return unit


@transaction.atomic
def update(*, code: str, values: PricingUnitValues, actor: Actor, at: datetime) -> PricingUnit:
    """Change what ``values`` holds; without a difference nothing is written.

    Once a charge is priced in it the code stays (`modification_not_allowed`). Raises NotFound, Invalid as `create`.
    """
    unit = db.lock_one(PricingUnit.objects.filter(pk=pricing_units.by_code(code=code).pk))
    new: dict[str, Any] = {field: value for field, value in values.items() if getattr(unit, field) != value}
    if not new:
        return unit
    if "code" in new and pricing_units.is_priced(unit):
        raise errors.Invalid(
            "validation_errors", "Charges are priced in it: its code stays.", {"code": ["modification_not_allowed"]}
        )
    old = {field: getattr(unit, field) for field in new}
    for field, value in new.items():
        setattr(unit, field, value)
    with uniqueness.told(catalog_pricing_unit_code="code"):
        unit.save(update_fields=list(new))
    audit.record(actor=actor, at=at, verb="update", instance=unit, old=old, new=new)
    return unit

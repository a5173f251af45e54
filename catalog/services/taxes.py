"""Taxes: making, changing, retiring them. Which customers and sellers they apply to is the customers app's.

Issued documents keep the rate they were issued with; a change reaches what is billed from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction

from catalog.models import AddOn, Charge, FixedCharge, MinimumCommitment, PlanVersion, Tax
from catalog.queries import taxes
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness


class TaxValues(TypedDict, total=False):
    """What a tax is made of; ``rate`` is a fraction (0.19)."""

    code: str
    name: str
    description: str
    rate: Decimal
    legal_note: str


@transaction.atomic
def create(*, values: TaxValues, actor: Actor, at: datetime) -> Tax:
    """Make a tax. Raises Invalid for a code that another tax has or a rate outside 0 to 1."""
    _check(values)
    with uniqueness.told(catalog_tax_code="code"):
        tax = Tax.objects.create(**values, created_at=at)
    audit.record(actor=actor, at=at, verb="create", instance=tax, new=values)
    return tax


@transaction.atomic
def update(*, code: str, values: TaxValues, actor: Actor, at: datetime) -> Tax:
    """Change what ``values`` holds; without a difference nothing is written. Raises NotFound, Invalid as `create`."""
    _check(values)
    tax = db.lock_one(Tax.objects.filter(pk=taxes.by_code(code=code).pk))
    new: dict[str, Any] = {field: value for field, value in values.items() if getattr(tax, field) != value}
    if not new:
        return tax
    old = {field: getattr(tax, field) for field in new}
    _assign(tax, new)
    with uniqueness.told(catalog_tax_code="code"):
        tax.save(update_fields=list(new))
    audit.record(actor=actor, at=at, verb="update", instance=tax, old=old, new=new)
    return tax


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> Tax:
    """Retire a tax and take it off every price. Its code may be used again. Raises NotFound."""
    tax = db.lock_one(Tax.objects.filter(pk=taxes.by_code(code=code).pk))
    for priced in (PlanVersion, Charge, FixedCharge, AddOn, MinimumCommitment):
        priced.taxes.through.objects.filter(tax=tax).delete()
    tax.deleted_at = at
    tax.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=tax)
    return tax


def _check(values: Mapping[str, Any]) -> None:
    rate = values.get("rate")
    if rate is not None and not 0 <= rate <= 1:
        raise errors.Invalid("validation_errors", "A tax is 0 to 100 %.", {"rate": ["value_is_out_of_range"]})


def _assign(tax: Tax, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        setattr(tax, field, value)

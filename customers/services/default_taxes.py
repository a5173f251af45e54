"""Taxes with the question which sellers apply them. Owns that link; the catalogue owns the taxes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from catalog.models import Tax
from catalog.services import taxes
from catalog.services.taxes import TaxValues
from config.kernel.actors import Actor
from config.platform.services import audit
from customers.models import BillingEntity, Customer
from customers.queries import billing_entities


@transaction.atomic
def create(*, values: TaxValues, applied: bool | None, actor: Actor, at: datetime) -> Tax:
    """Make a tax, applied by the default seller if asked for. Raises as the catalogue's `create`, NotFound unset-up."""
    tax = taxes.create(values=values, actor=actor, at=at)
    _apply(tax, applied=applied, actor=actor, at=at)
    return tax


@transaction.atomic
def update(*, code: str, values: TaxValues, applied: bool | None, actor: Actor, at: datetime) -> Tax:
    """Change a tax; whether the default seller applies it stays as it is when ``applied`` is None. Raises likewise."""
    tax = taxes.update(code=code, values=values, actor=actor, at=at)
    _apply(tax, applied=applied, actor=actor, at=at)
    return tax


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> Tax:
    """Retire a tax and take it off every price, customer and seller. Raises NotFound."""
    tax = taxes.delete(code=code, actor=actor, at=at)
    Customer.taxes.through.objects.filter(tax=tax).delete()
    BillingEntity.taxes.through.objects.filter(tax=tax).delete()
    return tax


@transaction.atomic
def use(*, tax: Tax, entities: Iterable[BillingEntity], actor: Actor, at: datetime) -> None:
    """Let sellers apply a tax beside those that they apply. Doing it again changes nothing."""
    for entity in entities:
        _give(entity, tax, actor=actor, at=at)


def _give(entity: BillingEntity, tax: Tax, *, actor: Actor, at: datetime) -> None:
    if entity.taxes.filter(pk=tax.pk).exists():
        return
    entity.taxes.add(tax)
    audit.record(actor=actor, at=at, verb="apply_tax", instance=entity, new={"tax": tax.code})


def _apply(tax: Tax, *, applied: bool | None, actor: Actor, at: datetime) -> None:
    if applied is None:
        return
    entity = billing_entities.default()
    if applied:
        _give(entity, tax, actor=actor, at=at)
    elif entity.taxes.filter(pk=tax.pk).exists():
        entity.taxes.remove(tax)
        audit.record(actor=actor, at=at, verb="lift_tax", instance=entity, new={"tax": tax.code})

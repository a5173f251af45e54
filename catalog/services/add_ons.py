"""Add-ons: making, changing, retiring them. What plans ask for them is their fixed charges'.

A retired add-on cannot be sold anew; the plans that have it keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db import transaction

from catalog.models import AddOn
from catalog.queries import add_ons
from catalog.services import charge_input
from config.kernel import db, money
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness

NAMES = ("code", "name", "invoice_display_name", "description")


class AddOnValues(TypedDict, total=False):
    """What an add-on is made of. ``amount_cents`` is the price of one, in minor units of ``amount_currency``."""

    code: str
    name: str
    invoice_display_name: str
    description: str
    amount_cents: int
    amount_currency: str
    tax_inclusive: bool
    tax_codes: Sequence[str]


@transaction.atomic
def create(*, values: AddOnValues, actor: Actor, at: datetime) -> AddOn:
    """Make an add-on. Raises Invalid for a taken code or an unknown currency, NotFound (`tax_not_found`)."""
    currency = _currency(values["amount_currency"])
    add_on = AddOn(currency=currency, amount=money.from_minor(values["amount_cents"], currency), created_at=at)
    for name in NAMES:
        setattr(add_on, name, values.get(name, ""))
    add_on.tax_inclusive = values.get("tax_inclusive", False)
    with uniqueness.told(catalog_add_on_code="code"):
        add_on.save(force_insert=True)
    add_on.taxes.set(charge_input.tax_ids(values.get("tax_codes", ())))
    audit.record(actor=actor, at=at, verb="create", instance=add_on, new=values)
    return add_ons.by_code(code=add_on.code)


@transaction.atomic
def update(*, code: str, values: AddOnValues, actor: Actor, at: datetime) -> AddOn:
    """Change what ``values`` holds; without a difference nothing is written. What plans ask for it stays as it is.

    In another currency the amount keeps its minor units unless it is sent too. Raises NotFound (`add_on_not_found`),
    and as `create`.
    """
    add_on = _locked(code)
    currency = _currency(values.get("amount_currency", add_on.amount.currency.code))
    cents = values["amount_cents"] if "amount_cents" in values else money.to_minor(add_on.amount)
    given: dict[str, Any] = {
        **{name: values[name] for name in (*NAMES, "tax_inclusive") if name in values},
        "amount": money.from_minor(cents, currency),
    }
    new = {field: value for field, value in given.items() if getattr(add_on, field) != value}
    old = {field: getattr(add_on, field) for field in new}
    if "amount" in new:
        add_on.currency = currency
    for field, value in new.items():
        setattr(add_on, field, value)
    if new:
        with uniqueness.told(catalog_add_on_code="code"):
            add_on.save(update_fields=[*new, *(["currency"] if "amount" in new else [])])
    if "tax_codes" in values:
        before, after = sorted(tax.pk for tax in add_on.taxes.all()), charge_input.tax_ids(values["tax_codes"])
        if before != list(after):
            add_on.taxes.set(after)
            old["taxes"], new["taxes"] = before, list(after)
    if new:
        audit.record(actor=actor, at=at, verb="update", instance=add_on, old=old, new=new)
    return add_ons.by_code(code=add_on.code)


@transaction.atomic
def delete(*, code: str, actor: Actor, at: datetime) -> AddOn:
    """Retire an add-on; its code may be used again, and plans that sell it keep it. Raises NotFound."""
    add_on = _locked(code)
    found = add_ons.by_code(code=code)
    add_on.deleted_at = at
    add_on.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=add_on)
    return found


def _locked(code: str) -> AddOn:
    """Lock an add-on that is still there after everybody who held it is done."""
    found = add_ons.by_code(code=code)
    rows = db.lock(AddOn.objects.filter(pk=found.pk, deleted_at__isnull=True))
    return rows[0] if rows else add_ons.by_code(code=code)


def _currency(code: str) -> str:
    if not money.known(code):
        raise charge_input.refused("amount_currency", "value_is_invalid")
    return code

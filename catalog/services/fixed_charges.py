"""Fixed charges of a plan one by one: adding, changing, leaving out. Each makes a new version of the plan."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from django.db import transaction

from catalog.domain import publications
from catalog.domain.publications import Publication
from catalog.queries import plans
from catalog.services import fixed_charge_input, price_lists, versions
from catalog.services.fixed_charge_input import FixedChargeValues
from catalog.services.price_lists import FixedChargeContent, PriceList
from config.kernel import errors
from config.kernel.actors import Actor


@transaction.atomic
def add(
    *,
    code: str,
    values: FixedChargeValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> FixedChargeContent:
    """Add a fixed charge to the plan. Raises Invalid with codes per field, NotFound for what it names in vain."""
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    added = fixed_charge_input.single(
        values=values, before=None, others=before.fixed_charges, in_use=plans.in_use(version.plan), at=at
    )
    content = dataclasses.replace(before, fixed_charges=(*before.fixed_charges, added))
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)
    return added


@transaction.atomic
def change(
    *,
    code: str,
    fixed_charge_code: str,
    values: FixedChargeValues,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> FixedChargeContent:
    """Change a fixed charge; another number of units is told to who sells the plan.

    Sending what is there already changes nothing. Raises as `add`, and NotFound (`fixed_charge_not_found`).
    """
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    old = of_code(before, fixed_charge_code)
    others = [charge for charge in before.fixed_charges if charge.key != old.key]
    changed = fixed_charge_input.single(
        values=values, before=old, others=others, in_use=plans.in_use(version.plan), at=at
    )
    after = tuple(changed if charge.key == old.key else charge for charge in before.fixed_charges)
    content = dataclasses.replace(before, fixed_charges=after)
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)
    return changed


@transaction.atomic
def remove(
    *,
    code: str,
    fixed_charge_code: str,
    actor: Actor,
    at: datetime,
    publication: Publication = publications.FOLLOWED,
) -> None:
    """Leave a fixed charge out. Raises NotFound (`plan_not_found`, `fixed_charge_not_found`)."""
    version = versions.lock(code=code, at=at)
    before = price_lists.read(version)
    gone = of_code(before, fixed_charge_code)
    kept = tuple(charge for charge in before.fixed_charges if charge.key != gone.key)
    content = dataclasses.replace(before, fixed_charges=kept)
    versions.publish(version=version, content=content, actor=actor, at=at, publication=publication)


def of_code(content: PriceList, fixed_charge_code: str) -> FixedChargeContent:
    """Return the fixed charge of that code. Raises NotFound (`fixed_charge_not_found`)."""
    for charge in content.fixed_charges:
        if charge.code == fixed_charge_code:
            return charge
    raise errors.NotFound("fixed_charge_not_found", f"The plan has no fixed charge {fixed_charge_code}.")

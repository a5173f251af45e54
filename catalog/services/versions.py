"""Publishing the next version of a plan: the lock on the plan, the audit trail and the fact that tells it.

What is in the version is decided by whoever calls; a version that holds what the current one holds is not published.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from catalog.domain.facts import FixedUnitsChanged, PlanVersionPublished
from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from catalog.services import price_lists
from catalog.services.price_lists import PriceList
from config.kernel import db, events, money
from config.kernel.actors import Actor
from config.platform.services import audit


def lock(*, code: str) -> PlanVersion:
    """Lock the plan against other writers and read its current version anew. Raises NotFound (`plan_not_found`)."""
    db.lock_one(Plan.objects.filter(pk=plans.by_code(code=code).plan_id))
    return plans.by_code(code=code)


def publish(*, version: PlanVersion, content: PriceList, actor: Actor, at: datetime) -> None:
    """Store the content as the version after the given one, which must be locked and current. Needs a transaction."""
    before = price_lists.read(version)
    if content == before:
        return
    published = price_lists.store(plan=version.plan, number=version.number + 1, content=content, at=at)
    audit.record(
        actor=actor, at=at, verb="publish_version", instance=version.plan, old=summary(before), new=summary(content)
    )
    events.publish(
        PlanVersionPublished(
            plan_id=version.plan_id, version_id=published.pk, fixed_units=_units_changed(before, content)
        )
    )


def summary(content: PriceList) -> dict[str, Any]:
    """Return what the audit trail keeps of a price list."""
    return {
        "interval": content.interval,
        "amount": str(money.rounded(content.amount).amount),
        "currency": content.amount.currency.code,
        "pay_in_advance": content.pay_in_advance,
        "trial_period": str(content.trial_period),
        "bill_charges_monthly": content.bill_charges_monthly,
        "bill_fixed_charges_monthly": content.bill_fixed_charges_monthly,
        "charges": [
            {
                "code": charge.code,
                "model": charge.charge_model,
                "properties": charge.properties,
                "pay_in_advance": charge.pay_in_advance,
            }
            for charge in content.charges
        ],
        "fixed_charges": [
            {
                "code": charge.code,
                "model": charge.charge_model,
                "units": str(charge.units),
                "properties": charge.properties,
                "pay_in_advance": charge.pay_in_advance,
            }
            for charge in content.fixed_charges
        ],
    }


def _units_changed(before: PriceList, after: PriceList) -> tuple[FixedUnitsChanged, ...]:
    old = {charge.key: charge.units for charge in before.fixed_charges}
    return tuple(
        FixedUnitsChanged(
            key=charge.key, units=charge.units, immediately=charge.immediately, previous=old.get(charge.key)
        )
        for charge in after.fixed_charges
        if old.get(charge.key) != charge.units
    )

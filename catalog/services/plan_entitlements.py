"""What plans give: features and the values of their privileges. A change reaches everybody on the plan at once.

What single subscriptions have beside it is billing's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.models import Plan, PlanEntitlement, PlanPrivilege
from catalog.queries import features, plans
from catalog.services import entitlement_input, webhook_types
from catalog.services.entitlement_input import Asked, FeatureValues
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


@transaction.atomic
def replace(*, code: str, asked: Asked, actor: Actor, at: datetime) -> None:
    """Give a plan these features with these values, and nothing else. Sending what is there changes nothing.

    Raises NotFound (`plan_not_found`, `feature_not_found`, `privilege_not_found`), Invalid for a wrong value.
    """
    plan = _lock(code)
    before = _shown(plan)
    rows = entitlement_input.read(asked=asked)
    plan.entitlements.exclude(feature__in=[row.feature for row in rows]).delete()
    for row in rows:
        entitlement = _give(plan, row, at)
        entitlement.privileges.exclude(privilege__in=[privilege for privilege, _ in row.values]).delete()
    _note(plan, before, actor, at)


@transaction.atomic
def merge(*, code: str, asked: Asked, actor: Actor, at: datetime) -> None:
    """Give a plan these features and values beside what it gives already. Raises as `replace`."""
    plan = _lock(code)
    before = _shown(plan)
    for row in entitlement_input.read(asked=asked):
        _give(plan, row, at)
    _note(plan, before, actor, at)


@transaction.atomic
def remove_feature(*, code: str, feature_code: str, actor: Actor, at: datetime) -> None:
    """Take a feature off a plan. Raises NotFound (`plan_not_found`, `entitlement_not_found`)."""
    plan = _lock(code)
    before = _shown(plan)
    _entitlement(plan, feature_code).delete()
    _note(plan, before, actor, at)


@transaction.atomic
def remove_privilege(*, code: str, feature_code: str, privilege_code: str, actor: Actor, at: datetime) -> None:
    """Take the value of a privilege off a plan; the feature stays.

    Raises NotFound (`plan_not_found`, `entitlement_not_found`, `privilege_not_found`).
    """
    plan = _lock(code)
    before = _shown(plan)
    values = _entitlement(plan, feature_code).privileges
    value = values.filter(privilege__code=privilege_code, privilege__deleted_at__isnull=True).first()
    if value is None:
        raise errors.NotFound("privilege_not_found", f"{code} sets no {privilege_code} of {feature_code}.")
    value.delete()
    _note(plan, before, actor, at)


def _lock(code: str) -> Plan:
    return db.lock_one(Plan.objects.filter(pk=plans.by_code(code=code).plan_id))


def _entitlement(plan: Plan, feature_code: str) -> PlanEntitlement:
    found = plan.entitlements.filter(feature__code=feature_code, feature__deleted_at__isnull=True).first()
    if found is None:
        raise errors.NotFound("entitlement_not_found", f"{plan.code} does not give {feature_code}.")
    return found


def _give(plan: Plan, row: FeatureValues, at: datetime) -> PlanEntitlement:
    entitlement, _ = PlanEntitlement.objects.get_or_create(plan=plan, feature=row.feature, defaults={"created_at": at})
    for privilege, value in row.values:
        PlanPrivilege.objects.update_or_create(
            entitlement=entitlement,
            privilege=privilege,
            defaults={"value": value},
            create_defaults={"value": value, "created_at": at},
        )
    return entitlement


def _shown(plan: Plan) -> dict[str, Any]:
    return {
        one.code: {granted.definition.code: granted.plan_value for granted in one.privileges}
        for one in features.of_plans([plan.pk])[plan.pk]
    }


def _note(plan: Plan, before: dict[str, Any], actor: Actor, at: datetime) -> None:
    after = _shown(plan)
    if after != before:
        audit.record(
            actor=actor,
            at=at,
            verb="set_entitlements",
            instance=plan,
            old={"entitlements": before},
            new={"entitlements": after},
        )
        tellings.tell(webhook_types.PLAN_UPDATED, plan, at=at)

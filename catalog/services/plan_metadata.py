"""Notes of engineers on plans. They belong to the plan, whatever its version, and change no price."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.domain import notes
from catalog.models import Plan
from catalog.services import versions, webhook_types
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


@transaction.atomic
def replace(*, code: str, metadata: Mapping[str, Any], actor: Actor, at: datetime) -> Plan:
    """Make these the notes of a plan, in place of all others. Idempotent. Raises NotFound, InvalidNotes."""
    return keep(plan=versions.lock(code=code, at=at).plan, metadata=metadata, actor=actor, at=at)


@transaction.atomic
def merge(*, code: str, metadata: Mapping[str, Any], actor: Actor, at: datetime) -> Plan:
    """Set notes of a plan and leave the others. Idempotent. Raises NotFound, InvalidNotes."""
    plan = versions.lock(code=code, at=at).plan
    return keep(plan=plan, metadata={**plan.metadata, **metadata}, actor=actor, at=at)


@transaction.atomic
def remove(*, code: str, key: str, actor: Actor, at: datetime) -> Plan:
    """Remove one note of a plan. Raises NotFound (`plan_not_found`, `metadata_not_found`)."""
    plan = versions.lock(code=code, at=at).plan
    if key not in plan.metadata:
        raise errors.NotFound("metadata_not_found", f"There is no note {key}.")
    kept = {name: value for name, value in plan.metadata.items() if name != key}
    return keep(plan=plan, metadata=kept, actor=actor, at=at)


def keep(*, plan: Plan, metadata: Mapping[str, Any], actor: Actor, at: datetime) -> Plan:
    """Store the notes of a plan that the caller has locked. What is there changes nothing. Raises InvalidNotes."""
    wanted = notes.checked(metadata)
    if wanted == plan.metadata:
        return plan
    old, plan.metadata = plan.metadata, wanted
    plan.save(update_fields=["metadata"])
    audit.record(
        actor=actor, at=at, verb="set_metadata", instance=plan, old={"metadata": old}, new={"metadata": wanted}
    )
    tellings.tell(webhook_types.PLAN_UPDATED, plan, at=at)
    return plan

"""Retiring plans that somebody may still have: from the moment it is asked for nobody can buy the plan, and it is gone
as soon as the last who has it has ended. Ending them is the business of whoever sells plans, who is told by a fact.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from catalog.domain.facts import PlanRetiring
from catalog.models import Plan, PlanVersion
from catalog.queries import plans
from catalog.services import versions, webhook_types
from config.kernel import db, events
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


@transaction.atomic
@tellings.gathered
def ask(*, code: str, actor: Actor, at: datetime) -> PlanVersion:
    """Retire a plan: at once where nobody has it, else once those who have it have ended. Returns it as it is then.

    Asking again changes nothing. Its code may be used again when it is gone. Raises NotFound (`plan_not_found`).
    """
    version = versions.lock(code=code, at=at)
    plan = version.plan
    if plan.deletion_asked_at is None:
        plan.deletion_asked_at = at
        plan.save(update_fields=["deletion_asked_at"])
        audit.record(actor=actor, at=at, verb="ask_deletion", instance=plan)
        tellings.tell(webhook_types.PLAN_UPDATED, plan, at=at)
    if plans.in_use(plan):
        events.publish(PlanRetiring(plan_id=plan.pk))
    else:
        _retire(plan, actor, at)
    return version


@transaction.atomic
def finish(*, plan_id: int, actor: Actor, at: datetime) -> bool:
    """Retire a plan that was asked to be, and that nobody has any more; say whether it is gone. Idempotent."""
    plan = db.lock_one(Plan.objects.filter(pk=plan_id))
    if plan.deleted_at is not None:
        return True
    if plan.deletion_asked_at is None or plans.in_use(plan):
        return False
    _retire(plan, actor, at)
    return True


def _retire(plan: Plan, actor: Actor, at: datetime) -> None:
    plan.deleted_at = at
    plan.save(update_fields=["deleted_at"])
    audit.record(actor=actor, at=at, verb="delete", instance=plan)
    tellings.tell(webhook_types.PLAN_DELETED, plan, at=at)

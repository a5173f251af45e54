"""What a new price does to changes of plan that wait: to a plan that became the dearer one nobody is moved unasked, to
one that is no cheaper any more subscriptions move at once. A time that somebody chose stays. Owns these rules; the
changes are `plan_changes`'.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from billing.domain.plan_changes import Kind
from billing.models import Subscription
from billing.services import plan_changes
from catalog.models import PlanVersion
from config.kernel import actors, db, jobs
from config.kernel.actors import Actor
from config.platform.services import tellings

Status = Subscription.Status


@transaction.atomic
def reconsider(*, version_id: int) -> int:
    """Look at the changes that wait after a plan got a new price, in the transaction that published it.

    Where the price that subscriptions have now is below that of the plan they would move to, the change is canceled, as
    of the publication. Where the plan to move to costs as much as the current one by now, the change is left to
    `subscription_plans.settle`, which is woken up. Prices are those of a year. Returns how many were canceled; calling
    it again cancels none.
    """
    version = PlanVersion.objects.select_related("plan").get(pk=version_id)
    sold = PlanVersion.objects.filter(plan_id=version.plan_id, base__isnull=True, number__lt=version.number)
    before = sold.order_by("-number").first()
    if before is not None and plan_changes.price(before) == plan_changes.price(version):
        return 0
    affected = Q(previous__plan_version=version) | Q(previous__plan_version__base=version)
    leaving = _movable().filter(affected).exclude(plan_version=version)
    canceled = 0
    with tellings.once(at=version.created_at):
        for follower in db.lock(leaving.select_related("plan_version__plan", "customer", "previous__plan_version")):
            now = follower.previous.plan_version
            if plan_changes.price(follower.plan_version).yearly > plan_changes.price(now).yearly:
                reason = f"{version.plan.code} costs less than {follower.plan_version.plan.code} now."
                plan_changes.cancel(follower, actor=actors.SYSTEM, at=version.created_at, reason=reason)
                canceled += 1
    if next(overtaken(), None) is not None:
        jobs.enqueue("billing.tasks.settle_plan_changes")
    return canceled


def follow_move(*, current: Subscription, actor: Actor, at: datetime) -> None:
    """Look at the change that waits for a subscription which was just given another version, by the same rules.

    One to the very version that it has now is canceled, whoever chose its time. The caller holds the locks.
    """
    waiting = None if current.status != Status.ACTIVE else plan_changes.pending(current)
    if waiting is not None:
        now, wanted = current.plan_version, waiting.plan_version
        if _is_same(now, wanted):
            plan_changes.cancel(waiting, actor=actor, at=at, reason="The subscription has this version already.")
        elif not waiting.change_timing and plan_changes.price(wanted).yearly > plan_changes.price(now).yearly:
            reason = f"The subscription costs less than {wanted.plan.code} now."
            plan_changes.cancel(waiting, actor=actor, at=at, reason=reason)
    if next(overtaken(), None) is not None:
        jobs.enqueue("billing.tasks.settle_plan_changes")


def overtaken() -> Iterator[int]:
    """Yield the ids of active subscriptions that wait to move to a plan that is not cheaper any more."""
    waiting = _movable()
    pairs = list(waiting.values_list("previous__plan_version_id", "plan_version_id").order_by().distinct())
    versions = PlanVersion.objects.in_bulk({pk for pair in pairs for pk in pair})
    for current_id, wanted_id in pairs:
        if plan_changes.kind_of(versions[current_id], versions[wanted_id]) is Kind.UPGRADE:
            found = waiting.filter(previous__plan_version_id=current_id, plan_version_id=wanted_id)
            yield from found.order_by("previous_id").values_list("previous_id", flat=True)


def _is_same(one: PlanVersion, other: PlanVersion) -> bool:
    """Say whether two versions are one: own terms that are carried over make a version each time."""
    if one.pk == other.pk:
        return True
    return one.base_id is not None and (one.base_id, one.overrides) == (other.base_id, other.overrides)


def _movable() -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        status=Status.PENDING, previous__status=Status.ACTIVE, change_timing=Subscription.ChangeTiming.AUTOMATIC
    )

"""The end of what was bought of plans that are to be retired: each subscription with its last invoice. Owns the loop;
retiring the plan after the last one is the catalogue's.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from billing.models import Subscription
from billing.services import activations, plan_changes, subscription_plans, terminations
from catalog.models import Plan
from catalog.services import plan_deletions
from config.kernel import actors, errors
from config.kernel.actors import Actor

log = logging.getLogger(__name__)

Status = Subscription.Status
_LIVING = (Status.PENDING, Status.INCOMPLETE, Status.ACTIVE, Status.PAUSED)
_REASON = "The plan was deleted."


@dataclass(frozen=True)
class Ended:
    """How many subscriptions a run ended, how many it had to leave, and how many plans are gone."""

    subscriptions: int = 0
    left: int = 0
    plans: int = 0


def run(*, as_of: datetime) -> Ended:
    """End the subscriptions of plans that are to be retired, each in its own transaction, then retire those plans.

    One whose change to another plan has come goes on with that. What a contract sells is left until the contract ends
    it, and what cannot be ended until it can: the plan waits. May run any number of times.
    """
    actor = actors.job("plan_deletions")
    ended = left = gone = 0
    for plan in Plan.objects.filter(deletion_asked_at__isnull=False, deleted_at__isnull=True).order_by("pk"):
        done, kept = _end_all(plan.pk, actor, as_of)
        ended, left = ended + done, left + kept
        gone += plan_deletions.finish(plan_id=plan.pk, actor=actor, at=as_of)
    return Ended(subscriptions=ended, left=left, plans=gone)


def _end_all(plan_id: int, actor: Actor, at: datetime) -> tuple[int, int]:
    living = Subscription.objects.filter(plan_version__plan_id=plan_id, status__in=_LIVING).order_by("pk")
    done = kept = 0
    for subscription_id in list(living.values_list("pk", flat=True)):
        subscription = living.filter(pk=subscription_id).first()
        if subscription is None:  # it ended meanwhile, as what waits for another one does with that
            continue
        try:
            done += _end(subscription, plan_id, actor, at)
        except errors.DomainError as error:
            log.warning("subscription %s of a deleted plan runs on: %s", subscription.external_id, error)
            kept += 1
        except Exception:  # whatever one subscription fails by must not keep the others, and other plans, waiting
            log.exception("subscription %s of a deleted plan could not be ended", subscription.external_id)
            kept += 1
    return done, kept


def _end(subscription: Subscription, plan_id: int, actor: Actor, at: datetime) -> bool:
    """End a subscription and say so; one that changes to another plan by now goes on with that one."""
    if subscription.status == Status.INCOMPLETE:
        activations.decline(subscription_id=subscription.pk, actor=actor, at=at, reason=_REASON)
        return True
    current = subscription_plans.settle(subscription_id=subscription.pk, actor=actor, at=at)
    if current.plan_version.plan_id != plan_id:
        return False
    plan_changes.demand_no_contract(current)
    seen = plan_changes.state_of(current)
    terminations.terminate(subscription_id=current.pk, actor=actor, at=at, reason=_REASON, seen=seen)
    return True

"""What happens to many subscriptions at once: their plan gets a new version, their customer goes, their day comes.

Owns the loops; each subscription's own change is `subscriptions`'.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import (
    activations,
    own_terms,
    pauses,
    scheduled_changes,
    subscription_plans,
    subscriptions,
    terminations,
    trials,
)
from catalog.models import PlanVersion
from catalog.queries import versions
from config.kernel import actors, dates, db
from config.kernel.actors import Actor
from config.platform.services import tellings

log = logging.getLogger(__name__)

Status = Subscription.Status
_EASTERNMOST = timedelta(hours=14)


@dataclass(frozen=True)
class Moved:
    """How many subscriptions a job changed, and which it could not, with the reason by external id."""

    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@transaction.atomic
def adopt_version(*, version_id: int, cascades: bool = False) -> int:
    """Move the living subscriptions of a plan to its new version, by which they are billed from their next billing on.

    Periods that are billed stay as they are; drafts follow when they are computed anew. Subscriptions stay where
    interval, currency, or what is billed in advance or monthly differ, because time that was agreed cannot be cut in
    another way, and on versions that they kept when a newer one came without them. Those with own terms stay unless it
    ``cascades``: then they get what they did not agree otherwise. Returns how many moved. Idempotent.
    """
    version = PlanVersion.objects.select_related("plan").get(pk=version_id)
    rows = Subscription.objects.filter(
        plan_version__plan_id=version.plan_id,
        plan_version__interval=version.interval,
        plan_version__currency=version.currency,
        plan_version__pay_in_advance=version.pay_in_advance,
        plan_version__bill_charges_monthly=version.bill_charges_monthly,
        plan_version__bill_fixed_charges_monthly=version.bill_fixed_charges_monthly,
        status__in=[Status.PENDING, Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE],
        contract_item__isnull=True,
    ).exclude(plan_version=version)
    since = versions.followed_from(version)
    rows = rows.filter(
        Q(plan_version__base__isnull=True, plan_version__number__gte=since) | Q(plan_version__base__number__gte=since)
    )
    # In the order in which billing runs lock them too, so that neither waits for the other in a circle.
    if cascades:
        db.lock(rows.only("pk"))
    moved = own_terms.follow(onto=version, rows=rows, at=version.created_at) if cascades else 0
    found = [row.pk for row in db.lock(rows.filter(plan_version__base__isnull=True))]
    return moved + Subscription.objects.filter(pk__in=found).update(plan_version=version)


@transaction.atomic
@tellings.gathered
def end_all_of_customer(*, customer_id: int, actor: Actor, at: datetime) -> int:
    """Terminate, or cancel, all living subscriptions of a customer, with their last invoices. Returns how many."""
    living = Subscription.objects.filter(
        customer_id=customer_id, status__in=[Status.PENDING, Status.ACTIVE, Status.PAUSED]
    )
    found = list(living.order_by("pk").values_list("pk", flat=True))
    reason = "The customer was deleted."
    for subscription_id in found:
        terminations.terminate(subscription_id=subscription_id, actor=actor, at=at, reason=reason)
    unpaid = Subscription.objects.filter(customer_id=customer_id, status=Status.INCOMPLETE).order_by("pk")
    for subscription in unpaid:
        activations.decline(subscription_id=subscription.pk, reason=reason, actor=actor, at=at)
    return len(found) + len(unpaid)


def activate_pending(*, as_of: datetime) -> Moved:
    """Start every waiting subscription whose local day of start has come, each in its own transaction: a periodic job.

    Each starts at its agreed instant, however late the job is. Changes of plan are `settle_plan_changes`'. May run any
    number of times.
    """
    actor = actors.job("activate_pending")
    waiting = Subscription.objects.filter(
        status=Status.PENDING,
        previous__isnull=True,
        subscription_at__lte=as_of + _EASTERNMOST + timedelta(days=1),
    )
    return _each(
        waiting,
        lambda found: subscriptions.activate(subscription_id=found.pk, actor=actor, at=as_of),
        is_due=_has_come(as_of),
    )


def settle_plan_changes(*, as_of: datetime) -> Moved:
    """Carry out the changes of plan that wait although the new plan is not cheaper any more, each in its transaction.

    Those whose day has come are the billing run's. May run any number of times.
    """
    actor = actors.job("settle_plan_changes")
    return _each(
        Subscription.objects.filter(pk__in=list(scheduled_changes.overtaken())),
        lambda found: subscription_plans.settle(subscription_id=found.pk, actor=actor, at=as_of),
    )


def expire_unpaid(*, as_of: datetime) -> Moved:
    """Cancel every subscription whose first payment did not come in time, each in its own transaction: a periodic job.

    May run any number of times.
    """
    actor = actors.job("activation_timeouts")
    late = Subscription.objects.filter(
        status=Status.INCOMPLETE, activation_rules__status="pending", activation_rules__expires_at__lte=as_of
    )
    return _each(late, lambda found: activations.expire(subscription_id=found.pk, actor=actor, at=as_of))


def terminate_ended(*, as_of: datetime) -> Moved:
    """Terminate every subscription whose agreed end has come, at that end, each in its own transaction: a periodic job.

    Its last invoice is made with it. May run any number of times.
    """
    actor = actors.job("terminate_ended")
    ended = Subscription.objects.filter(status__in=[Status.ACTIVE, Status.PAUSED], ending_at__lte=as_of)
    return _each(
        ended,
        lambda found: terminations.end_as_agreed(subscription_id=found.pk, actor=actor, at=as_of),
    )


def resume_paused(*, as_of: datetime) -> Moved:
    """Resume every paused subscription whose agreed day has come, at its local start, each in its own transaction: a
    periodic job. What is due of it is billed at once. May run any number of times.
    """
    actor = actors.job("resume_paused")
    latest = dates.local_date(as_of + _EASTERNMOST, dates.zone("UTC"))
    return _each(
        Subscription.objects.filter(status=Status.PAUSED, change_date__lte=latest),
        lambda found: pauses.resume_as_agreed(subscription_id=found.pk, actor=actor, at=as_of),
        is_due=lambda found: (moment := pauses.resumes_at(found)) is not None and moment <= as_of,
    )


def end_trials(*, as_of: datetime) -> Moved:
    """End the trials that are over, each in its own transaction: a periodic job. In advance the fee is due from then.

    May run any number of times.
    """
    actor = actors.job("trial_ended")
    return _each(
        known.in_ended_trials(as_of=as_of),
        lambda found: trials.end(subscription_id=found.pk, actor=actor, at=as_of),
    )


def _has_come(as_of: datetime) -> Callable[[Subscription], bool]:
    def has_come(found: Subscription) -> bool:
        zone = dates.zone(found.customer.applicable_timezone)
        return dates.local_date(found.subscription_at, zone) <= dates.local_date(as_of, zone)

    return has_come


def _each(
    rows: QuerySet[Subscription],
    verb: Callable[[Subscription], object],
    *,
    is_due: Callable[[Subscription], bool] | None = None,
) -> Moved:
    done, failed = 0, {}
    for found in rows.select_related("customer__billing_entity").order_by("pk").iterator(chunk_size=500):
        if is_due is not None and not is_due(found):
            continue
        try:
            verb(found)
        except Exception as error:
            log.exception("subscription %s could not be moved on", found.pk)
            failed[found.external_id] = str(error)
        else:
            done += 1
    return Moved(done, failed)

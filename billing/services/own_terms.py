"""Own terms of a subscription: agreeing on other prices than its plan's, and going back to the plan's. Owns which
private version of the plan a subscription has; what terms mean is the catalogue's.

They count for all that is not billed yet, the running period included: what was billed stays, drafts follow when they
are computed anew. Whoever agrees holds the customer, then the plan, then the subscription: publishing a version holds
the plan before it moves subscriptions.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from billing.models import Subscription
from billing.queries import subscriptions as known
from billing.services import (
    fixed_agreements,
    fixed_changes,
    plan_changes,
    scheduled_changes,
    subscriptions,
    webhook_types,
)
from catalog.models import PlanVersion
from catalog.queries import versions as known_versions
from catalog.services import own_terms_input, private_versions
from catalog.services.own_terms_input import PATH, OwnFixedChargeValues, OwnTerms
from config.kernel import db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings
from customers.models import Customer

Status = Subscription.Status
LIVING = (Status.PENDING, Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE)


@transaction.atomic
@tellings.gathered
def agree(
    *, subscription_id: int, terms: OwnTerms, actor: Actor, at: datetime, seen: str | None = None, reason: str = ""
) -> Subscription:
    """Agree on own terms for a subscription, on top of those that it has; what is not named stays as it is.

    A term that says what the plan says ends the own one. Units of fixed charges are agreed as `fixed_changes.change`
    does, from the next period on unless a row says ``apply_units_immediately``. A change of plan that waits is canceled
    where this costs less in a year than that. Agreeing on what is agreed changes nothing. With ``seen``, what
    `plan_changes.state_of` was, it is decided by that. Returns what runs now. Raises NotFound, NotAllowed for a
    subscription that is over, PlanChangeConflict, Invalid (`plan_overrides.trial_period`) once it has started, and what
    `own_terms_input.agreed` raises.
    """
    subscription = held(subscription_id=subscription_id, seen=seen, actor=actor, at=at)
    prices, units = own_terms_input.apart(terms)
    _demand_trial(subscription, prices)
    version = private_versions.make(version=subscription.plan_version, terms=prices, at=at)
    _move(subscription, version, actor=actor, at=at, verb="agree_terms", reason=reason)
    for row in units:
        fixed_changes.change(
            subscription_id=subscription.pk,
            code=_code_of(subscription, row),
            units=row["units"],
            immediately=bool(row.get("apply_units_immediately")),
            actor=actor,
            at=at,
            reason=reason,
        )
    return subscription


@transaction.atomic
@tellings.gathered
def end(
    *,
    subscription_id: int,
    terms: Collection[str] | None,
    actor: Actor,
    at: datetime,
    seen: str | None = None,
    reason: str = "",
) -> Subscription:
    """End own terms of a subscription, all or those named (see `private_terms.without`); the plan's count from now on.

    Without any left it follows the plan again, on the version that others have who bought the same. Numbers of units
    that it agreed on stay. Returns what runs now. Raises as `agree`, and NotAllowed (`no_own_terms`) where it has none.
    """
    subscription = held(subscription_id=subscription_id, seen=seen, actor=actor, at=at)
    version = subscription.plan_version
    if version.base_id is None:
        raise errors.NotAllowed("no_own_terms", "The subscription has no own terms.")
    left = private_versions.base_of(version)
    if terms is not None:
        left = private_versions.without(version=version, terms=terms, at=at)
    if left.base_id is None:
        left = _followed(left)
    _move(subscription, left, actor=actor, at=at, verb="end_terms", reason=reason)
    return subscription


def follow(*, onto: PlanVersion, rows: QuerySet[Subscription], at: datetime) -> int:
    """Move subscriptions with own terms of a plan to another version of it, with the terms that they have.

    The caller holds the plan. Returns how many moved.
    """
    held = list(db.lock(rows.filter(plan_version__base__isnull=False).exclude(plan_version__base=onto)))
    found = PlanVersion.objects.select_related("plan").in_bulk({row.plan_version_id for row in held})
    moved = 0
    for version in found.values():
        target = private_versions.rebase(version=version, onto=onto, at=at)
        mine = [row.pk for row in held if row.plan_version_id == version.pk]
        moved += Subscription.objects.filter(pk__in=mine).update(plan_version=target)
    return moved


def held(*, subscription_id: int, actor: Actor, at: datetime, seen: str | None = None) -> Subscription:
    """Lock a subscription to agree on its terms, with its customer and its plan, and return what runs under its id now.

    Needs a transaction. Raises NotFound, NotAllowed for one that is over, PlanChangeConflict.
    """
    found = Subscription.objects.filter(pk=subscription_id).first()
    if found is None:
        raise known.SubscriptionNotFound("subscription_not_found", "There is no such subscription.")
    db.lock_one(Customer.objects.filter(pk=found.customer_id))
    of_followers = Subscription.objects.filter(previous=found).values_list("plan_version__plan_id", flat=True)
    mine = Subscription.objects.filter(pk=found.pk).values_list("plan_version__plan_id", flat=True)
    private_versions.lock(plan_ids=[*mine, *of_followers])
    subscription = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(subscription, seen=seen)
    subscription = plan_changes.settle(current=subscription, actor=actor, at=at)
    if subscription.status not in LIVING:
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
    if subscription.contract_item_id is not None:
        raise errors.NotAllowed(
            "subscription_of_a_contract", "A contract sells this subscription: amend the contract instead."
        )
    return subscription


def _demand_trial(subscription: Subscription, terms: OwnTerms) -> None:
    """A trial is counted from the start: one that runs, or is over, is not changed by other terms."""
    days = terms.get("trial_period")
    has_run = subscription.started_at is not None or subscription.status == Status.PAUSED
    if days is not None and has_run and days != subscription.plan_version.trial_period:
        raise errors.Invalid(
            "validation_errors",
            "The trial is agreed before the start.",
            {f"{PATH}.trial_period": ["modification_not_allowed"]},
        )


def _code_of(subscription: Subscription, row: OwnFixedChargeValues) -> str:
    if row.get("id") is None:
        return row["code"]
    charge = subscription.plan_version.fixed_charges.filter(key=row["id"]).first()
    if charge is None:
        raise errors.NotFound("fixed_charge_not_found", f"The plan has no fixed charge {row['id']}.")
    return charge.code


def _move(
    subscription: Subscription, version: PlanVersion, *, actor: Actor, at: datetime, verb: str, reason: str
) -> None:
    before = subscription.plan_version
    if version.pk == before.pk:
        return
    version.plan = before.plan
    subscription.plan_version = version
    subscription.updated_at = at
    subscription.save(update_fields=["plan_version", "updated_at"])
    audit.record(
        actor=actor, at=at, verb=verb, instance=subscription, old=_facts(before), new=_facts(version), reason=reason
    )
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    fixed_agreements.follow_versions(moved=[(subscription, before)], at=at)
    waiting = None if subscription.status != Status.ACTIVE else plan_changes.pending(subscription)
    if waiting is not None and waiting.plan_version.plan_id == version.plan_id:
        _carry_on(waiting, version, actor=actor, at=at, verb=verb, reason=reason)
    scheduled_changes.follow_move(current=subscription, actor=actor, at=at)


def _carry_on(
    waiting: Subscription, version: PlanVersion, *, actor: Actor, at: datetime, verb: str, reason: str
) -> None:
    """Let a move to another version of the plan that waits take over the own terms: they are not agreed until then."""
    before = waiting.plan_version
    onto = private_versions.base_of(before)
    target = onto if version.base_id is None else private_versions.rebase(version=version, onto=onto, at=at)
    if target.pk == before.pk:
        return
    waiting.plan_version, waiting.updated_at = target, at
    waiting.save(update_fields=["plan_version", "updated_at"])
    audit.record(actor=actor, at=at, verb=verb, instance=waiting, old=_facts(before), new=_facts(target), reason=reason)


def _facts(version: PlanVersion) -> dict[str, Any]:
    return {"plan_version": version.number, "own_terms": version.overrides}


def _followed(base: PlanVersion) -> PlanVersion:
    """Return the version that subscriptions on this one were moved to since: see `subscription_moves.adopt_version`."""
    later = known_versions.sold(base.plan).filter(
        moves_existing=True,
        number__gt=base.number,
        interval=base.interval,
        currency=base.currency,
        pay_in_advance=base.pay_in_advance,
        bill_charges_monthly=base.bill_charges_monthly,
        bill_fixed_charges_monthly=base.bill_fixed_charges_monthly,
    )
    return next((version for version in later if known_versions.followed_from(version) <= base.number), base)

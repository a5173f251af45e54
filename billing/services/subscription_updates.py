"""Changing what is agreed for a subscription without changing its plan: name, start, end, what its end does.

Owns which fields may change when; the plan is `subscription_plans`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.domain import terms
from billing.models import Subscription
from billing.services import plan_changes, starts, subscriptions
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit

Status = Subscription.Status
CHANGEABLE = frozenset({"name", "ending_at", "subscription_at", "on_termination_invoice", "on_termination_credit_note"})
_SHARED = ("ending_at", "on_termination_invoice")
"""What a change of plan that waits takes over when it is changed."""


@transaction.atomic
def update(*, subscription_id: int, changes: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    """Change the name, the end, what a termination does, or, while it waits, the start.

    ``changes`` holds the fields to be changed (CHANGEABLE). A start that has come makes it active; that of a change of
    plan is its period's. A change of plan that waits takes over what is agreed for the end. Raises NotFound,
    InvalidTerms, NotAllowed for a subscription that is over.
    """
    subscription = plan_changes.settle(current=subscriptions.locked(subscription_id), actor=actor, at=at)
    if subscription.status not in (Status.PENDING, Status.ACTIVE):
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
    terms.check_start(
        subscription_at=changes.get("subscription_at", subscription.subscription_at),
        agreed=subscription.subscription_at,
        has_started=not subscriptions.waits_for_its_start(subscription),
    )
    terms.check_unused_time(
        option=changes.get("on_termination_credit_note"), pay_in_advance=subscription.plan_version.pay_in_advance
    )
    fixed = set() if subscriptions.waits_for_its_start(subscription) else {"subscription_at"}
    wanted = {field: value for field, value in changes.items() if field in CHANGEABLE - fixed}
    if "on_termination_credit_note" in wanted:
        wanted["on_termination_credit_note"] = terms.agreed_unused_time(
            option=wanted["on_termination_credit_note"], pay_in_advance=subscription.plan_version.pay_in_advance
        )
    old = {field: getattr(subscription, field) for field in wanted if getattr(subscription, field) != wanted[field]}
    if not old:
        return subscription
    for field in old:
        setattr(subscription, field, wanted[field])
    if {"ending_at", "subscription_at"} & old.keys():
        terms.check_end(ending_at=subscription.ending_at, subscription_at=subscription.subscription_at, at=at)
    was_waiting = subscriptions.waits_for_its_start(subscription)
    if was_waiting:
        subscriptions.start_if_due(subscription, at)
    subscription.updated_at = at
    subscription.save(update_fields=[*old, *starts.FIELDS, "updated_at"])
    shared = {field: wanted[field] for field in _SHARED if field in old}
    if shared:
        subscription.followers.filter(status=Status.PENDING).update(**shared, updated_at=at)
    audit.record(
        actor=actor, at=at, verb="change", instance=subscription, old=old, new={field: wanted[field] for field in old}
    )
    if was_waiting:
        subscriptions.bill_start(subscription, actor, at)
    return subscription

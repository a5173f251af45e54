"""Changing what is agreed for a subscription without changing its plan: name, start, end, what its end does.

Owns which fields may change when; the plan is `subscription_plans`'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.domain import terms
from billing.models import Subscription
from billing.services import own_terms as agreements
from billing.services import (
    plan_changes,
    start_bills,
    starts,
    subscription_sections,
    subscription_sellers,
    subscriptions,
    usage_thresholds,
    webhook_types,
)
from catalog.services.own_terms_input import OwnTerms
from catalog.services.threshold_input import ThresholdValues
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Status = Subscription.Status
CHANGEABLE = frozenset(
    {
        "name",
        "ending_at",
        "subscription_at",
        "on_termination_invoice",
        "on_termination_credit_note",
        "purchase_order_number",
        "consolidate_invoice",
        "progressive_billing_disabled",
        "billing_entity_id",
        "custom_section_ids",
    }
)


@transaction.atomic
@tellings.gathered
def update(
    *,
    subscription_id: int,
    changes: Mapping[str, Any],
    actor: Actor,
    at: datetime,
    seen: str | None = None,
    reason: str = "",
    own_terms: OwnTerms | None = None,
    thresholds: Sequence[ThresholdValues] | None = None,
    amends_contract: bool = False,
) -> Subscription:
    """Change the name, the end, what a termination does, how it is invoiced, or, while it waits, the start.

    ``changes`` holds the fields to be changed (CHANGEABLE). A start that has come makes it active; that of a change of
    plan is its period's. A change of plan that waits takes over the end, and how it is invoiced. The purchase order
    number, whether it shares invoices, its ``billing_entity_code`` and ``custom_section_codes`` (none of them gives the
    customer's back) go for invoices that are not made yet. ``own_terms`` are agreed first: see
    `own_terms.agree`. ``thresholds`` are the full list of its own usage thresholds. The end of a subscription that a
    contract sells is the contract's, which alone ``amends_contract``. Raises NotFound, InvalidTerms, InvalidThresholds,
    NotAllowed for a subscription that is over and for the end and the seller of a contract's, what
    `subscription_sellers` refuses, PlanChangeConflict where it is not what was ``seen`` (`plan_changes.state_of`).
    """
    if own_terms:
        found = agreements.agree(
            subscription_id=subscription_id, terms=own_terms, seen=seen, actor=actor, at=at, reason=reason
        )
        subscription_id, seen = found.pk, None
    current = subscriptions.locked(subscription_id)
    plan_changes.demand_unchanged(current, seen=seen)
    subscription = plan_changes.settle(current=current, actor=actor, at=at)
    if subscription.status not in (Status.PENDING, Status.ACTIVE, Status.PAUSED):
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
    if thresholds is not None:
        usage_thresholds.agree(subscription=subscription, values=thresholds, actor=actor, at=at)
    terms.check_start(
        subscription_at=changes.get("subscription_at", subscription.subscription_at),
        agreed=subscription.subscription_at,
        has_started=not subscriptions.waits_for_its_start(subscription),
    )
    terms.check_unused_time(
        option=changes.get("on_termination_credit_note"), pay_in_advance=subscription.plan_version.pay_in_advance
    )
    changes = _keyed(changes)
    fixed = set() if subscriptions.waits_for_its_start(subscription) else {"subscription_at"}
    wanted = {field: value for field, value in changes.items() if field in CHANGEABLE - fixed}
    if "on_termination_credit_note" in wanted:
        wanted["on_termination_credit_note"] = terms.agreed_unused_time(
            option=wanted["on_termination_credit_note"], pay_in_advance=subscription.plan_version.pay_in_advance
        )
    old = {field: getattr(subscription, field) for field in wanted if getattr(subscription, field) != wanted[field]}
    if not old:
        return subscription
    _demand_seller(subscription, changed=old.keys())
    for field in old:
        setattr(subscription, field, wanted[field])
    _demand_good_times(subscription, changed=old.keys(), amends_contract=amends_contract, at=at)
    was_waiting = subscriptions.waits_for_its_start(subscription)
    if was_waiting:
        subscriptions.start_if_due(subscription, at)
    subscription.updated_at = at
    subscription.save(update_fields=[*old, *starts.FIELDS, "updated_at"])
    new = {field: wanted[field] for field in old}
    # What becomes of unused time goes for the plan that it was agreed for.
    handed = {field: value for field, value in new.items() if field != "on_termination_credit_note"}
    plan_changes.hand_on(subscription, old=old, new=handed, at=at)
    audit.record(actor=actor, at=at, verb="change", instance=subscription, old=old, new=new, reason=reason)
    tellings.tell(webhook_types.UPDATED, subscription, at=at)
    if was_waiting:
        start_bills.bill(subscription=subscription, actor=actor, at=at)
    usage_thresholds.heed(subscription=subscription, changed=new, at=at)
    return subscription


def _keyed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes with the keys of what they name by its code."""
    keyed = dict(changes)
    if "billing_entity_code" in keyed:
        keyed["billing_entity_id"] = subscription_sellers.chosen(code=keyed.pop("billing_entity_code"))
    if "custom_section_codes" in keyed:
        keyed["custom_section_ids"] = subscription_sections.chosen(codes=keyed.pop("custom_section_codes"))
    return keyed


def _demand_seller(subscription: Subscription, *, changed: Collection[str]) -> None:
    if "billing_entity_id" in changed:
        subscription_sellers.demand_changeable(subscription)


def _demand_good_times(
    subscription: Subscription, *, changed: Collection[str], amends_contract: bool, at: datetime
) -> None:
    if "ending_at" in changed and not amends_contract:
        plan_changes.demand_no_contract(subscription)
    if "ending_at" in changed or "subscription_at" in changed:
        terms.check_end(ending_at=subscription.ending_at, subscription_at=subscription.subscription_at, at=at)

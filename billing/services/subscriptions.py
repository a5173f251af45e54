"""The life of a subscription: beginning, changing terms, ending. Owns its row; billing it is `billing_days`'.

Whoever writes a subscription holds the lock of its customer first, as a billing run does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from billing.domain import dues, states, terms
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contracts
from billing.queries import subscriptions as known
from billing.services import billing_days, fixed_agreements, plan_changes, starts, subscription_notes, unused_time
from billing.services.plan_changes import Wanted
from catalog.models import Plan, PlanVersion
from config.kernel import dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness
from customers.models import Customer

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime
CHANGEABLE = frozenset({"name", "ending_at", "subscription_at", "on_termination_invoice", "on_termination_credit_note"})
_SHARED = ("ending_at", "on_termination_invoice")
"""What a change of plan that waits takes over when it is changed."""
_ENDING = ("on_termination_invoice", "on_termination_credit_note")


@dataclass(frozen=True)
class NewSubscription:
    """What is agreed. Without ``subscription_at`` it starts now; the seller is the customer's.

    None is what was agreed before where the plan of a running subscription changes, else the usual. ``fixed_units`` are
    numbers of its own, by the ids of the plan's fixed charges.
    """

    external_customer_id: str
    plan_code: str
    external_id: str
    name: str = ""
    billing_time: str = Subscription.BillingTime.CALENDAR
    subscription_at: datetime | None = None
    ending_at: datetime | None = None
    backdated_billing: str = Subscription.BackdatedBilling.SKIP
    on_termination_invoice: str | None = None
    on_termination_credit_note: str | None = None
    billing_entity_code: str = ""
    fixed_units: Mapping[str, Decimal] | None = None


@transaction.atomic
def create(*, new: NewSubscription, actor: Actor, at: datetime) -> Subscription:
    """Begin a subscription on the plan's current version.

    It starts at ``subscription_at``: one in the future waits, one that starts today (local to the customer) or in the
    past is active at once, though it never starts in time that an ended subscription of its external id has billed,
    whosever it was: both read the same events. A plan paid in advance bills the fee of the first period now, unless a
    trial puts it off; elapsed periods are billed by the next run or not at all, as ``backdated_billing`` says. The
    customer's currency becomes the plan's if it had none.

    Idempotent by ``external_id``: with the same plan the current subscription is returned, and a waiting one takes the
    plan and name given. An active one on another plan changes to this one, at once or at the end of its period: see
    `plan_changes.change`. Raises NotFound (customer, plan), InvalidTerms, PlanChangeConflict where somebody else
    changed it meanwhile, Invalid (`external_id`) when another customer has it.
    """
    terms.check_external_id(new.external_id)
    before = known.living(new.external_id)
    seen = None if before is None else plan_changes.state_of(before)
    customer = _locked_customer(known.customer(new.external_customer_id))
    version = held_version(new.plan_code)
    if new.billing_entity_code not in ("", customer.billing_entity.code):
        raise errors.Invalid(
            "unsupported_value",
            "A subscription is sold by its customer's billing entity.",
            {"billing_entity_code": ["unsupported_value"]},
        )
    existing = known.living(new.external_id)
    if existing is not None:
        if new.fixed_units and existing.plan_version.plan_id != version.plan_id:
            raise errors.Invalid(
                "unsupported_value",
                "Units of its own are agreed on after a change of plan, not with it.",
                {"plan_overrides": ["unsupported_value"]},
            )
        return _again(locked(existing.pk), customer, version, new, seen, actor, at)
    # To the second: the clock of whoever sends whole seconds must not lie before the start.
    subscription_at = new.subscription_at or at.replace(microsecond=0)
    terms.check_end(ending_at=new.ending_at, subscription_at=subscription_at, at=at)
    subscription = Subscription(
        created_at=at,
        updated_at=at,
        customer=customer,
        plan_version=version,
        external_id=new.external_id,
        name=new.name,
        status=Status.PENDING,
        billing_time=new.billing_time,
        backdated_billing=new.backdated_billing,
        subscription_at=subscription_at,
        ending_at=new.ending_at,
        on_termination_invoice=new.on_termination_invoice or Subscription.OnTermination.GENERATE,
        on_termination_credit_note=new.on_termination_credit_note or "",
    )
    terms.check_unused_time(option=subscription.on_termination_credit_note, pay_in_advance=version.pay_in_advance)
    _start_if_due(subscription, at)
    # Somebody else may have taken the id since it was looked for.
    with uniqueness.told(billing_subscription_external_id="external_id"):
        subscription.save(force_insert=True)
    fixed_agreements.agree(subscription=subscription, units=new.fixed_units or {}, at=at)
    _agree_currency(customer, version, at)
    audit.record(actor=actor, at=at, verb="create", instance=subscription, new=subscription_notes.facts(subscription))
    _bill_start(subscription, actor, at)
    return subscription


@transaction.atomic
def update(*, subscription_id: int, changes: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    """Change the name, the end, what a termination does, or, while it waits, the start.

    ``changes`` holds the fields to be changed (CHANGEABLE). A start that has come makes it active; that of a change of
    plan is its period's. A change of plan that waits takes over what is agreed for the end. Raises NotFound,
    InvalidTerms, NotAllowed for a subscription that is over.
    """
    subscription = plan_changes.settle(current=locked(subscription_id), actor=actor, at=at)
    if subscription.status not in (Status.PENDING, Status.ACTIVE):
        raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
    terms.check_start(
        subscription_at=changes.get("subscription_at", subscription.subscription_at),
        agreed=subscription.subscription_at,
        has_started=not _waits_for_its_start(subscription),
    )
    terms.check_unused_time(
        option=changes.get("on_termination_credit_note"), pay_in_advance=subscription.plan_version.pay_in_advance
    )
    fixed = set() if _waits_for_its_start(subscription) else {"subscription_at"}
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
    was_waiting = _waits_for_its_start(subscription)
    if was_waiting:
        _start_if_due(subscription, at)
    subscription.updated_at = at
    subscription.save(update_fields=[*old, *starts.FIELDS, "updated_at"])
    shared = {field: wanted[field] for field in _SHARED if field in old}
    if shared:
        subscription.followers.filter(status=Status.PENDING).update(**shared, updated_at=at)
    audit.record(
        actor=actor, at=at, verb="change", instance=subscription, old=old, new={field: wanted[field] for field in old}
    )
    if was_waiting:
        _bill_start(subscription, actor, at)
    return subscription


@transaction.atomic
def activate(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Start a waiting subscription whose local day has come. It starts at its ``subscription_at``, however late it is.

    Calling it again changes nothing, nor does calling it too early or for a change of plan, which has a day of its own.
    Raises InvalidTransition for one that is over.
    """
    subscription = locked(subscription_id)
    if subscription.status == Status.ACTIVE or subscription.previous_id is not None:
        return subscription
    states.next(state=subscription.status, verb=Verb.ACTIVATE)
    _start_if_due(subscription, at)
    if subscription.status == Status.ACTIVE:
        subscription.updated_at = at
        subscription.save(update_fields=[*starts.FIELDS, "updated_at"])
        facts = subscription_notes.facts(subscription)
        audit.record(actor=actor, at=at, verb="activate", instance=subscription, new=facts)
        _bill_start(subscription, actor, at)
    return subscription


@transaction.atomic
def terminate(
    *,
    subscription_id: int,
    actor: Actor,
    at: datetime,
    on_termination_invoice: str | None = None,
    on_termination_credit_note: str | None = None,
    reason: str = "",
) -> Subscription:
    """End an active subscription now, or at its agreed end where that has passed; a waiting one is canceled.

    The last invoice, for the plan's days used (the day of the end included) and the usage so far, is made in the same
    transaction, after those of billing days that are still open; ``on_termination_invoice`` "skip" leaves it out.
    ``on_termination_credit_note`` says what becomes of days that were paid in advance and are not used (credit, refund,
    offset, skip): by default what was agreed, else they are credited, before the last invoice is made. It does not
    matter in arrears. A change of plan that waits is canceled; one that has come is what is ended. Calling it again
    changes nothing. Raises NotFound, and what billing and the credit note raise.
    """
    subscription = plan_changes.settle(current=locked(subscription_id), actor=actor, at=at)
    if subscription.status in (Status.TERMINATED, Status.CANCELED):
        return subscription
    if subscription.status == Status.PENDING:
        return plan_changes.cancel(subscription, actor=actor, at=at, reason=reason)
    old = {"status": subscription.status}
    subscription.status = states.next(state=subscription.status, verb=Verb.TERMINATE)
    # One that starts later today and is ended before never ran.
    ended_at = at if subscription.ending_at is None else min(at, subscription.ending_at)
    subscription.terminated_at = max(ended_at, subscription.started_at or at)
    subscription.on_termination_invoice = on_termination_invoice or subscription.on_termination_invoice
    if subscription.plan_version.pay_in_advance:
        agreed = subscription.on_termination_credit_note or UnusedTime.CREDIT
        subscription.on_termination_credit_note = on_termination_credit_note or agreed
    subscription.updated_at = at
    subscription.save(update_fields=["status", "terminated_at", *_ENDING, "updated_at"])
    facts = subscription_notes.facts(subscription)
    audit.record(actor=actor, at=at, verb="terminate", instance=subscription, old=old, new=facts, reason=reason)
    waiting = plan_changes.pending(subscription)
    if waiting is not None:
        plan_changes.cancel(waiting, actor=actor, at=at, reason="The subscription was terminated.")
    if subscription.plan_version.pay_in_advance:
        _give_back(subscription, subscription.terminated_at, actor, at)
    plan_changes.bill([subscription.pk], actor=actor, at=at)
    subscription.refresh_from_db(fields=["next_billing_date"])
    return subscription


@transaction.atomic
def end_as_agreed(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Terminate an active subscription whose agreed end has come by ``at``, at that end; leave any other alone.

    The end is read under the lock: one that was put off in the meantime is none. Raises as `terminate` does.
    """
    subscription = locked(subscription_id)
    if subscription.status != Status.ACTIVE or subscription.ending_at is None or subscription.ending_at > at:
        return subscription
    return terminate(subscription_id=subscription_id, actor=actor, at=at, reason="The agreed end has come.")


def locked(subscription_id: int) -> Subscription:
    """Lock a subscription, its customer first, until the transaction ends. Raises SubscriptionNotFound."""
    customer_id = Subscription.objects.filter(pk=subscription_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise known.SubscriptionNotFound("subscription_not_found", "There is no such subscription.")
    customer = db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=customer_id))
    subscription = db.lock_one(Subscription.objects.select_related("plan_version__plan").filter(pk=subscription_id))
    subscription.customer = customer
    return subscription


def _locked_customer(found: Customer) -> Customer:
    customer = db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=found.pk))
    if customer.deleted_at is not None:
        raise errors.NotFound("customer_not_found", f"There is no customer {found.external_id}.")
    return customer


def held_version(plan_code: str) -> PlanVersion:
    """Read what is on sale under the lock of its plan: a version that is being published either finds the subscription
    to be made, or is the one that it is made on.
    """
    db.lock_one(Plan.objects.filter(pk=known.current_version(plan_code).plan_id))
    return known.current_version(plan_code)


def _again(
    existing: Subscription,
    customer: Customer,
    version: PlanVersion,
    new: NewSubscription,
    seen: str | None,
    actor: Actor,
    at: datetime,
) -> Subscription:
    if existing.customer_id != customer.pk:
        raise _taken(new.external_id)
    if existing.status == Status.ACTIVE:
        return _change(existing, version, new, seen, actor, at)
    if existing.plan_version.plan_id == version.plan_id:
        return existing
    old = {"plan": existing.plan_version.plan.code, "name": existing.name}
    existing.plan_version = version
    existing.name = new.name or existing.name
    existing.updated_at = at
    existing.save(update_fields=["plan_version", "name", "updated_at"])
    facts = {"plan": version.plan.code, "name": existing.name}
    audit.record(actor=actor, at=at, verb="change", instance=existing, old=old, new=facts)
    return existing


def _start_if_due(subscription: Subscription, at: datetime) -> None:
    zone = dates.zone(subscription.customer.applicable_timezone)
    if terms.starts_later(subscription_at=subscription.subscription_at, at=at, zone=zone):
        return
    earlier = known.billed_until(external_id=subscription.external_id)
    started_at = subscription.subscription_at if earlier is None else max(subscription.subscription_at, earlier)
    starts.begin(subscription, started_at=started_at)


def _waits_for_its_start(subscription: Subscription) -> bool:
    """Say whether it has not begun yet, and is no change of plan."""
    return subscription.status == Status.PENDING and subscription.previous_id is None


def _bill_start(subscription: Subscription, actor: Actor, at: datetime) -> None:
    """Bill what is paid in advance for the start; backdated periods are left to the next run."""
    if subscription.status != Status.ACTIVE:
        return
    fixed_agreements.begin(subscription=subscription, at=at)
    where = contracts.standing(subscription)
    made_on = dates.local_date(subscription.created_at, where.schedule.timezone)
    if not dues.bills_opening(where) or not where.next_billing_date == where.first_day >= made_on:
        return
    billing_days.bill_subscriptions(
        subscription_ids=[subscription.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    subscription.refresh_from_db(fields=["next_billing_date"])


def _change(
    current: Subscription, version: PlanVersion, new: NewSubscription, seen: str | None, actor: Actor, at: datetime
) -> Subscription:
    """Change the plan, as it was known before the locks were waited for: who waited decides on what is no more."""
    is_unchanged = plan_changes.state_of(current) == seen
    current = plan_changes.settle(current=current, actor=actor, at=at)
    if plan_changes.is_agreed(current, plan_id=version.plan_id):
        return current
    if not is_unchanged:
        raise plan_changes.conflict(current)
    terms.check_end(ending_at=new.ending_at, subscription_at=current.subscription_at, at=at)
    terms.check_unused_time(option=new.on_termination_credit_note, pay_in_advance=version.pay_in_advance)
    wanted = Wanted(
        version=version,
        name=new.name,
        ending_at=new.ending_at,
        on_termination_invoice=new.on_termination_invoice,
        on_termination_credit_note=new.on_termination_credit_note,
    )
    return plan_changes.change(current=current, wanted=wanted, actor=actor, at=at)


def _give_back(subscription: Subscription, ended_at: datetime, actor: Actor, at: datetime) -> None:
    # A period that is still to be billed is billed first: its fee is what the unused time is credited of.
    billing_days.bill_open_days(
        subscription_ids=[subscription.pk], as_of=at, catch_up=settings.BILLING_CATCH_UP, actor=actor
    )
    unused_time.give_back(
        subscription=subscription,
        ended_at=ended_at,
        upgraded=False,
        destination=subscription.on_termination_credit_note,
        actor=actor,
        at=at,
    )


def _agree_currency(customer: Customer, version: PlanVersion, at: datetime) -> None:
    if not customer.currency:
        customer.currency = version.currency
        customer.updated_at = at
        customer.save(update_fields=["currency", "updated_at"])


def _taken(external_id: str) -> errors.Invalid:
    return errors.Invalid(
        "value_already_exist",
        f"Another subscription has the external id {external_id}.",
        {"external_id": ["value_already_exist"]},
    )

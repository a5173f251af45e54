"""The life of a subscription: beginning, changing terms, ending. Owns its row; billing it is `billing_days`'.

Whoever writes a subscription holds the lock of its customer first, as a billing run does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from billing.domain import states, terms
from billing.domain.activation import Rule
from billing.domain.chosen_times import ChosenTime
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import contract_starts
from billing.queries import subscriptions as known
from billing.services import (
    activation_gates,
    contract_turns,
    fixed_agreements,
    plan_changes,
    start_bills,
    starts,
    subscription_notes,
    subscription_sections,
    subscription_sellers,
    usage_thresholds,
    webhook_types,
)
from billing.services.plan_changes import Wanted
from catalog.models import PlanVersion
from catalog.services import own_terms_input, private_versions, versions
from catalog.services.own_terms_input import OwnTerms
from catalog.services.threshold_input import ThresholdValues
from config.kernel import dates, db, errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings, uniqueness
from customers.models import Customer
from customers.services import agreed_currencies

Status = Subscription.Status
UnusedTime = Subscription.UnusedTime


@dataclass(frozen=True)
class NewSubscription:
    """What is agreed. Without ``subscription_at`` it starts now; without ``billing_entity_code`` the seller is
    the customer's, without ``custom_section_codes`` its invoices have the customer's texts (none for an empty list).

    None is what was agreed before where the plan of a running subscription changes, else the usual. ``change_at`` says
    when it changes; without it the prices decide. ``fixed_units`` are numbers of its own, by the ids of the plan's
    fixed charges, ``own_terms`` what it agrees on instead of the plan's prices, ``usage_thresholds`` the full list of
    its own. ``activation_rules`` say what is to be paid before it runs.
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
    custom_section_codes: Sequence[str] | None = None
    purchase_order_number: str | None = None
    consolidate_invoice: bool | None = None
    change_at: ChosenTime | None = None
    fixed_units: Mapping[str, Decimal] | None = None
    own_terms: OwnTerms | None = None
    progressive_billing_disabled: bool | None = None
    usage_thresholds: Sequence[ThresholdValues] | None = None
    activation_rules: Sequence[Rule] = ()


@transaction.atomic
@tellings.gathered
def create(*, new: NewSubscription, actor: Actor, at: datetime) -> Subscription:
    """Begin a subscription on the plan's current version.

    It starts at ``subscription_at``: one in the future waits, one that starts today (local to the customer) or in the
    past is active at once, though it never starts in time that an ended subscription of its external id has billed,
    whosever it was: both read the same events. A plan paid in advance bills the fee of the first period now, unless a
    trial puts it off; elapsed periods are billed by the next run or not at all, as ``backdated_billing`` says. The
    customer's currency becomes the plan's if it had none.

    Idempotent by ``external_id``: with the same plan the current subscription is returned, and a waiting one takes the
    plan and name given, though a paused one none. An active one on another plan changes to this one, at once or at the
    end of its period: see `plan_changes.change`. Raises NotFound (customer, plan, billing entity, custom
    section), InvalidTerms, PlanChangeConflict
    where somebody else changed it meanwhile, Invalid (`external_id`) when another customer has it.
    """
    terms.check_external_id(new.external_id)
    before = known.living(new.external_id)
    seen = None if before is None else plan_changes.state_of(before)
    customer = _locked_customer(known.customer(new.external_customer_id))
    version = held_version(new.plan_code, at=at)
    waiting = known.waiting_for_payment(new.external_id)
    if waiting is not None:
        return _same(waiting, customer, version, new)
    existing = known.living(new.external_id)
    if existing is not None:
        _demand_no_rules(existing, version, new)
        if new.fixed_units and existing.plan_version.plan_id != version.plan_id:
            raise errors.Invalid(
                "unsupported_value",
                "Units of its own are agreed on after a change of plan, not with it.",
                {"plan_overrides": ["unsupported_value"]},
            )
        found = _again(locked(existing.pk), customer, version, new, seen, actor, at)
        usage_thresholds.follow(
            subscription=found,
            values=new.usage_thresholds,
            is_disabled=new.progressive_billing_disabled,
            actor=actor,
            at=at,
        )
        return found
    if new.change_at is not None:
        raise _nothing_to_change()
    version, units = _priced(version, new, at)
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
        purchase_order_number=new.purchase_order_number or "",
        consolidate_invoice=new.consolidate_invoice is not False,
        billing_entity_id=subscription_sellers.chosen(code=new.billing_entity_code),
        custom_section_ids=subscription_sections.chosen(codes=new.custom_section_codes),
        progressive_billing_disabled=bool(new.progressive_billing_disabled),
    )
    terms.check_unused_time(option=subscription.on_termination_credit_note, pay_in_advance=version.pay_in_advance)
    start_if_due(subscription, at)
    # Somebody else may have taken the id since it was looked for.
    with uniqueness.told(billing_subscription_external_id="external_id"):
        subscription.save(force_insert=True)
    fixed_agreements.agree(subscription=subscription, units=units, at=at)
    activation_gates.agree(subscription=subscription, rules=new.activation_rules, at=at)
    usage_thresholds.begin(subscription=subscription, values=new.usage_thresholds or (), actor=actor, at=at)
    agreed_currencies.agree(customer=customer, currency=version.currency, actor=actor, at=at)
    audit.record(actor=actor, at=at, verb="create", instance=subscription, new=subscription_notes.facts(subscription))
    start_bills.bill(subscription=subscription, actor=actor, at=at)
    return subscription


@transaction.atomic
@tellings.gathered
def activate(*, subscription_id: int, actor: Actor, at: datetime) -> Subscription:
    """Start a waiting subscription whose local day has come. It starts at its ``subscription_at``, however late it is.

    Calling it again changes nothing, nor does calling it too early or for a change of plan, which has a day of its own.
    Raises InvalidTransition for one that is over.
    """
    subscription = locked(subscription_id)
    if subscription.status == Status.ACTIVE or subscription.previous_id is not None:
        return subscription
    states.next(state=subscription.status, verb=Verb.ACTIVATE)
    start_if_due(subscription, at)
    if subscription.status == Status.ACTIVE:
        subscription.updated_at = at
        subscription.save(update_fields=[*starts.FIELDS, "updated_at"])
        facts = subscription_notes.facts(subscription)
        audit.record(actor=actor, at=at, verb="activate", instance=subscription, new=facts)
        contract_turns.schedule_next(current=subscription, actor=actor, at=at)
        start_bills.bill(subscription=subscription, actor=actor, at=at)
    return subscription


def locked(subscription_id: int) -> Subscription:
    """Lock a subscription, its customer first, until the transaction ends. Raises SubscriptionNotFound."""
    customer = locked_customer(subscription_id)
    subscription = db.lock_one(Subscription.objects.select_related("plan_version__plan").filter(pk=subscription_id))
    subscription.customer = customer
    return subscription


def locked_customer(subscription_id: int) -> Customer:
    """Lock the customer of a subscription: who locks a plan too does so after this, and before the subscription.

    Raises SubscriptionNotFound.
    """
    customer_id = Subscription.objects.filter(pk=subscription_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise known.SubscriptionNotFound("subscription_not_found", "There is no such subscription.")
    return db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=customer_id))


def _locked_customer(found: Customer) -> Customer:
    customer = db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=found.pk))
    if customer.deleted_at is not None:
        raise errors.NotFound("customer_not_found", f"There is no customer {found.external_id}.")
    return customer


def held_version(plan_code: str, *, at: datetime) -> PlanVersion:
    """Read what is on sale under the lock of its plan: a version that is being published either finds the subscription
    to be made, or is the one that it is made on. One whose moment has come is on sale, however late its job is.
    """
    versions.turn(plan_id=known.current_version(plan_code).plan_id, at=at)
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
    if existing.status == Status.PAUSED and existing.plan_version.plan_id != version.plan_id:
        raise errors.NotAllowed("subscription_paused", "A paused subscription has to be resumed before it changes.")
    if existing.plan_version.plan_id == version.plan_id:
        _demand_agreed(existing, new, at)
        return existing
    if new.change_at is not None:
        raise _nothing_to_change()
    terms_of = ("name", "purchase_order_number", "consolidate_invoice", "billing_entity_id", "custom_section_ids")
    old = {"plan": existing.plan_version.plan.code, **{name: getattr(existing, name) for name in terms_of}}
    if new.own_terms:
        version = private_versions.make(version=version, terms=new.own_terms, at=at)
    existing.plan_version = version
    existing.name = new.name or existing.name
    existing.purchase_order_number = new.purchase_order_number or existing.purchase_order_number
    if new.consolidate_invoice is not None:
        existing.consolidate_invoice = new.consolidate_invoice
    seller_id = subscription_sellers.chosen(code=new.billing_entity_code)
    existing.billing_entity_id = seller_id or existing.billing_entity_id
    if new.custom_section_codes is not None:
        existing.custom_section_ids = subscription_sections.chosen(codes=new.custom_section_codes)
    existing.updated_at = at
    existing.save(update_fields=["plan_version", *terms_of, "updated_at"])
    facts = {"plan": version.plan.code, **{name: getattr(existing, name) for name in terms_of}}
    audit.record(actor=actor, at=at, verb="change", instance=existing, old=old, new=facts)
    tellings.tell(webhook_types.UPDATED, existing, at=at)
    return existing


def start_if_due(subscription: Subscription, at: datetime) -> None:
    """Make a waiting subscription run if its local day of start has come; the caller saves `starts.FIELDS`."""
    zone = dates.zone(subscription.customer.applicable_timezone)
    agreed = contract_starts.service_starts_at(subscription)
    if terms.starts_later(subscription_at=agreed, at=at, zone=zone):
        return
    earlier = known.billed_until(external_id=subscription.external_id)
    started_at = agreed if earlier is None else max(agreed, earlier)
    starts.begin(subscription, started_at=started_at)


def waits_for_its_start(subscription: Subscription) -> bool:
    """Say whether it has not begun yet, and is no change of plan."""
    return subscription.status == Status.PENDING and subscription.previous_id is None


def _change(
    current: Subscription, version: PlanVersion, new: NewSubscription, seen: str | None, actor: Actor, at: datetime
) -> Subscription:
    """Change the plan, as it was known before the locks were waited for: who waited decides on what is no more."""
    is_unchanged = plan_changes.state_of(current) == seen
    current = plan_changes.settle(current=current, actor=actor, at=at)
    wanted = Wanted(
        version=version,
        name=new.name,
        ending_at=new.ending_at,
        on_termination_invoice=new.on_termination_invoice,
        on_termination_credit_note=new.on_termination_credit_note,
        purchase_order_number=new.purchase_order_number,
        consolidate_invoice=new.consolidate_invoice,
        billing_entity_id=subscription_sellers.chosen(code=new.billing_entity_code),
        custom_section_ids=subscription_sections.chosen(codes=new.custom_section_codes),
    )
    waiting = plan_changes.pending(current)
    asked = waiting if waiting is not None and waiting.plan_version.plan_id == version.plan_id else current
    if plan_changes.is_agreed(current, wanted=wanted, when=new.change_at, at=at):
        _demand_agreed(asked, new, at)
        return current
    if not is_unchanged:
        raise plan_changes.conflict(current)
    terms.check_end(ending_at=new.ending_at, subscription_at=current.subscription_at, at=at)
    terms.check_unused_time(option=new.on_termination_credit_note, pay_in_advance=version.pay_in_advance)
    # A change that waits keeps the terms that were agreed for it when it gets another time.
    version = version if asked is current else asked.plan_version
    if new.own_terms:
        version = private_versions.make(version=version, terms=new.own_terms, at=at)
    wanted = replace(wanted, version=version)
    return plan_changes.change(current=current, wanted=wanted, when=new.change_at, actor=actor, at=at)


def _priced(version: PlanVersion, new: NewSubscription, at: datetime) -> tuple[PlanVersion, dict[str, Decimal]]:
    """Return the plan version of a new subscription with its own terms, and the numbers of units that it agreed on."""
    units = dict(new.fixed_units or {})
    if not new.own_terms:
        return version, units
    prices, rows = own_terms_input.apart(new.own_terms)
    priced = private_versions.make(version=version, terms=prices, at=at)
    keys = {charge.code: str(charge.key) for charge in priced.fixed_charges.all()}
    return priced, units | {str(row.get("id") or keys[row["code"]]): row["units"] for row in rows}


def _demand_agreed(existing: Subscription, new: NewSubscription, at: datetime) -> None:
    """Refuse own terms, and a seller, that the subscription does not have: a repeat changes and drops nothing."""
    subscription_sellers.demand_same(existing, code=new.billing_entity_code)
    if not new.own_terms:
        return
    prices, _ = own_terms_input.apart(new.own_terms)
    if not private_versions.has(version=existing.plan_version, terms=prices, at=at):
        raise errors.Invalid(
            "validation_errors",
            "The subscription has this plan already. Change its own terms by an update.",
            {own_terms_input.PATH: ["modification_not_allowed"]},
        )


def _same(waiting: Subscription, customer: Customer, version: PlanVersion, new: NewSubscription) -> Subscription:
    """Return the subscription that waits for its first payment, to whoever asks for it again; refuse anything else."""
    if waiting.customer_id != customer.pk:
        raise _taken(waiting.external_id)
    if waiting.plan_version.plan_id != version.plan_id:
        raise errors.Invalid("subscription_incomplete", "It waits for its first payment: it cannot change before.")
    subscription_sellers.demand_same(waiting, code=new.billing_entity_code)
    return waiting


def _demand_no_rules(existing: Subscription, version: PlanVersion, new: NewSubscription) -> None:
    if new.activation_rules and existing.plan_version.plan_id != version.plan_id:
        message = "A change of plan cannot wait for a payment."
        raise errors.Invalid("unsupported_value", message, {"activation_rules": ["unsupported_value"]})


def _taken(external_id: str) -> errors.Invalid:
    return errors.Invalid(
        "value_already_exist",
        f"Another subscription has the external id {external_id}.",
        {"external_id": ["value_already_exist"]},
    )


def _nothing_to_change() -> terms.InvalidTerms:
    return terms.InvalidTerms(
        "value_must_be_blank",
        "Only the change of a running subscription to another plan has a time of its own.",
        {"change_at": ["value_must_be_blank"]},
    )

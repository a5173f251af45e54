"""Subscriptions as readers want them: by their outer id, in lists, and what of plans and customers a contract needs.

Never writes. Which of a subscription's time is due is `contracts`' to read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Max, Min, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from billing.models import BilledPeriod, Subscription
from catalog.models import Charge, FixedCharge, Plan, PlanVersion
from catalog.queries import features
from config.kernel import errors
from customers.models import Customer

STATUSES = tuple(Subscription.Status.values)


class SubscriptionNotFound(errors.NotFound):
    """No subscription has this external id and status."""


@dataclass(frozen=True)
class SubscriptionFilter:
    """What a list is narrowed to; nothing given narrows nothing."""

    external_customer_id: str | None = None
    customer_id: int | None = None
    external_id: str | None = None
    plan_code: str | None = None
    currency: str | None = None
    statuses: Sequence[str] = (Subscription.Status.ACTIVE,)
    billing_entity_codes: Sequence[str] = ()
    overridden: bool | None = None


def search(wanted: SubscriptionFilter) -> QuerySet[Subscription]:
    """Return subscriptions, newest first, with plan, customer and billing entity at hand."""
    conditions = {
        "customer__external_id": wanted.external_customer_id,
        "customer_id": wanted.customer_id,
        "external_id": wanted.external_id,
        "plan_version__plan__code": wanted.plan_code,
        "plan_version__currency": wanted.currency,
        "status__in": wanted.statuses or None,
        "plan_version__base__isnull": None if wanted.overridden is None else not wanted.overridden,
    }
    rows = with_contract(Subscription.objects.all())
    if wanted.billing_entity_codes:
        seller = Coalesce("billing_entity__code", "customer__billing_entity__code")
        rows = rows.annotate(seller_code=seller).filter(seller_code__in=wanted.billing_entity_codes)
    return rows.filter(**{name: value for name, value in conditions.items() if value is not None})


def with_contract(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Bring along what every view of a subscription shows: plan, customer, billing entity, and changes of its plan."""
    return rows.select_related(
        "plan_version__plan", "customer__billing_entity", "billing_entity", "previous__plan_version__plan"
    ).prefetch_related("followers__plan_version__plan", "activation_rules")


def with_prices(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Bring along the whole price list as well."""
    charges = Charge.objects.select_related("metric", "pricing_unit").prefetch_related("filters", "taxes")
    fixed_charges = FixedCharge.objects.select_related("add_on").prefetch_related("taxes")
    return with_contract(rows).prefetch_related(
        "plan_version__taxes",
        Prefetch("plan_version__charges", queryset=charges),
        Prefetch("plan_version__fixed_charges", queryset=fixed_charges),
        "plan_version__usage_thresholds",
        "plan_version__minimum_commitment__taxes",
        features.with_given("plan_version__plan"),
    )


def find(*, external_id: str, status: str | None = None) -> Subscription:
    """Return the newest subscription of this external id in a status: by default the active one, or else the paused
    one. Raises SubscriptionNotFound.
    """
    statuses = [Subscription.Status.ACTIVE, Subscription.Status.PAUSED] if status is None else [status]
    rows = with_prices(Subscription.objects.filter(external_id=external_id, status__in=statuses))
    found = rows.order_by("-created_at", "-pk").first()
    if found is None:
        wanted = statuses[0]
        raise SubscriptionNotFound("subscription_not_found", f"There is no {wanted} subscription {external_id}.")
    return found


def living(external_id: str) -> Subscription | None:
    """Return the active or paused subscription of this external id, or the one that waits for its start.

    There is one at most.

    A change of plan that waits for the end of a period is not it.
    """
    rows = Subscription.objects.filter(
        Q(status__in=[Subscription.Status.ACTIVE, Subscription.Status.PAUSED])
        | Q(status=Subscription.Status.PENDING, previous__isnull=True),
        external_id=external_id,
    )
    return rows.select_related("plan_version__plan", "customer").first()


def waiting_for_payment(external_id: str) -> Subscription | None:
    """Return the subscription of this external id that waits for its first payment; there is one at most."""
    rows = Subscription.objects.filter(external_id=external_id, status=Subscription.Status.INCOMPLETE)
    return rows.select_related("plan_version__plan", "customer").first()


def billed_until(*, external_id: str) -> datetime | None:
    """Return until when ended subscriptions of this external id, of any customer, billed its events or still may.

    That is the end of one with a last invoice or with a billing day still open, and the end of what invoices cover.
    Nothing where there was none.
    """
    ended = Subscription.objects.filter(
        Q(on_termination_invoice=Subscription.OnTermination.GENERATE) | Q(next_billing_date__isnull=False),
        external_id=external_id,
        status=Subscription.Status.TERMINATED,
    ).aggregate(at=Max("terminated_at"))["at"]
    covered = BilledPeriod.objects.filter(
        subscription__external_id=external_id,
        subscription__status=Subscription.Status.TERMINATED,
        released_at__isnull=True,
        charges_to_at__gt=F("charges_from_at"),
    )
    covered = covered.exclude(reason__in=BilledPeriod.WITHIN).aggregate(at=Max("charges_to_at"))["at"]
    return max((at for at in (ended, covered) if at is not None), default=None)


def first_started_at(*, external_id: str, customer_id: int) -> datetime | None:
    """Return the earliest start of a customer's subscriptions of this external id, from which trials are counted."""
    rows = Subscription.objects.filter(external_id=external_id, customer_id=customer_id)
    found: datetime | None = rows.aggregate(at=Min("started_at"))["at"]
    return found


def in_ended_trials(*, as_of: datetime) -> QuerySet[Subscription]:
    """Return active subscriptions whose trial has ended by then and was not dealt with, with their terms."""
    rows = Subscription.objects.filter(
        status=Subscription.Status.ACTIVE, trial_ended_at__isnull=True, trial_ends_at__lte=as_of
    )
    return with_contract(rows)


def customer(external_id: str) -> Customer:
    """Return a customer by external id, with its billing entity. Raises NotFound (`customer_not_found`)."""
    rows = Customer.objects.filter(external_id=external_id, deleted_at__isnull=True)
    found = rows.select_related("billing_entity").first()
    if found is None:
        raise errors.NotFound("customer_not_found", f"There is no customer {external_id}.")
    return found


def current_version(plan_code: str) -> PlanVersion:
    """Return what is on sale under a plan's code. Raises NotFound (`plan_not_found`)."""
    plan = Plan.objects.filter(code=plan_code, deleted_at__isnull=True, deletion_asked_at__isnull=True).first()
    version = None if plan is None else PlanVersion.objects.filter(plan=plan, is_current=True).first()
    if plan is None or version is None:
        raise errors.NotFound("plan_not_found", f"There is no plan {plan_code}.")
    version.plan = plan
    return version

"""The usage of a running period: what a subscription's usage comes to so far. Owns composing it; nothing is stored.

It is rated as the invoice will be, so that the invoice of the period holds the same figures when no more events come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from moneyed import Money

from billing.domain import boundaries, rating
from billing.domain.boundaries import Terms
from billing.domain.contract import ContractFacts, FilterFacts
from billing.domain.rating import RatedItem
from billing.models import Subscription
from billing.queries import aggregates, contracts, event_windows, price_lists
from billing.queries.price_lists import PricedCharge, PriceList
from catalog.models import BillableMetric
from config.kernel import errors, money
from config.kernel.dates import Period
from customers.models import Customer
from invoicing.domain import totals
from invoicing.domain.totals import Taxed
from invoicing.queries import taxes

_INSTANT = timedelta(microseconds=1)
ZERO = Decimal(0)


class NoActiveSubscription(errors.NotAllowed):
    """The customer has no active subscription of that external id."""


@dataclass(frozen=True, slots=True)
class BucketUsage:
    """The usage of one filter, or of the charge's own price, in a running period. The amount is rounded."""

    price_filter: FilterFacts | None
    units: Decimal
    events_count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """The usage of one charge: the buckets' sum, and the buckets (one without filters)."""

    charge: PricedCharge
    metric: BillableMetric
    buckets: tuple[BucketUsage, ...]
    units: Decimal
    events_count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """The usage of a subscription in the running period until now; ``ends_at`` is when the period ends."""

    subscription: Subscription
    currency: str
    from_at: datetime
    ends_at: datetime
    charges: tuple[ChargeUsage, ...]
    amount: Taxed


def read(
    *,
    external_customer_id: str,
    external_subscription_id: str,
    at: datetime,
    apply_taxes: bool = True,
    charge_key: str | None = None,
    charge_code: str | None = None,
    metric_code: str | None = None,
) -> CurrentUsage:
    """Return the usage of the period that runs at ``at``, that instant included, by the names of metrics.

    Charges without usage are there with zeros. The period is the plan's, in the customer's time zone, and starts no
    earlier than the subscription; after a change of the time zone it goes on where the last invoice ended. Amounts are
    rounded once per charge and filter, taxes as on an invoice. The last
    three arguments narrow the charges, and with them the totals. Raises NotFound (`customer_not_found`) and
    NoActiveSubscription.
    """
    subscription = _subscription(external_customer_id, external_subscription_id)
    standing = contracts.standing(subscription)
    stretch = boundaries.boundaries(
        terms=Terms(standing.schedule),
        started_at=standing.started_at,
        billing_at=at,
        current_usage=True,
        charges_billed_until=contracts.charges_billed_until(subscription),
    ).charges
    if stretch is None:  # only plans that bill usage apart have times without it
        raise NoActiveSubscription("no_active_subscription")
    until = max(stretch.start, min(stretch.end, at + _INSTANT))
    prices = price_lists.load(version_ids=[subscription.plan_version_id])[subscription.plan_version_id]
    wanted = [
        charge
        for charge in prices.charges
        if charge_key in (None, charge.key)
        and charge_code in (None, charge.code)
        and metric_code in (None, charge.metric.code)
    ]
    charges = _rated(subscription, prices, wanted, Period(stretch.start, until))
    return CurrentUsage(
        subscription=subscription,
        currency=prices.currency,
        from_at=stretch.start,
        ends_at=stretch.end,
        charges=charges,
        amount=_total(subscription.customer, prices, charges, apply_taxes=apply_taxes),
    )


def _subscription(external_customer_id: str, external_subscription_id: str) -> Subscription:
    customer = Customer.objects.filter(external_id=external_customer_id, deleted_at__isnull=True).first()
    if customer is None:
        raise errors.NotFound("customer_not_found", f"There is no customer {external_customer_id}.")
    found = (
        Subscription.objects.filter(
            customer=customer, external_id=external_subscription_id, status=Subscription.Status.ACTIVE
        )
        .select_related("plan_version", "customer__billing_entity")
        .first()
    )
    if found is None:
        raise NoActiveSubscription("no_active_subscription", "There is no active subscription of that external id.")
    return found


def _rated(
    subscription: Subscription, prices: PriceList, charges: Sequence[PricedCharge], period: Period
) -> tuple[ChargeUsage, ...]:
    windows = [
        event_windows.of_charge(
            id=charge.key, charge=charge, external_subscription_id=subscription.external_id, period=period
        )
        for charge in charges
    ]
    usage = aggregates.usage(windows=windows)
    facts = ContractFacts(
        subscription_id=str(subscription.uuid),
        plan_id=prices.plan_uuid,
        plan_version=prices.number,
        currency=prices.currency,
        timezone=subscription.customer.applicable_timezone,
        charges=[charge.facts(period=period, usage=usage[charge.key]) for charge in charges],
    )
    items = {(item.charge_id, item.filter_id): item for item in rating.rate(facts)}
    metrics = BillableMetric.objects.in_bulk({charge.metric.id for charge in charges})
    found = [_of_charge(charge, metrics[charge.metric.id], items, prices.currency) for charge in charges]
    return tuple(sorted(found, key=lambda one: one.metric.name))


def _of_charge(
    charge: PricedCharge,
    metric: BillableMetric,
    items: dict[tuple[object, object], RatedItem],
    currency: str,
) -> ChargeUsage:
    buckets = tuple(
        _bucket(price_filter, items.get((charge.key, price_filter and price_filter.id)), currency)
        for price_filter in (*charge.filters, None)
    )
    return ChargeUsage(
        charge=charge,
        metric=metric,
        buckets=buckets,
        units=sum((bucket.units for bucket in buckets), ZERO),
        events_count=sum(bucket.events_count for bucket in buckets),
        amount=sum((bucket.amount for bucket in buckets), money.zero(currency)),
    )


def _bucket(price_filter: FilterFacts | None, item: RatedItem | None, currency: str) -> BucketUsage:
    if item is None:
        return BucketUsage(price_filter, ZERO, 0, money.zero(currency))
    return BucketUsage(price_filter, item.units, item.events_count, item.amount)


def _total(customer: Customer, prices: PriceList, charges: Sequence[ChargeUsage], *, apply_taxes: bool) -> Taxed:
    book = taxes.book(
        customer_ids=[customer.pk],
        billing_entity_ids=[customer.billing_entity_id],
        tax_ids={tax_id for one in charges for tax_id in one.charge.tax_ids or prices.tax_ids},
    )
    lines = []
    for one in charges:
        rates = book.for_line(
            customer_id=customer.pk,
            billing_entity_id=customer.billing_entity_id,
            tax_ids=one.charge.tax_ids or prices.tax_ids,
        )
        lines += [(bucket.amount, rates if apply_taxes else ()) for bucket in one.buckets]
    return totals.total(lines=lines, currency=prices.currency).amount

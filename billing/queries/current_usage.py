"""The usage of a running period: what a subscription's usage comes to so far. Owns composing it; nothing is stored.

It is rated as the invoice will be, so that the invoice of the period holds the same figures when no more events come.
"""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from moneyed import Money

from billing.domain import boundaries, rating
from billing.domain.contract import ContractFacts, FilterFacts
from billing.domain.held_time import HeldTime
from billing.domain.rating import RatedItem
from billing.models import Subscription
from billing.queries import aggregates, contracts, event_windows, price_lists
from billing.queries.price_lists import PricedCharge, PriceList
from catalog.domain.pricing import groups
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
    """The usage of one filter, or of the charge's own price, and of one group in a running period. The amount is
    rounded.
    """

    price_filter: FilterFacts | None
    group: Mapping[str, str | None]
    units: Decimal
    events_count: int
    amount: Money


@dataclass(frozen=True, slots=True)
class ChargeUsage:
    """The usage of one charge, or of a part of it: the buckets (one without filters and groups), and their sum."""

    charge: PricedCharge
    metric: BillableMetric
    buckets: tuple[BucketUsage, ...]

    @property
    def units(self) -> Decimal:
        """Return the units of all buckets."""
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            return sum((bucket.units for bucket in self.buckets), ZERO)

    @property
    def events_count(self) -> int:
        """Return the number of events of all buckets."""
        return sum(bucket.events_count for bucket in self.buckets)

    @property
    def amount(self) -> Money:
        """Return the sum of the buckets' rounded amounts."""
        return sum((bucket.amount for bucket in self.buckets), money.zero(self.charge.currency))

    def by_filter(self) -> list[tuple[FilterFacts | None, ChargeUsage]]:
        """Return the usage of each filter, what no filter takes last; groups are put together."""
        wanted: tuple[FilterFacts | None, ...] = (*self.charge.filters, None)
        return [(one, self._part([bucket for bucket in self.buckets if bucket.price_filter == one])) for one in wanted]

    def by_group(self) -> list[tuple[Mapping[str, str | None], ChargeUsage]]:
        """Return the usage of each group; filters are put together. Without groups there is nothing to return."""
        found: dict[tuple[tuple[str, str | None], ...], list[BucketUsage]] = {}
        for bucket in self.buckets:
            found.setdefault(tuple(bucket.group.items()), []).append(bucket)
        return [(dict(group), self._part(buckets)) for group, buckets in found.items()] if any(found) else []

    def _part(self, buckets: Sequence[BucketUsage]) -> ChargeUsage:
        return replace(self, buckets=tuple(buckets))


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
    rounded once per charge, filter and group, taxes as on an invoice. The last three arguments narrow the charges, and
    with them the totals. Raises NotFound (`customer_not_found`) and
    NoActiveSubscription.
    """
    subscription = _subscription(external_customer_id, external_subscription_id)
    standing = contracts.standing(subscription)
    stretch = boundaries.boundaries(
        terms=standing.terms,
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
    held = HeldTime(Period(stretch.start, stretch.end), stretch.natural, standing.schedule.timezone)
    charges = _rated(subscription, prices, wanted, Period(stretch.start, until), held)
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
    subscription: Subscription, prices: PriceList, charges: Sequence[PricedCharge], period: Period, held: HeldTime
) -> tuple[ChargeUsage, ...]:
    windows = [
        event_windows.of_charge(
            id=charge.key,
            charge=charge,
            external_subscription_id=subscription.external_id,
            period=period,
            held=held,
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
    items: dict[tuple[object, object], list[RatedItem]] = defaultdict(list)
    for item in rating.rate(facts):
        items[item.charge_id, item.filter_id].append(item)
    metrics = BillableMetric.objects.in_bulk({charge.metric.id for charge in charges})
    found = [_of_charge(charge, metrics[charge.metric.id], items, prices.currency) for charge in charges]
    return tuple(sorted(found, key=lambda one: one.metric.name))


def _of_charge(
    charge: PricedCharge,
    metric: BillableMetric,
    items: Mapping[tuple[object, object], Sequence[RatedItem]],
    currency: str,
) -> ChargeUsage:
    buckets: list[BucketUsage] = []
    for price_filter in (*charge.filters, None):
        found = items.get((charge.key, price_filter and price_filter.id), ())
        buckets += [BucketUsage(price_filter, one.group, one.units, one.events_count, one.amount) for one in found]
        if not found:
            raw = charge.properties if price_filter is None else price_filter.properties
            buckets.append(BucketUsage(price_filter, groups.nowhere(raw), ZERO, 0, money.zero(currency)))
    return ChargeUsage(charge, metric, tuple(buckets))


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

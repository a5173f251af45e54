"""The usage of a running period: what a subscription's usage comes to so far. Owns putting it into the parts that are
shown, with their taxes; nothing is stored.

It is rated as the invoice will be, so that the invoice of the period holds the same figures when no more events come.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from billing.domain.contract import FilterFacts
from billing.domain.rating import RatedItem
from billing.models import Subscription
from billing.queries import running_usage
from billing.queries.price_lists import PricedCharge
from billing.queries.running_usage import EVERYTHING, Running, Wanted
from billing.queries.usage_parts import ZERO, BucketUsage, ChargeUsage, Projection
from catalog.domain.pricing import groups
from config.kernel import dates, money
from invoicing.domain import taxed_lines, totals
from invoicing.domain.tax import TaxRate
from invoicing.domain.taxed_lines import TaxedPrice
from invoicing.domain.totals import Taxed
from invoicing.queries import taxes

NoActiveSubscription = running_usage.NoActiveSubscription

Project = Callable[[PricedCharge, RatedItem], Projection]
"""What an item is expected to come to at the end of the period."""


@dataclass(frozen=True, slots=True)
class CurrentUsage:
    """The usage of a subscription in the running period until now; ``ends_at`` is when the period ends."""

    subscription: Subscription
    currency: str
    from_at: datetime
    ends_at: datetime
    charges: tuple[ChargeUsage, ...]
    amount: Taxed

    @property
    def projected_amount(self) -> Money:
        """Return the net amount that is expected at the end of the period."""
        return sum((one.projected_amount for one in self.charges), money.zero(self.currency))


def read(
    *,
    external_customer_id: str,
    external_subscription_id: str,
    at: datetime,
    apply_taxes: bool = True,
    wanted: Wanted = EVERYTHING,
    breakdown_values: Collection[str] | None = None,
    skip_grouping: bool = False,
) -> CurrentUsage:
    """Return the usage of the period that runs at ``at``, that instant included, by the names of metrics.

    Charges without usage are there with zeros. Amounts are rounded once per charge, filter and group, taxes as on an
    invoice. What is ``wanted`` narrows the charges and groups, and with them the totals. ``breakdown_values`` keeps the
    breakdowns that have one of these values; ``skip_grouping`` prices the groups apart as always and shows them
    together. Raises what `running_usage.read` raises.
    """
    running = running_usage.read(
        external_customer_id=external_customer_id,
        external_subscription_id=external_subscription_id,
        at=at,
        wanted=wanted,
    )
    usage = shown(running, wanted=wanted, apply_taxes=apply_taxes)
    if breakdown_values is None and not skip_grouping:
        return usage
    charges = tuple(_narrowed(one, breakdown_values, skip_grouping=skip_grouping) for one in usage.charges)
    return replace(usage, charges=charges)


def shown(
    running: Running, *, wanted: Wanted = EVERYTHING, apply_taxes: bool = True, project: Project | None = None
) -> CurrentUsage:
    """Return rated usage in the parts that are shown, by the names of metrics, taxed as on an invoice.

    Amounts are net: of prices that include their taxes what is left of them, also where taxes are not shown.
    """
    rates = _rates(running, apply_taxes=apply_taxes)
    charges = [
        ChargeUsage(
            charge,
            charge.metric,
            running.prices.currency,
            tuple(
                bucket
                for bucket in _buckets(running, charge, rates[charge.key], project)
                if wanted.takes_group(bucket.group)
            ),
        )
        for charge in running.charges
        if not wanted.group or any(wanted.group.keys() <= set(groups.parse(raw)) for raw in _properties(charge))
    ]
    if not apply_taxes:
        charges = [replace(one, buckets=tuple(_untaxed(bucket) for bucket in one.buckets)) for one in charges]
        rates = dict.fromkeys(rates, ())
    buckets = [(bucket, rates[one.charge.key]) for one in charges for bucket in one.buckets]
    return CurrentUsage(
        subscription=running.subscription,
        currency=running.prices.currency,
        from_at=running.from_at,
        ends_at=running.stretch.end,
        charges=tuple(sorted(charges, key=lambda one: one.metric.name)),
        amount=totals.total(
            lines=[(bucket.amount, taxes) for bucket, taxes in buckets],
            currency=running.prices.currency,
            gross=[bucket.gross for bucket, _ in buckets],
        ).amount,
    )


def _properties(charge: PricedCharge) -> list[Mapping[str, object]]:
    return [charge.properties, *(one.properties for one in charge.filters)]


def _buckets(
    running: Running, charge: PricedCharge, rates: Sequence[TaxRate], project: Project | None
) -> list[BucketUsage]:
    buckets: list[BucketUsage] = []
    for price_filter in (*charge.filters, None):
        found = running.items.get((charge.key, price_filter and price_filter.id), ())
        buckets += [_bucket(charge, price_filter, item, rates, project) for item in found]
        if not found:
            buckets.append(_nothing(charge, price_filter, running.prices.currency, project))
    return buckets


def _bucket(
    charge: PricedCharge,
    price_filter: FilterFacts | None,
    item: RatedItem,
    rates: Sequence[TaxRate],
    project: Project | None,
) -> BucketUsage:
    found = _priced(charge, item.amount, rates)
    projection = None if project is None else project(charge, item)
    if projection is not None:
        projection = replace(projection, amount=_priced(charge, projection.amount, rates).net)
    return BucketUsage(
        price_filter=price_filter,
        group=item.group,
        units=item.units,
        events_count=item.events_count,
        amount=found.net,
        total_units=item.units if item.total_units is None else item.total_units,
        tax=found.taxes.amount,
        gross=found.gross,
        unit_amount=ZERO if item.pricing_unit is None else Decimal(item.pricing_unit["amount"]),
        breakdowns=tuple(item.breakdowns),
        projection=projection,
    )


def _priced(charge: PricedCharge, amount: Money, rates: Sequence[TaxRate]) -> TaxedPrice:
    return taxed_lines.price(amount=amount, rates=rates, is_tax_inclusive=charge.is_tax_inclusive)


def _untaxed(bucket: BucketUsage) -> BucketUsage:
    return replace(bucket, tax=money.zero(bucket.amount.currency.code), gross=None)


def _nothing(
    charge: PricedCharge, price_filter: FilterFacts | None, currency: str, project: Project | None
) -> BucketUsage:
    raw = charge.properties if price_filter is None else price_filter.properties
    none = money.zero(currency)
    projection = None if project is None else Projection(ZERO, none)
    return BucketUsage(price_filter, groups.nowhere(raw), ZERO, 0, none, ZERO, none, projection=projection)


def _rates(running: Running, *, apply_taxes: bool) -> dict[str, tuple[TaxRate, ...]]:
    """Return the taxes of each charge, by its key; without ``apply_taxes`` only of those whose prices include them."""
    customer, seller_id = running.subscription.customer, running.subscription.seller_id
    none: dict[str, tuple[TaxRate, ...]] = {charge.key: () for charge in running.charges}
    wanted = [charge for charge in running.charges if apply_taxes or charge.is_tax_inclusive]
    if not wanted:
        return none
    by_charge = {charge.key: charge.tax_ids or running.prices.tax_ids for charge in wanted}
    book = taxes.book(
        customer_ids=[customer.pk],
        billing_entity_ids=[seller_id],
        tax_ids={tax_id for tax_ids in by_charge.values() for tax_id in tax_ids},
    )
    # The day on which this period will be billed.
    day = dates.local_date(running.stretch.end, dates.zone(customer.applicable_timezone))
    return none | {
        key: book.for_line(customer_id=customer.pk, billing_entity_id=seller_id, on=day, tax_ids=tax_ids)
        for key, tax_ids in by_charge.items()
    }


def _narrowed(usage: ChargeUsage, values: Collection[str] | None, *, skip_grouping: bool) -> ChargeUsage:
    buckets = usage.buckets
    if values is not None:
        buckets = tuple(
            replace(
                bucket,
                breakdowns=tuple(
                    row for row in bucket.breakdowns if not set(values).isdisjoint(row["presentation_by"].values())
                ),
            )
            for bucket in buckets
        )
    if skip_grouping:
        buckets = tuple(replace(bucket, group={}) for bucket in buckets)
    return replace(usage, buckets=buckets)

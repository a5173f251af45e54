"""The usage of a running period, rated as its invoice will be. Owns which time that is and composing the rating; what
it is shown as, now or projected, is `current_usage`'s and `projected_usage`'s. Nothing is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.domain import boundaries, pauses, rating
from billing.domain.boundaries import Stretch
from billing.domain.contract import ContractFacts
from billing.domain.held_time import HeldTime
from billing.domain.rating import RatedItem
from billing.domain.standing import Standing
from billing.models import Subscription
from billing.queries import advance_usage, aggregates, contracts, event_windows, known_price_lists
from billing.queries.price_lists import PricedCharge, PriceList
from config.kernel import errors
from config.kernel.dates import Period
from customers.models import Customer

_INSTANT = timedelta(microseconds=1)

Items = Mapping[tuple[object, object], Sequence[RatedItem]]
"""Rated items by the keys of charge and filter."""


class NoActiveSubscription(errors.NotAllowed):
    """The customer has no active subscription of that external id."""


class FullUsageNotAllowed(errors.NotAllowed):
    """Usage since the start was asked for without saying of what, or of units that are counted by their time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What usage is narrowed to; nothing given narrows nothing.

    ``group`` are values of the properties that usage is grouped by: charges that are not grouped by them are left out.
    With ``is_full`` it is the usage since the start of the subscription, not that of the running period.
    """

    charge_key: str | None = None
    charge_code: str | None = None
    metric_code: str | None = None
    group: Mapping[str, str] = field(default_factory=dict)
    is_full: bool = False

    def takes(self, charge: PricedCharge) -> bool:
        """Say whether usage of this charge is wanted."""
        return (
            self.charge_key in (None, charge.key)
            and self.charge_code in (None, charge.code)
            and self.metric_code in (None, charge.metric.code)
        )

    def takes_group(self, group: Mapping[str, str | None]) -> bool:
        """Say whether usage of this group is wanted."""
        return all(group.get(name) == value for name, value in self.group.items())


EVERYTHING = Wanted()


@dataclass(frozen=True, slots=True)
class Running:
    """What a subscription used in a running period until now, rated. ``stretch`` is the whole period."""

    subscription: Subscription
    prices: PriceList
    charges: tuple[PricedCharge, ...]
    stretch: Stretch
    from_at: datetime
    items: Items


def read(
    *, external_customer_id: str, external_subscription_id: str, at: datetime, wanted: Wanted = EVERYTHING
) -> Running:
    """Rate the usage of the period that runs at ``at``, that instant included.

    The period is the plan's, in the customer's time zone, and starts no earlier than the subscription; after a change
    of the time zone it goes on where the last invoice ended. Raises NotFound (`customer_not_found`),
    NoActiveSubscription, FullUsageNotAllowed, and what rating raises.
    """
    subscription = _subscription(external_customer_id, external_subscription_id)
    prices = known_price_lists.of_version(subscription.plan_version_id)
    standing = contracts.standing(subscription, in_advance={one.pay_in_advance for one in prices.fixed_charges})
    stretch = boundaries.boundaries(
        terms=standing.terms,
        started_at=standing.started_at,
        billing_at=at,
        current_usage=True,
        charges_billed_until=contracts.charges_billed_until(subscription),
    ).charges
    if stretch is None:  # only plans that bill usage apart have times without it
        raise NoActiveSubscription("no_active_subscription", "No usage is billed of that subscription now.")
    charges = tuple(
        charge
        for charge in prices.charges
        if wanted.takes(charge) and (charge.pay_in_advance or not _is_billed(standing, stretch, charge))
    )
    from_at = stretch.start
    if wanted.is_full:
        _demand_full(wanted, charges)
        from_at = min(standing.started_at, stretch.start)
    until = max(from_at, min(stretch.end, at + _INSTANT))
    held = HeldTime(
        Period(stretch.start, stretch.end),
        stretch.natural,
        standing.schedule.timezone,
        skips_first_day=pauses.skips_first_day(standing, Period(stretch.start, stretch.end)),
    )
    items = _rated(subscription, prices, charges, Period(from_at, until), held)
    return Running(subscription, prices, charges, stretch, from_at, items)


def _is_billed(where: Standing, stretch: Stretch, charge: PricedCharge) -> bool:
    """Say whether a pause in this period billed the units of a charge for all of it."""
    return pauses.billed_before(
        where, stretch.natural, is_recurring=charge.metric.is_recurring, is_prorated=charge.counts_time
    )


def _subscription(external_customer_id: str, external_subscription_id: str) -> Subscription:
    rows = Subscription.objects.filter(
        customer__external_id=external_customer_id,
        customer__deleted_at__isnull=True,
        external_id=external_subscription_id,
        status=Subscription.Status.ACTIVE,
    )
    found = next(iter(rows.select_related("plan_version", "customer__billing_entity").order_by()[:1]), None)
    if found is None:
        if not Customer.objects.filter(external_id=external_customer_id, deleted_at__isnull=True).exists():
            raise errors.NotFound("customer_not_found", f"There is no customer {external_customer_id}.")
        raise NoActiveSubscription("no_active_subscription", "There is no active subscription of that external id.")
    return found


def _demand_full(wanted: Wanted, charges: Sequence[PricedCharge]) -> None:
    if wanted.charge_key is None and wanted.charge_code is None and not wanted.group:
        message = "Usage since the start is shown of one charge or group only."
        raise FullUsageNotAllowed("full_usage_not_allowed", message)
    if any(charge.counts_time for charge in charges):
        message = "Units that are counted by their time have no usage since the start."
        raise FullUsageNotAllowed("full_usage_not_allowed", message)
    if any(charge.pay_in_advance for charge in charges):
        message = "What is paid in advance is measured by the highest level of each period, not since the start."
        raise FullUsageNotAllowed("full_usage_not_allowed", message)


def _rated(
    subscription: Subscription, prices: PriceList, charges: Sequence[PricedCharge], period: Period, held: HeldTime
) -> Items:
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
    levels = advance_usage.levels(
        subscription_id=subscription.pk,
        started_at=subscription.started_at or period.start,
        from_at=period.start,
        charges=charges,
    )
    priced = {
        charge.key: advance_usage.billed(charge=charge, usage=usage[charge.key], levels=levels) for charge in charges
    }
    facts = ContractFacts(
        subscription_id=str(subscription.uuid),
        plan_id=prices.plan_uuid,
        plan_version=prices.number,
        currency=prices.currency,
        timezone=subscription.customer.applicable_timezone,
        charges=[charge.facts(period=period, usage=priced[charge.key][0]) for charge in charges],
    )
    items: dict[tuple[object, object], list[RatedItem]] = defaultdict(list)
    for item in rating.rate(facts):
        shown = priced[str(item.charge_id)][1]
        items[item.charge_id, item.filter_id].append(advance_usage.as_shown(item, shown))
    return items

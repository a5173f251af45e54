"""What alerts and spend caps watch: the usage of a subscription at an instant, as values. Owns which figure each kind
of alert means. The usage is rated once for all of them. Never writes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from billing.domain import aggregation, held_time
from billing.domain.alerts import AlertType
from billing.models import Subscription
from billing.queries import (
    aggregates,
    contracts,
    current_usage,
    event_windows,
    lifetime_usage,
    running_usage,
    subscriptions,
)
from billing.queries.current_usage import CurrentUsage
from billing.queries.running_usage import Running
from config.kernel import money
from config.kernel.dates import Period

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Watched:
    """The usage of a running period, and by need that of all time; amounts in minor units, net."""

    subscription: Subscription
    running: Running
    usage: CurrentUsage
    at: datetime
    _known: dict[tuple[AlertType, str], Decimal] = field(default_factory=dict)

    @property
    def period(self) -> Period:
        """Return the whole period that runs, half-open."""
        return Period(self.running.stretch.start, self.running.stretch.end)

    @property
    def spent_cents(self) -> int:
        """Return what was used in the period, net."""
        return money.to_minor(self.usage.amount.net)

    def value(self, *, alert_type: AlertType, metric_code: str = "") -> Decimal:
        """Return the value that an alert of this kind watches; each is read once. Units are not rounded."""
        key = (alert_type, metric_code)
        if key not in self._known:
            self._known[key] = self._value(alert_type, metric_code)
        return self._known[key]

    def _value(self, alert_type: AlertType, metric_code: str) -> Decimal:
        charges = [one for one in self.usage.charges if one.metric.code == metric_code]
        match alert_type:
            case AlertType.CURRENT_USAGE_AMOUNT:
                return Decimal(self.spent_cents)
            case AlertType.LIFETIME_USAGE_AMOUNT:
                found = lifetime_usage.of(subscription=self.subscription, at=self.at, running=self.usage)
                return Decimal(money.to_minor(found.total))
            case AlertType.METRIC_CURRENT_USAGE_AMOUNT:
                return Decimal(sum(money.to_minor(one.amount) for one in charges))
            case AlertType.METRIC_CURRENT_USAGE_UNITS:
                return sum((one.units for one in charges), Decimal(0))
            case AlertType.METRIC_LIFETIME_USAGE_UNITS:
                timed = {charge.key for charge in self.running.charges if charge.counts_time}
                levels = sum((one.total_units for one in charges if one.charge.key in timed), Decimal(0))
                keys = {one.charge.key for one in charges} - timed
                return levels + _lifetime_units(self.subscription, self.running, keys, self.at)


def read(*, subscription: Subscription, at: datetime) -> Watched | None:
    """Return the usage of a subscription at ``at``, that instant included; nothing where no usage is billed then.

    Raises what rating raises.
    """
    try:
        running = running_usage.read(
            external_customer_id=subscription.customer.external_id,
            external_subscription_id=subscription.external_id,
            at=at,
        )
    except running_usage.NoActiveSubscription:
        return None
    return Watched(subscription, running, current_usage.shown(running, apply_taxes=False), at)


def _lifetime_units(subscription: Subscription, running: Running, keys: Collection[str], at: datetime) -> Decimal:
    """Return the units of charges from the first start of the external id on, as the present plan counts them."""
    charges = [charge for charge in running.charges if charge.key in keys]
    if not charges:
        return Decimal(0)
    first = subscriptions.first_started_at(external_id=subscription.external_id, customer_id=subscription.customer_id)
    start = min(first or running.from_at, running.from_at)
    period = Period(start, max(start, at + _INSTANT))
    stretch = Period(running.stretch.start, running.stretch.end)
    held = held_time.of(contracts.schedule_of(subscription), stretch)
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
    found = (
        aggregation.units(facts=part.facts, rounding_rule=charge.metric.rounding)
        for charge in charges
        for part in usage[charge.key]
    )
    return sum(found, Decimal(0))

"""The usage of a subscription since its first day, through all changes of its plan. Owns adding up what was used before
it was billed here, what was billed, and what the running period comes to so far.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Q, Sum, Value
from django.db.models.expressions import Combinable
from moneyed import Money

from billing.models import LifetimeUsage, RatedCharge, Subscription
from billing.queries import current_usage, subscriptions
from billing.queries.current_usage import CurrentUsage
from config.kernel import money
from invoicing.domain import states
from invoicing.models import Invoice


@dataclass(frozen=True, slots=True)
class Lifetime:
    """What was used in all, net, in the subscription's currency: before, billed, and not billed yet."""

    public_id: uuid.UUID
    subscription: Subscription
    historical: Money
    invoiced: Money
    current: Money
    from_at: datetime
    to_at: datetime

    @property
    def total(self) -> Money:
        """Return all of it."""
        return self.historical + self.invoiced + self.current


def public_id(subscription: Subscription) -> uuid.UUID:
    """Return the public id of a subscription's lifetime usage: the same before and after anything was told of it."""
    return uuid.uuid5(subscription.customer.uuid, subscription.external_id)


def subscription(*, external_id: str) -> Subscription:
    """Return the active subscription of this external id, else the newest that has ended. Raises NotFound."""
    try:
        return subscriptions.find(external_id=external_id)
    except subscriptions.SubscriptionNotFound:
        return subscriptions.find(external_id=external_id, status=Subscription.Status.TERMINATED)


def read(*, subscription: Subscription, at: datetime) -> Lifetime:
    """Return the lifetime usage of a started subscription at ``at``. Amounts are net of taxes.

    Billed are the usage lines of drafts and issued invoices, and fees that stand alone, of every subscription of the
    customer with this external id, in the subscription's currency; what was billed at usage thresholds counts with its
    period. What was billed in advance for the running period,
    event by event or at its renewal, is counted with that period's usage, once.
    """
    return of(subscription=subscription, at=at, running=_running(subscription, at))


def of(*, subscription: Subscription, at: datetime, running: CurrentUsage | None) -> Lifetime:
    """Return the lifetime usage as `read` does where the usage of the running period, if there is one, is known."""
    currency = subscription.plan_version.currency
    billed = Q(line__invoice__isnull=True) | Q(line__invoice__status__in=[*states.UNISSUED, Invoice.Status.FINALIZED])
    lines = RatedCharge.objects.filter(
        billed,
        subscription__customer=subscription.customer_id,
        subscription__external_id=subscription.external_id,
        charge__isnull=False,
        released_at__isnull=True,
        is_progressive=False,
        line__currency=currency,
    )
    if running is not None:
        lines = lines.annotate(
            before=_duration(Value(running.from_at, DateTimeField()) - F("from_at")),
            after=_duration(F("to_at") - Value(running.from_at, DateTimeField())),
        ).exclude(
            # Most of its time is in the running period: a change of the time zone moves both by some hours.
            after__gt=F("before"),
            charge__pay_in_advance=True,
            charge__key__in=[one.charge.key for one in running.charges],
        )
    amount = lines.aggregate(amount=Sum("line__amount"))["amount"]
    told = LifetimeUsage.objects.filter(
        customer=subscription.customer_id, external_subscription_id=subscription.external_id
    )
    historical = told.values_list("historical_amount_cents", flat=True).first()
    return Lifetime(
        public_id=public_id(subscription),
        subscription=subscription,
        historical=money.from_minor(historical or 0, currency),
        invoiced=money.zero(currency) if amount is None else Money(amount, currency),
        current=money.zero(currency) if running is None else running.amount.net,
        from_at=subscription.subscription_at,
        to_at=at,
    )


def _duration(expression: Combinable) -> Combinable:
    return ExpressionWrapper(expression, DurationField())


def _running(subscription: Subscription, at: datetime) -> CurrentUsage | None:
    if subscription.status != Subscription.Status.ACTIVE:
        return None
    try:
        return current_usage.read(
            external_customer_id=subscription.customer.external_id,
            external_subscription_id=subscription.external_id,
            at=at,
            apply_taxes=False,
        )
    except current_usage.NoActiveSubscription:
        return None

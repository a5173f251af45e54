"""Steps of stories about subscriptions that pause and resume, and readers of what came of them."""

from __future__ import annotations

from typing import Any

from billing.models import BilledPeriod, Subscription
from billing.services import pauses
from customers.models import Customer
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

PRORATED, WHOLE = Subscription.PauseFee.PRORATED, Subscription.PauseFee.WHOLE


def pause(subscription: Subscription, at: str, fee: str = PRORATED, **options: Any) -> Subscription:
    """Pause a subscription; return what waits."""
    return pauses.pause(subscription_id=subscription.pk, fee=fee, actor=ACTOR, at=instant(at), **options)


def resume(subscription: Subscription, at: str) -> Subscription:
    """Resume a paused subscription."""
    return pauses.resume(subscription_id=subscription.pk, actor=ACTOR, at=instant(at))


def chain() -> list[tuple[str, str, str]]:
    """Return the status, what ended it, and the first paid day of each that ran, in the order of making."""
    rows = Subscription.objects.order_by("pk")
    return [
        (row.status, str(row.ended_by), "" if row.fee_from is None or row.started_at is None else f"{row.fee_from}")
        for row in rows
    ]


def fees(customer: Customer) -> list[str]:
    """Return the first day and the days of each billed fee, in the order of billing."""
    rows = BilledPeriod.objects.filter(subscription__customer=customer, bills_fee=True).order_by("pk")
    return [f"{row.from_at:%m-%d} {row.days}/{row.of_days}" for row in rows]

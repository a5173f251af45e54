"""What helps to judge usage that is not known yet: how the running period goes on, and what the last one came to.

Owns choosing these figures; the projection is `projected_usage`'s. Never writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Sum
from moneyed import Money

from billing.models import BilledPeriod, Subscription
from billing.queries import projected_usage
from config.kernel import errors
from invoicing.models import InvoiceLine

Status = Subscription.Status


@dataclass(frozen=True, slots=True)
class UsageFigures:
    """Net amounts of usage: so far in the period that runs until ``ends_at``, projected to its end, and of the last
    billed period. None where there is no such period.
    """

    so_far: Money | None = None
    projected: Money | None = None
    ends_at: datetime | None = None
    last: Money | None = None


def read(*, rows: Sequence[Subscription], at: datetime) -> UsageFigures:
    """Return the figures of a chain of subscriptions at the clock ``at``."""
    last = _last(rows)
    active = next((row for row in rows if row.status == Status.ACTIVE), None)
    if active is None:
        return UsageFigures(last=last)
    try:
        found = projected_usage.read(
            external_customer_id=active.customer.external_id, external_subscription_id=active.external_id, at=at
        )
    except errors.DomainError:
        # What cannot be rated now is told where it is billed; there is no estimate of it.
        return UsageFigures(last=last)
    return UsageFigures(found.amount.net, found.projected_amount, found.ends_at, last)


def _last(rows: Sequence[Subscription]) -> Money | None:
    periods = BilledPeriod.objects.filter(
        subscription_id__in=[row.pk for row in rows], released_at__isnull=True, charges_to_at__gt=F("charges_from_at")
    ).exclude(reason__in=BilledPeriod.WITHIN)
    period = periods.order_by("-charges_to_at", "-pk").first()
    if period is None:
        return None
    lines = InvoiceLine.objects.filter(kind=InvoiceLine.Kind.CHARGE, rated_charge__period=period)
    total = lines.values("currency").annotate(sum=Sum("amount")).order_by("currency").first()
    return None if total is None else Money(total["sum"], total["currency"])

"""Notices before agreed ends of subscriptions. Owns the periodic job that gives them: one row each, once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from billing.domain import ending_notices
from billing.models import Subscription, SubscriptionNotice
from billing.services import webhook_types
from config.kernel import dates
from config.platform.services import outbox

_PAGE = 1000
_OF_A_DAY = timedelta(days=2)
"""Local days are up to two days apart from those of the instants that the database compares."""


@dataclass(frozen=True)
class Noticed:
    """How many notices a round gave."""

    notices: int


def run(*, as_of: datetime) -> Noticed:
    """Give the notices that are due by the local day of each customer: the periodic job.

    The days before an end are the setting ``ENDING_NOTICE_DAYS``. A notice is given once for an end; one that moved
    gets its own. One that is paused ends all the same. May be called any number of times, beside itself too.
    """
    days = settings.ENDING_NOTICE_DAYS
    if not days:
        return Noticed(0)
    given = after = 0
    until = as_of + timedelta(days=max(days)) + _OF_A_DAY
    rows = Subscription.objects.filter(
        status__in=[Subscription.Status.ACTIVE, Subscription.Status.PAUSED],
        ending_at__gt=as_of,
        ending_at__lte=until,
        customer__deleted_at__isnull=True,
    ).select_related("customer__billing_entity")
    while page := list(rows.filter(pk__gt=after).order_by("pk")[:_PAGE]):
        given += _give([one for row in page if (one := _due(row, days, as_of)) is not None])
        after = page[-1].pk
    return Noticed(given)


def _due(subscription: Subscription, days: Collection[int], as_of: datetime) -> SubscriptionNotice | None:
    if subscription.ending_at is None:
        return None
    zone = dates.zone(subscription.customer.applicable_timezone)
    due = ending_notices.due(
        ends_on=dates.local_date(subscription.ending_at, zone), today=dates.local_date(as_of, zone), days=days
    )
    if due is None:
        return None
    return SubscriptionNotice(
        created_at=as_of, subscription=subscription, ending_at=subscription.ending_at, days_before=due
    )


@transaction.atomic
def _give(notices: list[SubscriptionNotice]) -> int:
    """Store and tell those that were not given yet, and return how many."""
    at = max((one.created_at for one in notices), default=None)
    wanted = {(one.subscription_id, one.ending_at, one.days_before): one for one in notices}
    known = SubscriptionNotice.objects.filter(subscription__in={key[0] for key in wanted})
    for key in known.values_list("subscription_id", "ending_at", "days_before"):
        wanted.pop(key, None)
    if not wanted or at is None:
        return 0
    SubscriptionNotice.objects.bulk_create(wanted.values(), ignore_conflicts=True)
    # What somebody else gave beside has another id there.
    mine = SubscriptionNotice.objects.filter(uuid__in=[one.uuid for one in wanted.values()]).order_by("pk")
    given = [notice.subscription for notice in mine.select_related("subscription")]
    outbox.record(webhook_types.TERMINATION_ALERT, given, at=at)
    return len(given)

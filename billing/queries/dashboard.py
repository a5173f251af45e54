"""What the overview shows of usage and runs: events by day, the latest runs. Never writes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Min, QuerySet
from django.db.models.functions import TruncDate

from billing.models import BillingRun, Subscription, UsageEvent
from config.kernel import dates


@dataclass(frozen=True)
class DuePlan:
    """The subscriptions of a plan with an open billing day, and the oldest of these days."""

    plan: str
    subscriptions: int
    oldest: date


def due_by_plan(*, as_of: datetime) -> list[DuePlan]:
    """Return what is due by plan, the most first. By the UTC day of ``as_of``: a preview, which may be off by hours."""
    today = as_of.astimezone(UTC).date()
    due = Subscription.objects.filter(
        status__in=[Subscription.Status.ACTIVE, Subscription.Status.TERMINATED], next_billing_date__lte=today
    )
    rows = (
        due.order_by()
        .values("plan_version__plan__name")
        .annotate(count=Count("pk"), oldest=Min("next_billing_date"))
        .order_by("-count", "plan_version__plan__name")
    )
    return [DuePlan(row["plan_version__plan__name"], row["count"], row["oldest"]) for row in rows]


def events_by_day(
    *,
    first: date,
    last: date,
    tz: ZoneInfo,
    external_subscription_ids: Collection[str] | None = None,
    code: str | None = None,
) -> dict[date, int]:
    """Return the number of events of every local day from ``first`` to ``last``, both included, days without any too.

    Counted by the events' own timestamps on an index. Narrowed to subscriptions, a code, or both where given.
    """
    rows = UsageEvent.objects.filter(
        timestamp__gte=dates.start_of_day(first, tz), timestamp__lt=dates.start_of_day(last + timedelta(days=1), tz)
    )
    if external_subscription_ids is not None:
        rows = rows.filter(external_subscription_id__in=list(external_subscription_ids))
    if code is not None:
        rows = rows.filter(code=code)
    counted = rows.order_by().values(day=TruncDate("timestamp", tzinfo=tz)).annotate(events=Count("*"))
    found = {row["day"]: row["events"] for row in counted}
    days = [first + timedelta(days=offset) for offset in range(dates.days_between(first, last) + 1)]
    return {day: found.get(day, 0) for day in days}


def latest_runs(*, count: int) -> QuerySet[BillingRun]:
    """Return the newest runs."""
    return BillingRun.objects.order_by("-created_at", "-id")[:count]

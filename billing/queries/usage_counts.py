"""How many usage events there are, for pages: counted at once where they are few, else as a job counted them last.
Never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from billing.models import UsageCount, UsageCountCursor, UsageEvent
from billing.queries import dashboard, usage_not_billable
from billing.queries.usage_not_billable import NotBillable, Reason
from config.kernel import dates

DAYS = 60
"""Of so many days it is told what nobody can bill."""

KEPT_DAYS = 70
"""Counts are kept for so long: the two months of a chart, and a bit."""

MANY = 200_000
"""More events than this are not counted while somebody waits."""


@dataclass(frozen=True)
class Days:
    """The number of events of each day; ``counted_at`` says when, nothing where it was now."""

    events: dict[date, int]
    counted_at: datetime | None = None


@dataclass(frozen=True)
class Lacking:
    """The events that nobody can bill; ``counted_at`` says when they were counted, nothing where it was now."""

    found: NotBillable
    counted_at: datetime | None = None


def oldest(*, at: datetime) -> datetime:
    """Return the instant from which on counts are kept."""
    return at - timedelta(days=KEPT_DAYS)


def not_billable_since(*, at: datetime) -> datetime:
    """Return the instant from which on events are told that nobody can bill: a full hour."""
    return (at - timedelta(days=DAYS)).replace(minute=0, second=0, microsecond=0)


def are_many(*, at: datetime) -> bool:
    """Say whether there are more events than are counted while somebody waits, by the counts that are kept."""
    return (UsageCount.objects.filter(starts_at__gte=oldest(at=at)).aggregate(sum=Sum("events"))["sum"] or 0) > MANY


def by_day(*, first: date, last: date, tz: ZoneInfo, at: datetime, code: str | None = None) -> Days:
    """Return the number of events of every local day from ``first`` to ``last``, both included. Two queries.

    Of a code where one is given. By the events' own timestamps; the days may go back as far as counts are kept.
    """
    if not are_many(at=at):
        return Days(dashboard.events_by_day(first=first, last=last, tz=tz, code=code))
    rows = UsageCount.objects.filter(
        starts_at__gte=dates.start_of_day(first, tz), starts_at__lt=dates.start_of_day(last + timedelta(days=1), tz)
    )
    if code is not None:
        rows = rows.filter(code=code)
    sums = rows.order_by().values(day=TruncDate("starts_at", tzinfo=tz)).annotate(sum=Sum("events"))
    found = {row["day"]: row["sum"] for row in sums}
    days = [first + timedelta(days=offset) for offset in range(dates.days_between(first, last) + 1)]
    return Days({day: found.get(day, 0) for day in days}, UsageCountCursor.objects.get().counted_at)


def not_billable(*, at: datetime) -> Lacking:
    """Return how many events of the last sixty days nobody can bill. Two queries, or those of the count."""
    kept = _kept(at)
    if kept is not None:
        return Lacking(NotBillable(**kept.not_billable["counts"]), kept.counted_at)
    return Lacking(usage_not_billable.count(since=not_billable_since(at=at)))


def lacking(rows: QuerySet[UsageEvent], reason: Reason, *, at: datetime) -> QuerySet[UsageEvent]:
    """Narrow to events of the last sixty days of subscriptions with any that lacks something, as far as that is known.

    Where there are few events that is not asked: then what they lack is quick to see of each. Two queries.
    """
    recent = rows.filter(timestamp__gte=at - timedelta(days=DAYS))
    kept = _kept(at)
    groups = () if kept is None else [kept.not_billable["subscriptions"][one] for one in {reason, Reason.METRIC}]
    if not groups or None in groups:
        return recent
    return recent.filter(external_subscription_id__in=sorted({name for group in groups for name in group}))


def _kept(at: datetime) -> UsageCountCursor | None:
    """What the job found last, where there are many events."""
    return UsageCountCursor.objects.filter(not_billable__isnull=False).first() if are_many(at=at) else None

"""Which contracts a simulation plays, with what it needs of them. Owns reading them page by page; nothing is written.

Pending and canceled subscriptions never ran and are left out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Min, Q, QuerySet

from billing.domain.simulation import Frame
from billing.models import Subscription
from billing.queries import subscriptions as known
from catalog.models import Plan, PlanVersion
from config.kernel import dates, errors

# Local days begin up to this much before and after those of UTC.
_LARGEST_OFFSET = timedelta(hours=26)
_RAN = (Subscription.Status.ACTIVE, Subscription.Status.TERMINATED)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose contracts are played: exactly one of the three is given."""

    customer: str = ""
    subscription: str = ""
    plan: str = ""

    def __post_init__(self) -> None:
        if sum(bool(one) for one in (self.customer, self.subscription, self.plan)) != 1:
            raise errors.Invalid(
                "invalid_subject",
                "Say whom to simulate: one customer, one subscription, or one plan.",
                {"subject": ["value_is_mandatory"]},
            )


def ran(subject: Subject, *, frame: Frame) -> QuerySet[Subscription]:
    """Return the subscriptions of a subject that ran in a frame.

    Raises NotFound (`customer_not_found`, `subscription_not_found`, `plan_not_found`).
    """
    utc = dates.zone("UTC")
    first, end = dates.start_of_day(frame.first, utc), dates.start_of_day(frame.end, utc)
    rows = _of(subject).filter(status__in=_RAN, started_at__lt=end + _LARGEST_OFFSET)
    return rows.filter(Q(terminated_at__isnull=True) | Q(terminated_at__gte=first - _LARGEST_OFFSET))


def pages(rows: QuerySet[Subscription], *, page: int) -> Iterator[list[Subscription]]:
    """Yield subscriptions in the order of their ids, with plan, customer and billing entity, so many at a time."""
    after = 0
    wanted = known.with_contract(rows).prefetch_related("plan_version__fixed_charges").order_by("pk")
    while found := list(wanted.filter(pk__gt=after)[:page]):
        yield found
        after = found[-1].pk


def following_versions(rows: Sequence[Subscription]) -> dict[int, int]:
    """Return the versions of the plans that followed by an upgrade, by the subscriptions that ended with it."""
    upgraded = [row.pk for row in rows if row.ended_by == Subscription.EndedBy.UPGRADE]
    found = Subscription.objects.filter(previous_id__in=upgraded).exclude(status=Subscription.Status.CANCELED)
    return dict(found.values_list("previous_id", "plan_version_id"))


def first_starts(external_ids: Collection[str]) -> dict[tuple[str, int], datetime]:
    """Return when the first subscription of each external id and customer started, from which trials are counted."""
    rows = Subscription.objects.filter(external_id__in=external_ids, started_at__isnull=False).order_by()
    found = rows.values_list("external_id", "customer_id").annotate(at=Min("started_at"))
    return {(external_id, customer_id): at for external_id, customer_id, at in found}


def version(*, code: str, number: int | None = None) -> PlanVersion:
    """Return a version of a plan, the current one unless a number is given. Raises NotFound (`plan_not_found`)."""
    if number is None:
        return known.current_version(code)
    rows = PlanVersion.objects.filter(plan__code=code, plan__deleted_at__isnull=True, number=number)
    found = rows.filter(base__isnull=True).select_related("plan").first()
    if found is None:
        raise errors.NotFound("plan_not_found", f"There is no version {number} of a plan {code}.")
    return found


def _of(subject: Subject) -> QuerySet[Subscription]:
    if subject.customer:
        return Subscription.objects.filter(customer=known.customer(subject.customer))
    if subject.subscription:
        rows = Subscription.objects.filter(external_id=subject.subscription)
        if not rows.exists():
            raise known.SubscriptionNotFound(
                "subscription_not_found", f"There is no subscription {subject.subscription}."
            )
        return rows
    plan = Plan.objects.filter(code=subject.plan, deleted_at__isnull=True).first()
    if plan is None:
        raise errors.NotFound("plan_not_found", f"There is no plan {subject.plan}.")
    return Subscription.objects.filter(plan_version__plan=plan)

"""Reading migrations of subscriptions to another plan version: whom they touch, whether what was computed still holds,
what it comes to. Changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, Q, QuerySet, Sum, When
from moneyed import Money

from billing.domain import plan_migrations as rules
from billing.models import PlanMigration, PlanMigrationItem, Subscription
from catalog.models import Plan
from config.kernel import errors, money

Status = Subscription.Status
ItemState = PlanMigrationItem.State
LIVING = (Status.PENDING, Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE)
_PRICED = Q(difference_amount__isnull=False) & ~Q(state=ItemState.SKIPPED)


@dataclass(frozen=True)
class Staleness:
    """How many subscriptions changed, came or went since a preview was computed."""

    changed: int = 0
    new: int = 0
    gone: int = 0

    def __bool__(self) -> bool:
        return bool(self.changed or self.new or self.gone)


@dataclass(frozen=True)
class Totals:
    """What the next invoices of a migration come to, before and after, and how many pay less or more."""

    before: Money
    after: Money
    priced: int
    less: int
    more: int

    @property
    def difference(self) -> Money:
        """Return what the migration changes."""
        return self.after - self.before


def rows() -> QuerySet[PlanMigration]:
    """Return migrations with what is shown of them, the newest first."""
    found = PlanMigration.objects.select_related(
        "plan", "from_version__plan", "to_version__plan", "made_by", "submitted_by", "approved_by"
    )
    return found.order_by("-created_at", "-id")


def by_uuid(uuid: UUID) -> PlanMigration:
    """Return a migration. Raises NotFound (`plan_migration_not_found`)."""
    found = rows().filter(uuid=uuid).first()
    if found is None:
        raise errors.NotFound("plan_migration_not_found", "There is no such migration.")
    return found


def touched(migration: PlanMigration) -> QuerySet[Subscription]:
    """Return the living subscriptions that a migration is about: on the version to move from, or on any other one.

    Private versions count as the version that they were made of. What a contract sells stays at the contract's prices.
    """
    found = Subscription.objects.filter(
        plan_version__plan_id=migration.plan_id, status__in=LIVING, contract_item__isnull=True
    )
    to_version = migration.to_version_id
    found = found.exclude(plan_version_id=to_version).exclude(plan_version__base_id=to_version)
    if migration.from_version_id is not None:
        source = migration.from_version_id
        found = found.filter(Q(plan_version_id=source) | Q(plan_version__base_id=source))
    return found.select_related("plan_version__plan", "customer__billing_entity").order_by("pk")


def on_other_versions(plan: Plan) -> int:
    """Return how many living subscriptions of a plan have another version than the one on sale. One query."""
    found = Subscription.objects.filter(plan_version__plan=plan, status__in=LIVING, contract_item__isnull=True)
    return found.exclude(plan_version__is_current=True).exclude(plan_version__base__is_current=True).count()


def seen(subscriptions: Collection[Subscription]) -> dict[int, str]:
    """Return by id what a decision about each of these is made on: another answer later means that it changed.

    One query.
    """
    ids = [row.pk for row in subscriptions]
    waiting = dict(
        Subscription.objects.filter(previous_id__in=ids, status=Status.PENDING).values_list("previous_id", "pk")
    )
    return {row.pk: f"{row.plan_version_id}:{row.status}:{waiting.get(row.pk, '')}" for row in subscriptions}


def staleness(migration: PlanMigration) -> Staleness:
    """Return what changed since the preview of a migration was computed. Three queries."""
    items = dict(PlanMigrationItem.objects.filter(migration=migration).values_list("subscription_id", "seen"))
    now = seen(list(touched(migration)))
    changed = sum(1 for pk, text in now.items() if pk in items and items[pk] != text)
    return Staleness(changed=changed, new=len(now.keys() - items.keys()), gone=len(items.keys() - now.keys()))


def counts(migration: PlanMigration) -> Counter[str]:
    """Return how many subscriptions of a migration are in each state."""
    return counts_of([migration])[migration.pk]


def counts_of(migrations: Collection[PlanMigration]) -> dict[int, Counter[str]]:
    """Return how many subscriptions of migrations are in each state, by migration. One query."""
    found: dict[int, Counter[str]] = {one.pk: Counter() for one in migrations}
    rows = PlanMigrationItem.objects.filter(migration__in=found).values_list("migration_id", "state")
    for pk, state, number in rows.annotate(number=Count("pk")).order_by():
        found[pk][state] = number
    return found


def totals(migration: PlanMigration) -> Totals:
    """Return what the preview of a migration comes to, over those that it moves. One query."""
    return totals_of([migration])[migration.pk]


def totals_of(migrations: Collection[PlanMigration]) -> dict[int, Totals]:
    """Return what the previews of migrations come to, over those that they move, by migration. One query."""
    rows = PlanMigrationItem.objects.filter(migration__in=[one.pk for one in migrations])
    sums = rows.filter(_PRICED).values("migration_id").order_by()
    found = {
        row["migration_id"]: row
        for row in sums.annotate(
            before=Sum("before_amount"),
            after=Sum("after_amount"),
            number=Count("pk"),
            less=Count("pk", filter=Q(difference_amount__lt=0)),
            more=Count("pk", filter=Q(difference_amount__gt=0)),
        )
    }
    return {one.pk: _read(found.get(one.pk), one.to_version.currency) for one in migrations}


def largest(migration: PlanMigration, *, limit: int) -> list[PlanMigrationItem]:
    """Return the items whose next invoices change most, those that pay more first."""
    changed = _priced(migration).exclude(difference_amount=0).select_related("subscription__customer", "from_version")
    more = changed.filter(difference_amount__gt=0).order_by("-difference_amount", "pk")[:limit]
    less = changed.filter(difference_amount__lt=0).order_by("difference_amount", "pk")[:limit]
    found = sorted([*more, *less], key=lambda item: -abs(item.difference_amount.amount))
    return found[:limit]


def buckets(migration: PlanMigration) -> Sequence[int]:
    """Return how many next invoices change by how much: see `share_bucket`."""
    found = [0] * 7
    for before, difference in _priced(migration).values_list("before_amount", "difference_amount").iterator():
        found[rules.share_bucket(before=before, difference=difference)] += 1
    return found


def items(migration: PlanMigration) -> QuerySet[PlanMigrationItem]:
    """Return the subscriptions of a migration with what is shown of them, those in trouble first."""
    trouble = Case(When(state=ItemState.FAILED, then=0), When(state=ItemState.SKIPPED, then=1), default=2)
    found = PlanMigrationItem.objects.filter(migration=migration)
    return found.select_related("subscription__customer", "from_version__plan").order_by(trouble, "pk")


def _priced(migration: PlanMigration) -> QuerySet[PlanMigrationItem]:
    return PlanMigrationItem.objects.filter(_PRICED, migration=migration)


def _read(row: Mapping[str, Any] | None, currency: str) -> Totals:
    nothing = money.zero(currency)
    if row is None:
        return Totals(nothing, nothing, priced=0, less=0, more=0)
    before, after = (money.rounded(Money(row[name], currency)) for name in ("before", "after"))
    return Totals(before, after, row["number"], row["less"], row["more"])

"""``/plan_migrations``: moves of subscriptions to another version of their plan. Drafts are made here; a person submits
them and another one approves them in the admin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import PlanMigration, PlanMigrationItem
from billing.queries import plan_migrations as known
from billing.queries.plan_migrations import Totals
from billing.services import plan_migrations
from billing.services.plan_migrations import NewMigration
from config.kernel import errors, money
from config.platform.api import pagination, params, schema, views
from config.platform.api.serializers import Instant, RequestSerializer, Text

ROOT, LIST, ITEMS = "plan_migration", "plan_migrations", "subscriptions"


class PlanMigrationRequest(RequestSerializer):
    """What is asked for."""

    plan_code = Text(required=True)
    reason = Text(required=True, max_length=plan_migrations.MAX_REASON)
    to_version = serializers.IntegerField(required=False, min_value=1, max_value=10**9, help_text="Else the current.")
    from_version = serializers.IntegerField(required=False, min_value=1, max_value=10**9, help_text="Else all others.")
    timing = serializers.ChoiceField(choices=PlanMigration.Timing.values, default=PlanMigration.Timing.NOW.value)
    change_date = serializers.DateField(required=False, allow_null=True, help_text="With the timing date.")


class PlanMigrationAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A migration. Amounts are those of the next invoices without tax, in minor units."""

    lago_id = serializers.UUIDField(source="uuid")
    plan_code = serializers.CharField(source="plan.code")
    from_version = serializers.IntegerField(source="from_version.number", default=None, allow_null=True)
    to_version = serializers.IntegerField(source="to_version.number")
    timing = serializers.CharField()
    change_date = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    state = serializers.CharField(help_text="draft, submitted, approved, running, done, failed or withdrawn.")
    created_by = serializers.CharField(source="made_by_label")
    created_at = Instant()
    previewed_at = Instant(allow_null=True)
    approved_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)
    subscriptions_count = serializers.SerializerMethodField()
    counts = serializers.SerializerMethodField(help_text="Subscriptions by state.")
    currency = serializers.CharField(source="to_version.currency")
    before_amount_cents = serializers.SerializerMethodField()
    after_amount_cents = serializers.SerializerMethodField()

    def get_subscriptions_count(self, migration: PlanMigration) -> int:
        """Return how many it is about."""
        return sum(self._counts[migration.pk].values())

    def get_counts(self, migration: PlanMigration) -> dict[str, int]:
        """Return how many are in each state."""
        return dict(self._counts[migration.pk])

    def get_before_amount_cents(self, migration: PlanMigration) -> int:
        """Return what the next invoices come to without it."""
        return money.to_minor(self._totals[migration.pk].before)

    def get_after_amount_cents(self, migration: PlanMigration) -> int:
        """Return what the next invoices come to with it."""
        return money.to_minor(self._totals[migration.pk].after)

    @property
    def _counts(self) -> Mapping[int, Counter[str]]:
        found: Mapping[int, Counter[str]] = self.context["counts"]
        return found

    @property
    def _totals(self) -> Mapping[int, Totals]:
        found: Mapping[int, Totals] = self.context["totals"]
        return found


class PlanMigrationItemAnswer(serializers.Serializer):  # type: ignore[type-arg]
    """A subscription of a migration."""

    external_subscription_id = serializers.CharField(source="subscription.external_id")
    lago_subscription_id = serializers.UUIDField(source="subscription.uuid")
    from_version = serializers.IntegerField(source="from_version.number")
    state = serializers.CharField(help_text="waiting, moved, scheduled, skipped or failed.")
    reason_code = serializers.CharField()
    reason = serializers.CharField()
    currency = serializers.CharField()
    before_amount_cents = serializers.SerializerMethodField()
    after_amount_cents = serializers.SerializerMethodField()

    def get_before_amount_cents(self, item: PlanMigrationItem) -> int | None:
        """Return what its next invoice comes to without the migration."""
        return None if item.before_amount is None else money.to_minor(item.before_amount)

    def get_after_amount_cents(self, item: PlanMigrationItem) -> int | None:
        """Return what its next invoice comes to with it."""
        return None if item.after_amount is None else money.to_minor(item.after_amount)


class PlanMigrations(views.ApiView):
    """All migrations."""

    resource = "plan_migration"

    @extend_schema(parameters=schema.filters("plan_code"), responses=schema.page(LIST, PlanMigrationAnswer))
    def get(self, request: Request) -> Response:
        """List migrations, newest first."""
        rows = known.rows()
        plan_code = params.text(request, "plan_code")
        if plan_code is not None:
            rows = rows.filter(plan__code=plan_code)
        return pagination.paginated(request, rows, LIST, _shown)

    @extend_schema(request=schema.body(ROOT, PlanMigrationRequest), responses=schema.answer(ROOT, PlanMigrationAnswer))
    def post(self, request: Request) -> Response:
        """Make a draft with its preview. Nobody is moved before two people have agreed."""
        content = self.body(request, ROOT, PlanMigrationRequest)
        migration = plan_migrations.make(new=NewMigration(**content), actor=self.actor(request), at=self.at())
        return _answer(migration)


class OnePlanMigration(views.ApiView):
    """One migration."""

    resource = "plan_migration"

    @extend_schema(responses=schema.answer(ROOT, PlanMigrationAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """Show a migration."""
        return _answer(_found(lago_id))


class PlanMigrationSubscriptions(views.ApiView):
    """The subscriptions of a migration."""

    resource = "plan_migration"

    @extend_schema(parameters=schema.filters(), responses=schema.page(ITEMS, PlanMigrationItemAnswer))
    def get(self, request: Request, lago_id: str) -> Response:
        """List the subscriptions of a migration with their next invoices, those in trouble first."""
        rows = known.items(_found(lago_id))
        return pagination.paginated(request, rows, ITEMS, lambda found: PlanMigrationItemAnswer(found, many=True).data)


def _found(lago_id: str) -> PlanMigration:
    uuid = params.uuid(lago_id)
    if uuid is None:
        raise errors.NotFound("plan_migration_not_found", "There is no such migration.")
    return known.by_uuid(uuid)


def _answer(migration: PlanMigration) -> Response:
    return Response({ROOT: _shown([migration])[0]})


def _shown(migrations: list[PlanMigration]) -> list[dict[str, Any]]:
    """Show migrations in a fixed number of queries."""
    context = {"counts": known.counts_of(migrations), "totals": known.totals_of(migrations)}
    shown: list[dict[str, Any]] = PlanMigrationAnswer(migrations, many=True, context=context).data
    return shown

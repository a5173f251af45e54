"""Migrations of subscriptions to another plan version in the admin: the list, the page of one with its preview,
progress and result, and the file of all its subscriptions.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse

from billing.admin import plan_migration_blocks as shown
from billing.admin.plan_migration_verbs import (
    Approve,
    ComputePreview,
    MakeMigration,
    Retry,
    Submit,
    Withdraw,
)
from billing.models import PlanMigration, PlanMigrationItem
from billing.queries import plan_migrations as known
from catalog.models import Plan
from config.kernel import registry
from config.platform.admin import blocks, cells, history, pages, theme
from config.platform.admin.blocks import Page, Row, Tab, Table, columns

COLUMNS = ("subscription", "customer", "from_version", "currency", "before", "after", "difference", "state", "reason")
SHOWN = 10


@pages.register(PlanMigration)
class PlanMigrationAdmin(pages.PageAdmin):
    """Plan migrations."""

    list_display = ("named", "route", "when", "subscriptions_count", "state_shown", "made")
    list_filter = (("state", theme.ChoicesDropdownFilter),)
    list_select_related = ("plan", "from_version", "to_version")
    search_fields = ("plan__name", "plan__code", "reason")
    ordering = ("-created_at", "-id")
    list_verbs = (MakeMigration(),)
    verbs = (ComputePreview(), Submit(), Approve(), Retry(), Withdraw())
    empty_text = (
        "Subscriptions keep the version of a plan that they bought. Move them to another one here: with a preview of "
        "each next invoice, and a second person's approval."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanMigration]:
        """Migrations with the number of their subscriptions."""
        return super().get_queryset(request).annotate(number=Count("items"))

    @theme.display(description="Plan", ordering="plan__name")
    def named(self, migration: PlanMigration) -> str:
        """The plan and why."""
        return cells.stack(migration.plan, migration.reason[:80])

    @theme.display(description="Versions")
    def route(self, migration: PlanMigration) -> str:
        """From which to which."""
        return shown.route(migration)

    @theme.display(description="When", ordering="timing")
    def when(self, migration: PlanMigration) -> str:
        """When they move."""
        return shown.timing(migration)

    @theme.display(description="Subscriptions", ordering="number")
    def subscriptions_count(self, migration: Any) -> str:
        """How many it is about."""
        return cells.number(migration.number)

    @theme.display(description="State", ordering="state")
    def state_shown(self, migration: PlanMigration) -> str:
        """Where it is."""
        return shown.badge(migration)

    @theme.display(description="Made", ordering="created_at")
    def made(self, migration: PlanMigration) -> str:
        """When and by whom."""
        return cells.stack(cells.instant(migration.created_at), migration.made_by_label)

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The file of all subscriptions."""
        return (("<path:object_id>/csv/", self.csv_view, "csv"),)

    def csv_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All subscriptions of a migration as a file: amounts in major units."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return self.missing(request, object_id)
        answer = HttpResponse(
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="plan-migration-{instance.pk}.csv"'},
        )
        rows = csv.writer(answer)
        rows.writerow(COLUMNS)
        rows.writerows(_cells(item) for item in known.items(instance).iterator(chunk_size=1000))
        return answer

    def page(self, request: HttpRequest, instance: PlanMigration) -> Page:
        """What was asked for, what it does, how far it is."""
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(
            top=(
                *shown.progress(instance, self.url("change", instance.pk)),
                *shown.warnings(instance),
                shown.facts(instance),
            ),
            tabs=(
                Tab("Next invoices", shown.preview(instance)),
                Tab("Subscriptions", (shown.table(instance, request),), sum(known.counts(instance).values())),
                Tab("History", (recent,)),
            ),
        )


def of_plan(plan: Plan) -> Mapping[str, Any] | None:
    """Who is on which version of a plan, and the migrations, on its page; nothing where all have the one on sale."""
    found = list(known.rows().filter(plan=plan)[:SHOWN])
    older = known.on_other_versions(plan)
    if not found and not older:
        return None
    note = (
        f"Subscriptions that keep a version that is not on sale any more: {cells.number_text(older)}." if older else ""
    )
    rows = tuple(
        Row(
            (
                cells.to(one, f"#{one.pk}"),
                shown.route(one),
                shown.timing(one),
                shown.badge(one),
                cells.instant(one.created_at),
            )
        )
        for one in found
    )
    table = Table(
        "Moves of subscriptions",
        columns("Migration", "Versions", "When", "State", "Made"),
        rows,
        empty="No subscription was moved to another version yet.",
        note=note,
        action=cells.link("Move subscriptions", reverse("admin:billing_planmigration_make")),
    )
    return blocks.panel(table)


def _cells(item: PlanMigrationItem) -> tuple[object, ...]:
    amounts = (item.before_amount, item.after_amount, item.difference_amount)
    return (
        _plain(item.subscription.external_id),
        _plain(item.subscription.customer.external_id),
        item.from_version.number,
        item.currency,
        *("" if amount is None else f"{amount.amount:f}" for amount in amounts),
        item.state,
        _plain(item.reason),
    )


def _plain(text: str) -> str:
    """Keep a spreadsheet from taking text for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


registry.register_panel("catalog.plan", of_plan)

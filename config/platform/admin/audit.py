"""The audit trail in the admin: searchable, and only to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from config.platform.admin import audit_values as values
from config.platform.admin import cells, filters, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.models import AuditEntry


class ObjectTypeFilter(theme.DropdownFilter):
    """Entries on one kind of object. The index by object serves it."""

    title = "kind of object"
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The kinds that the admin knows."""
        kinds = {model._meta.label_lower: str(model._meta.verbose_name) for model in model_admin.admin_site._registry}
        return sorted(kinds.items(), key=lambda pair: pair[1].lower())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Narrow to the kind."""
        return queryset.filter(object_type=self.value()) if self.value() else queryset


@pages.register(AuditEntry)
class AuditEntryAdmin(pages.PageAdmin):
    """Who did what, when, to what and why."""

    list_display = ("moment", "who", "kind", "what", "subject", "change", "why")
    list_filter = (
        ("at", filters.DayRangeFilter),
        ("actor_kind", theme.ChoicesDropdownFilter),
        ObjectTypeFilter,
    )
    search_fields = ("object_label", "actor_label", "verb", "reason")
    search_help_text = "Object, person, verb or reason"
    ordering = ("-at", "-id")
    rows_name = "entries"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Entries with the currency of what they are about."""
        return values.with_currency(super().get_queryset(request))

    @theme.display(description="When", ordering="at")
    def moment(self, entry: AuditEntry) -> str:
        """When it was done."""
        return cells.instant(entry.at)

    @theme.display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        """Who did it."""
        return entry.actor_label

    @theme.display(description="As")
    def kind(self, entry: AuditEntry) -> str:
        """Whether a person, a client, a job or the system did it."""
        return history.kind(entry)

    @theme.display(description="What")
    def what(self, entry: AuditEntry) -> str:
        """The verb."""
        return history.verb(entry.verb)

    @theme.display(description="Object")
    def subject(self, entry: AuditEntry) -> str:
        """What it was done to."""
        return _subject(entry)

    @theme.display(description="Change")
    def change(self, entry: AuditEntry) -> str:
        """What changed."""
        return history.changes(entry)

    @theme.display(description="Why")
    def why(self, entry: AuditEntry) -> str:
        """The reason given."""
        return entry.reason

    def page(self, request: HttpRequest, instance: AuditEntry) -> Page:
        """One entry in full."""
        rows = tuple(
            Row((values.label(name), _told(instance, instance.old, name), _told(instance, instance.new, name)))
            for name in values.names(instance)
        )
        shown = (
            Facts(
                "Entry",
                (
                    Fact("When", cells.instant(instance.at)),
                    Fact("Who", history.who(instance)),
                    Fact("What", history.verb(instance.verb)),
                    Fact("Object", _subject(instance)),
                    Fact("Why", instance.reason or cells.EMPTY),
                ),
            ),
            Table("Change", columns("Value", "Before", "After"), rows, empty="No values were changed."),
        )
        return Page(tabs=(Tab("Entry", shown),))


def _told(entry: AuditEntry, side: Mapping[str, Any], name: str) -> str:
    return values.shown(entry, name, side[name]) if name in side else ""


def _subject(entry: AuditEntry) -> str:
    try:
        model = apps.get_model(entry.object_type)
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[entry.object_id])
    except (LookupError, ValueError, NoReverseMatch):
        return cells.stack(entry.object_label, entry.object_type)
    return cells.stack(cells.link(entry.object_label, url), model._meta.verbose_name)

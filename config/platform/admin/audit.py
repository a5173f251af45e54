"""The audit trail in the admin: searchable, to be taken as a file, and only to be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse

from config.platform.admin import audit_values as values
from config.platform.admin import cells, filters, history, pages, theme, verbs
from config.platform.admin.audit_filters import AddressFilter, ObjectTypeFilter, PersonFilter, VerbFilter
from config.platform.admin.blocks import Fact, Facts, Page, Row, Tab, Table, columns
from config.platform.models import AuditEntry
from config.platform.queries import audit_trail
from config.platform.services import spreadsheets
from config.platform.services.spreadsheets import CONTENT_TYPES, Column, FileFormat, Kind

_TEXTS = "actor_kind actor verb object_type object_id object reason address client old new"
COLUMNS = (Column("at", Kind.INSTANT), *(Column(name) for name in _TEXTS.split()))
MOST_ROWS = 100_000
"""More than this is taken in parts: narrow the days."""


@pages.register(AuditEntry)
class AuditEntryAdmin(pages.PageAdmin):
    """Who did what, when, to what, why and from where."""

    list_display = ("moment", "who", "kind", "what", "subject", "change", "why", "origin")
    list_filter = (
        ("at", filters.DayRangeFilter),
        PersonFilter,
        ("actor_kind", theme.ChoicesDropdownFilter),
        ObjectTypeFilter,
        VerbFilter,
        AddressFilter,
    )
    search_fields = ("object_label",)
    search_help_text = "Words of object, person, verb, reason or changed values"
    ordering = ("-at", "-id")
    rows_name = "entries"
    empty_title = "Nothing was done yet"
    empty_text = "Whatever people, API keys and jobs do from now on is written here, and stays."

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Entries with the currency of what they are about."""
        return values.with_currency(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Find by words, which an index knows."""
        return audit_trail.with_words(queryset, search_term), False

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
        return history.subject(entry.object_type, entry.object_id, entry.object_label)

    @theme.display(description="Change")
    def change(self, entry: AuditEntry) -> str:
        """What changed."""
        return history.changes(entry)

    @theme.display(description="Why")
    def why(self, entry: AuditEntry) -> str:
        """The reason given."""
        return entry.reason

    @theme.display(description="From")
    def origin(self, entry: AuditEntry) -> str:
        """From where."""
        return history.origin(entry)

    def list_links(self, request: HttpRequest) -> Sequence[dict[str, Any]]:
        """The file of what the list is narrowed to."""
        query = request.GET.urlencode()
        return (verbs.link("Download CSV", f"{self.url('csv')}?{query}" if query else self.url("csv"), "download"),)

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The file."""
        return (("csv/", self.csv_view, "csv"),)

    def csv_view(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The entries that the list is narrowed to, newest first, as CSV; at most a hundred thousand."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = self.get_changelist_instance(request).get_queryset(request).order_by("-at", "-id")
        lines = spreadsheets.write(
            columns=COLUMNS,
            rows=(_line(one) for one in entries[:MOST_ROWS].iterator(chunk_size=2000)),
            file_format=FileFormat.CSV,
        )
        return StreamingHttpResponse(
            lines,
            content_type=CONTENT_TYPES[FileFormat.CSV],
            headers={"Content-Disposition": 'attachment; filename="audit-trail.csv"'},
        )

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
                    Fact("Object", self.subject(instance)),
                    Fact("Why", instance.reason or cells.EMPTY),
                    Fact("From address", instance.address or cells.EMPTY),
                    Fact("By", instance.client or cells.EMPTY),
                ),
            ),
            Table("Change", columns("Value", "Before", "After"), rows, empty="No values were changed."),
        )
        return Page(tabs=(Tab("Entry", shown),))


def _told(entry: AuditEntry, side: Mapping[str, Any], name: str) -> str:
    return values.shown(entry, name, side[name]) if name in side else ""


def _line(entry: AuditEntry) -> tuple[object, ...]:
    told = (json.dumps(side, ensure_ascii=False) for side in (entry.old, entry.new))
    return (
        entry.at, entry.actor_kind, entry.actor_label, entry.verb, entry.object_type, str(entry.object_id),
        entry.object_label, entry.reason, entry.address, entry.client, *told,
    )  # fmt: skip

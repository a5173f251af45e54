"""Journal exports in the admin: what was handed to the general ledger, with control totals and files; making one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from config.kernel.actors import Actor
from config.platform.admin import cells, pages, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Page, Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, Outcome
from customers.models import BillingEntity
from invoicing.admin.ledger_forms import EntityChoice
from invoicing.models import JournalExport
from invoicing.services import journal_exports


class ExportForm(VerbForm):
    """Whose journal, up to which day."""

    billing_entity = EntityChoice()
    until_date = forms.DateField(
        label="Up to",
        required=False,
        help_text="Last accounting day. Empty: everything that was not exported yet.",
    )


class CreateExport(ListVerb):
    """Export a journal."""

    name = "create"
    label = "Export the journal"
    icon = "ios_share"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_journalexport"
    explanation = "Takes every booking up to a day that no export had before. What is booked later for days that were "
    explanation += "exported comes with the next one, marked as late."
    confirm = "Export"
    form_class = ExportForm

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """How far each seller is."""
        rows = []
        entities = list(BillingEntity.objects.order_by("-is_default", "name"))
        waiting = journal_exports.waiting(billing_entity_ids=[entity.pk for entity in entities])
        newest = JournalExport.objects.order_by("billing_entity_id", "-number").distinct("billing_entity_id")
        exports = {export.billing_entity_id: export for export in newest.select_related("billing_entity")}
        for entity in entities:
            last = exports.get(entity.pk)
            until = cells.day(last.until_date) if last and last.until_date else cells.EMPTY
            rows.append(Row((entity.name, cells.to(last), until, cells.number(waiting.get(entity.pk, 0)))))
        labels = columns("Billing entity", "Last export", "Up to", "Bookings waiting#")
        return (Table("Where the exports stand", labels, tuple(rows)),)

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Export it."""
        export = journal_exports.create(
            billing_entity_id=values["billing_entity"].pk, until_date=values["until_date"], actor=actor, at=at
        )
        return Outcome(f"{export} has {export.entries_count} bookings.", cells.page_url(export))


@pages.register(JournalExport)
class JournalExportAdmin(pages.PageAdmin):
    """Exports."""

    list_display = ("export", "entity_named", "days", "entries_shown", "late_shown", "made")
    list_filter = (("billing_entity", theme.RelatedDropdownFilter),)
    list_select_related = ("billing_entity",)
    ordering = ("-id",)
    list_verbs = (CreateExport(),)
    empty_text = "Export the journal when a month is closed, or as often as your general ledger wants it."

    @theme.display(description="Export", ordering="number")
    def export(self, export: JournalExport) -> str:
        """Its number."""
        return str(export)

    @theme.display(description="Billing entity")
    def entity_named(self, export: JournalExport) -> str:
        """Whose."""
        return export.billing_entity.name

    @theme.display(description="Days")
    def days(self, export: JournalExport) -> str:
        """The accounting days."""
        return _days(export)

    @theme.display(description="Bookings")
    def entries_shown(self, export: JournalExport) -> str:
        """How many."""
        return cells.number(export.entries_count)

    @theme.display(description="Late")
    def late_shown(self, export: JournalExport) -> str:
        """How many of days exported before."""
        return cells.number(export.late_count)

    @theme.display(description="Made", ordering="id")
    def made(self, export: JournalExport) -> str:
        """When."""
        return cells.instant(export.created_at)

    def links(self, request: HttpRequest, instance: JournalExport) -> Sequence[dict[str, Any]]:
        """The files."""
        return [verbs.link(kind.upper(), self.url("file", instance.pk, kind), "download") for kind in ("csv", "json")]

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The files."""
        return (("<path:object_id>/file/<str:kind>/", self.file, "file"),)

    def file(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse | StreamingHttpResponse:
        """Send the file of an export."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        export = self.get_object(request, object_id)
        if export is None or kind not in ("csv", "json"):
            return self.missing(request, object_id)
        response = StreamingHttpResponse(
            journal_exports.content(export=export, kind=kind),
            content_type="text/csv; charset=utf-8" if kind == "csv" else "application/json",
        )
        name = journal_exports.file_name(export=export, kind=kind)
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    def page(self, request: HttpRequest, instance: JournalExport) -> Page:
        """The export with its control totals."""
        figures = Figures(
            (
                Figure("Bookings", cells.number_text(instance.entries_count)),
                Figure("Late", cells.number_text(instance.late_count), "of days that were exported before"),
                Figure("First", instance.first_entry_id or cells.EMPTY, "in the order of booking"),
                Figure("Last", instance.last_entry_id or cells.EMPTY, f"settled up to {instance.last_known_id}"),
            )
        )
        rows = tuple(
            Row((currency, cells.number(_decimal(sums["debit"])), cells.number(_decimal(sums["credit"]))))
            for currency, sums in instance.totals.items()
        )
        facts = Facts(
            "Export",
            (
                Fact("Billing entity", cells.to(instance.billing_entity)),
                Fact("Days", _days(instance)),
                Fact("Made", cells.instant(instance.created_at)),
                Fact("SHA-256 of the CSV", cells.code(instance.csv_sha256)),
                Fact("SHA-256 of the JSON", cells.code(instance.json_sha256)),
            ),
        )
        totals = Table("Control totals", columns("Currency", "Debits#", "Credits#"), rows, empty="Nothing was booked.")
        return Page(top=(figures, totals, facts))


def _days(export: JournalExport) -> str:
    first = cells.day_text(export.since_date) if export.since_date else "from the beginning"
    return f"{first} – {cells.day_text(export.until_date) if export.until_date else 'all'}"


def _decimal(text: str) -> Any:
    return forms.DecimalField().to_python(text)

"""Bulk runs in the admin: how far one is, and what became of each row. Everybody sees those that they ordered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.utils.html import format_html

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import bulk, cells, filter_bar, history, pages, paging, table_files, theme
from config.platform.admin.blocks import Block, Fact, Facts, Figure, Figures, Page, Progress, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome
from config.platform.models import BulkRow, BulkRun
from config.platform.services import bulk_runs, spreadsheets
from config.platform.services.spreadsheets import Column, FileFormat, Kind

STATES = {"waiting": Tone.INFO, "running": Tone.ACCENT, "ended": Tone.GOOD, "stopped": Tone.WARN}
PER_PAGE = 100
_FIRST = (BulkRow.Outcome.REFUSED, BulkRow.Outcome.ASKED, BulkRow.Outcome.SKIPPED)


class Stop(ObjectVerb):
    """Leave the rest undone."""

    name = "stop"
    label = "Stop"
    icon = "stop_circle"
    variant = theme.ActionVariant.DANGER
    explanation = "Rows that nobody began are left as they are. What was done stays done."
    confirm = "Stop it"

    def may(self, request: HttpRequest) -> bool:
        """Everybody may stop what they ordered; others do not see it."""
        return True

    def check(self, *, instance: BulkRun, at: datetime) -> None:
        """Only while it goes on."""
        if instance.ended_at is not None:
            raise errors.NotAllowed("has_ended", "It has ended.")

    def perform(self, *, instance: BulkRun, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Stop it."""
        run = bulk_runs.stop(run_id=instance.pk, actor=actor, at=at)
        return Outcome("It is stopped." if run.state == BulkRun.State.STOPPED else "It had ended before.")


@pages.register(BulkRun)
class BulkRunAdmin(pages.PageAdmin):
    """What was ordered for all rows of a list."""

    list_display = ("run", "about", "rows", "status", "ordered")
    ordering = ("-id",)
    verbs = (Stop(),)
    rows_name = "bulk runs"
    empty_title = "Nothing was ordered in bulk"
    empty_text = "Tick the rows of a list, choose all that match, and choose what to do with them."

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Everybody sees what they ordered."""
        return True

    def get_queryset(self, request: HttpRequest) -> QuerySet[BulkRun]:
        """Their own; superusers see all."""
        found = super().get_queryset(request)
        return found if request.user.is_superuser else found.filter(person=request.user.pk)

    @theme.display(description="What", ordering="label")
    def run(self, row: BulkRun) -> str:
        """What is done."""
        return row.label

    @theme.display(description="List", ordering="object_type")
    def about(self, row: BulkRun) -> str:
        """The list that it was ordered from."""
        url = filter_bar.list_url(row.object_type)
        return cells.link(filter_bar.list_name(row.object_type), f"{url}?{row.query}") if url else row.object_type

    @theme.display(description="Rows", ordering="total")
    def rows(self, row: BulkRun) -> str:
        """How many."""
        return cells.number(row.total)

    @theme.display(description="State", ordering="state")
    def status(self, row: BulkRun) -> str:
        """Where it is."""
        return cells.badge(row.get_state_display(), STATES[row.state])

    @theme.display(description="Ordered", ordering="id")
    def ordered(self, row: BulkRun) -> str:
        """When, and by whom."""
        return cells.stack(cells.instant(row.created_at), row.person_label)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page; a bar that asks for itself again gets the whole page once the run has ended."""
        response = super().change_view(request, object_id, form_url, extra_context)
        run = getattr(response, "context_data", None) and response.context_data["original"]
        if "HX-Request" in request.headers and run and run.ended_at is not None:
            return HttpResponse(headers={"HX-Refresh": "true"})
        return response

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """The results as a file."""
        return (("<path:object_id>/results.<slug:file_format>", self.results, "results"),)

    def results(self, request: HttpRequest, object_id: str, file_format: str) -> HttpResponse | StreamingHttpResponse:
        """Send what became of each row, to whoever ordered it."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        run = self.get_object(request, object_id)
        if run is None or file_format not in list(FileFormat):
            return self.missing(request, object_id)
        heads = [
            Column("Object"),
            Column("Key", Kind.NUMBER),
            Column("Result"),
            Column("Remark"),
            Column("At", Kind.INSTANT),
        ]
        rows = (
            [row.object_label, row.object_id, row.get_outcome_display(), row.remark, row.at]
            for row in run.rows.order_by("id").iterator()
        )
        chosen = FileFormat(file_format)
        pieces = spreadsheets.write(columns=heads, rows=rows, file_format=chosen, title="Results")
        return table_files.answer(pieces, name=f"bulk_{run.pk}", file_format=chosen)

    def page(self, request: HttpRequest, instance: BulkRun) -> Page:
        """How far it is, and its rows: those that were not done first."""
        found = bulk_runs.counts(instance.pk)
        is_running = instance.ended_at is None
        top: list[Block] = []
        if is_running:
            done = instance.total - found[BulkRow.Outcome.WAITING]
            items, url = _figures(found), request.get_full_path()
            top.append(Progress("How far it is", done, instance.total, is_running=True, url=url, items=items))
        else:
            top.append(Figures(_figures(found)))
        facts = (
            Fact("What", instance.label),
            Fact("List", self.about(instance)),
            Fact("State", self.status(instance)),
            Fact("Ordered by", cells.stack(instance.person_label, cells.instant(instance.created_at))),
            Fact("Began", cells.instant(instance.started_at)),
            Fact("Ended", cells.instant(instance.ended_at)),
        )
        rows = (_table(request, instance), Facts("", facts))
        return Page(top=tuple(top), tabs=(Tab("Rows", rows),))


def _figures(found: Mapping[str, int]) -> tuple[Figure, ...]:
    toned = (
        ("Done", "done", Tone.GOOD),
        ("Refused", "refused", Tone.BAD),
        ("Wait for a second person", "asked", Tone.WARN),
    )
    told = [
        Figure(label, cells.number_text(found[name]), tone=tone if found[name] else Tone.NEUTRAL)
        for label, name, tone in toned
    ]
    return (*told, Figure("Not done", cells.number_text(found["waiting"] + found["skipped"])))


def _table(request: HttpRequest, run: BulkRun) -> Table:
    order = Case(
        *(When(outcome=one, then=Value(at)) for at, one in enumerate(_FIRST)),
        default=Value(len(_FIRST)),
        output_field=IntegerField(),
    )
    shown = paging.of(run.rows.order_by(order, "id"), request, name="p", per_page=PER_PAGE)
    rows = tuple(
        Row(
            (
                history.subject(run.object_type, row.object_id, row.object_label or str(row.object_id)),
                cells.badge(row.get_outcome_display(), bulk.OUTCOMES[row.outcome]),
                row.remark,
            )
        )
        for row in shown.rows
    )
    action = format_html("{} &nbsp; {}", shown.links, bulk.downloads(run))
    return Table("Rows", columns("Object", "", "Remark"), rows, action=action)

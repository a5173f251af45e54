"""Imports in the admin: each file with what its rows would do or did, samples to begin with, and rows to mend.

Kinds are offered by the apps that write them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join

from config.kernel import errors
from config.platform.admin import cells, history, import_verbs, pages, paging, table_files, theme, verbs
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Progress, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.models import ImportFile, ImportRow
from config.platform.services import import_kinds, imports, spreadsheets
from config.platform.services.import_kinds import ImportKind
from config.platform.services.spreadsheets import Column, FileFormat

_PER_PAGE = 100
_TONES = {
    ImportRow.Outcome.NEW: Tone.GOOD,
    ImportRow.Outcome.CHANGED: Tone.INFO,
    ImportRow.Outcome.REFUSED: Tone.BAD,
}
_STATES = {
    ImportFile.Status.UPLOADED: Tone.WARN,
    ImportFile.Status.CHECKING: Tone.INFO,
    ImportFile.Status.CHECKED: Tone.ACCENT,
    ImportFile.Status.WRITING: Tone.INFO,
    ImportFile.Status.DONE: Tone.GOOD,
}


@pages.register(ImportFile)
class ImportAdmin(pages.PageAdmin):
    """Imported files."""

    list_display = ("named", "what", "state", "by", "uploaded")
    list_filter = (("status", theme.ChoicesDropdownFilter),)
    search_fields = ("file_name",)
    verbs = (import_verbs.Confirm(), import_verbs.ChooseColumns(), import_verbs.CheckAgain(), import_verbs.Abandon())
    prominent = (import_verbs.Confirm.name,)
    empty_title = "No imports yet"
    empty_text = "Customers, plans, prices and opening balances come in as CSV or XLSX: choose a kind above."

    @theme.display(description="File", ordering="file_name")
    def named(self, file: ImportFile) -> str:
        """The file's name."""
        return file.file_name

    @theme.display(description="What", ordering="kind")
    def what(self, file: ImportFile) -> str:
        """The kind."""
        return _kind_label(file)

    @theme.display(description="State", ordering="status")
    def state(self, file: ImportFile) -> str:
        """How far it is."""
        return _state(file)

    @theme.display(description="By")
    def by(self, file: ImportFile) -> str:
        """Who uploaded it."""
        return file.uploaded_label

    @theme.display(description="Uploaded", ordering="-created_at")
    def uploaded(self, file: ImportFile) -> str:
        """When."""
        return cells.instant(file.created_at)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> ImportFile | None:
        """The import; a verb of it only for whoever has the rights of its kind."""
        found = super().get_object(request, object_id, from_field)
        match = request.resolver_match
        name = "" if match is None else str(match.url_name).removeprefix("platform_importfile_")
        if found is not None and name in {verb.name for verb in self.verbs} and not _may(request, found):
            raise PermissionDenied
        return found

    def links(self, request: HttpRequest, instance: ImportFile) -> Sequence[dict[str, Any]]:
        """Rows to mend, as a workbook; the address has them as CSV too."""
        if not instance.rows.filter(outcome=ImportRow.Outcome.REFUSED).exists():
            return ()
        return [
            verbs.link(f"Rows to mend ({one.upper()})", self.url("mend", instance.pk, one.value), "download")
            for one in (FileFormat.XLSX, FileFormat.CSV)
        ]

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """Samples, and the rows to mend."""
        return (
            ("samples/<slug:kind>.<slug:file_format>", self.sample, "sample"),
            ("<path:object_id>/mend.<slug:file_format>", self.mend, "mend"),
        )

    def page(self, request: HttpRequest, instance: ImportFile) -> Page:
        """How far it is, its rows, what its columns are."""
        found = imports.counts(instance)
        return Page(
            top=(
                *_notes(instance),
                *_progress(instance, found, request),
                import_verbs.figures(found),
                *import_verbs.totals(instance),
            ),
            tabs=(
                Tab("Rows", (_rows(instance, request),)),
                Tab("Columns", (_columns(instance),)),
                Tab("File", (_facts(instance),)),
                Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
            ),
        )

    def _buttons(self, request: HttpRequest, instance: Any) -> dict[str, Any]:
        found = super()._buttons(request, instance)
        if _may(request, instance):
            return found
        every = [*found["actions_page"], *found["actions_detail"], *found["actions_more"]]
        return {"actions_detail": [one for one in every if "name" not in one]}

    def sample(self, request: HttpRequest, kind: str, file_format: str) -> HttpResponse | StreamingHttpResponse:
        """Send a file with the headings of a kind and rows to copy."""
        known = import_kinds.every().get(kind)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        if known is None or file_format not in list(FileFormat):
            return self.missing(request, kind)
        columns_ = [Column(column.label) for column in known.columns]
        rows = [[row.get(column.name, "") for column in known.columns] for row in known.samples]
        return _sent(FileFormat(file_format), columns_, rows, f"{known.code}_sample", known.label)

    def mend(self, request: HttpRequest, object_id: str, file_format: str) -> HttpResponse | StreamingHttpResponse:
        """Send the refused rows as they came, with what is wrong beside them: mend and upload them again."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = self.get_object(request, object_id)
        if file is None or file_format not in list(FileFormat):
            return self.missing(request, object_id)
        columns_ = [*(Column(header) for header in file.headers), Column("Row in file"), Column("What is wrong")]
        refused = file.rows.filter(outcome=ImportRow.Outcome.REFUSED).order_by("number")
        rows = [[*_texts(row, len(file.headers)), str(row.number), _wrong(row)] for row in refused]
        return _sent(FileFormat(file_format), columns_, rows, f"mend_{file.pk}", "Rows to mend")


def offer(kind: ImportKind) -> None:
    """Add a kind to what the page of imports offers. Adding it again changes nothing."""
    model_admin = admin.site.get_model_admin(ImportFile)
    verb = import_verbs.Upload(kind)
    if verb.name not in {known.name for known in model_admin.list_verbs}:
        model_admin.list_verbs = (*model_admin.list_verbs, verb)


def _may(request: HttpRequest, file: ImportFile) -> bool:
    kind = import_kinds.every().get(file.kind)
    return kind is not None and request.user.has_perms(kind.permissions)


def _sent(
    file_format: FileFormat, columns_: Sequence[Column], rows: Sequence[Sequence[object]], name: str, title: str
) -> StreamingHttpResponse:
    pieces = spreadsheets.write(columns=columns_, rows=rows, file_format=file_format, title=title)
    return table_files.answer(pieces, name=name, file_format=file_format)


def _kind_label(file: ImportFile) -> str:
    known: Mapping[str, ImportKind] = import_kinds.every()
    return known[file.kind].label if file.kind in known else file.kind


def _state(file: ImportFile) -> str:
    return cells.badge(file.get_status_display(), _STATES.get(ImportFile.Status(file.status), Tone.NEUTRAL))


def _notes(file: ImportFile) -> tuple[Block, ...]:
    if file.remark:
        return (Note(file.remark, Tone.BAD),)
    if file.status == ImportFile.Status.UPLOADED:
        found = imports.missing(file), imports.ambiguous(file)
        words = [
            f"{text}: {', '.join(labels)}."
            for text, labels in zip(("No heading was found for", "More than one heading means"), found, strict=True)
            if labels
        ]
        return (Note(f"{' '.join(words)} Choose the columns.", Tone.WARN),)
    if file.status == ImportFile.Status.CHECKED:
        before = imports.same_before(file)
        twice = () if before is None else (Note(_twice(before), Tone.WARN),)
        return (Note("Nothing is written yet. Look at the rows, then write them.", Tone.INFO), *twice)
    if file.forgotten_at is not None:
        words = f"What stood in the rows was forgotten on {cells.instant_text(file.forgotten_at)}."
        return (Note(words, Tone.NEUTRAL),)
    return ()


def _twice(before: ImportFile) -> str:
    words = f"The same file was written before, on {cells.instant_text(before.confirmed_at)}"
    return format_html("{} by {}: {}", words, before.confirmed_label, cells.to(before))


def _progress(file: ImportFile, found: Mapping[str, int], request: HttpRequest) -> tuple[Block, ...]:
    total = sum(found[str(outcome)] for outcome in ImportRow.Outcome.values)
    if file.status == ImportFile.Status.CHECKING:
        done = total - found[ImportRow.Outcome.PENDING]
        return (Progress("Checking", done, total, is_running=True, url=request.path),)
    if file.status == ImportFile.Status.WRITING:
        wanted = found[ImportRow.Outcome.NEW] + found[ImportRow.Outcome.CHANGED]
        return (Progress("Writing", found["written"], wanted, is_running=True, url=request.path),)
    return ()


_WARNED = "warned"
_ACTIVE = format_html(' class="{}" aria-current="true"', "q-active")


def _rows(file: ImportFile, request: HttpRequest) -> Table:
    asked = request.GET.get("outcome", "")
    rows: QuerySet[ImportRow] = file.rows.order_by("number")
    if asked in ImportRow.Outcome.values:
        rows = rows.filter(outcome=asked)
    elif asked == _WARNED:
        rows = imports.warned(file).order_by("number")
    page = paging.of(rows, request, name="rows", per_page=_PER_PAGE)
    choices = [("", "all"), *ImportRow.Outcome.choices[1:], (_WARNED, "with a warning")]
    every = format_html(
        '<span class="q-switch">{}</span>',
        format_html_join(
            "",
            '<a href="{}"{}>{}</a>',
            [
                (
                    f"{request.path}?outcome={value}" if value else request.path,
                    _ACTIVE if value == asked else "",
                    label,
                )
                for value, label in choices
            ],
        ),
    )
    return Table(
        "Rows",
        columns("Row#", "Is about", "", "What"),
        tuple(Row((cells.number(row.number), _about(row), _outcome(row), _what(row))) for row in page.rows),
        empty="No such rows.",
        action=format_html("{} &nbsp; {}", every, page.links),
    )


def _outcome(row: ImportRow) -> str:
    shown = cells.badge(row.get_outcome_display(), _TONES.get(ImportRow.Outcome(row.outcome), Tone.NEUTRAL))
    return cells.stack(shown, "written") if row.written_at is not None else shown


def _about(row: ImportRow) -> str:
    label = row.object_label if row.object_label and row.object_label != row.key else ""
    if row.object_id is None or (row.written_at is None and row.outcome == ImportRow.Outcome.NEW):
        return cells.stack(row.key or cells.EMPTY, label)
    try:
        address = reverse(f"admin:{row.object_type.replace('.', '_')}_change", args=[row.object_id])
    except NoReverseMatch:
        return cells.stack(row.key, label)
    return cells.stack(cells.link(row.key, address), label)


def _what(row: ImportRow) -> str:
    if row.outcome == ImportRow.Outcome.REFUSED:
        return _wrong(row)
    parts = [
        (name, format_html("{} → {}", old or "–", new or "–") if row.outcome != ImportRow.Outcome.NEW else new)
        for name, old, new in row.changes
    ]
    shown = format_html_join("", "<div><span class='q-muted'>{}</span> {}</div>", parts)
    return format_html("<div>{}</div>{}", cells.badge(row.message, Tone.WARN), shown) if row.message else shown


def _wrong(row: ImportRow) -> str:
    is_named = not row.column or row.message.startswith(row.column)
    return row.message if is_named else f"{row.column}: {row.message}"


def _texts(row: ImportRow, number: int) -> list[str]:
    texts = [cell if isinstance(cell, str) else str(next(iter(cell.values()))) for cell in row.cells]
    return [*texts, *[""] * (number - len(texts))]


def _columns(file: ImportFile) -> Table:
    try:
        kind = import_kinds.one(file.kind)
    except errors.NotFound:
        return Table("Columns", columns("Column"), ())
    rows = []
    for column in kind.columns:
        place = file.columns.get(column.name)
        heading = cells.muted("not in the file") if place is None else file.headers[place]
        rows.append(Row((column.label, cells.badge("needed", Tone.INFO) if column.is_needed else "", heading)))
    unused = [header for place, header in enumerate(file.headers) if place not in file.columns.values()]
    note = f"Left alone: {', '.join(unused)}." if unused else ""
    return Table("Columns", columns("Column", "", "Heading in the file"), tuple(rows), note=note)


def _facts(file: ImportFile) -> Facts:
    options = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in sorted(file.options.items()))
    return Facts(
        "File",
        (
            Fact("Name", file.file_name),
            Fact("What", _kind_label(file)),
            Fact("State", _state(file)),
            Fact("Read as", file.layout.get("read", "")),
            Fact("Decimal mark", file.layout.get("decimals", "")),
            Fact("Days", str(file.layout.get("days", "")).replace("_", " ")),
            Fact("Chosen", options or cells.EMPTY),
            Fact("SHA-256", cells.code(file.digest)),
            Fact("Uploaded", f"{cells.instant_text(file.created_at)} by {file.uploaded_label}"),
            Fact(
                "Confirmed",
                f"{cells.instant_text(file.confirmed_at)} by {file.confirmed_label}"
                if file.confirmed_at
                else cells.EMPTY,
            ),
            Fact("Written as", "all or nothing" if file.is_all_or_nothing else "row by row"),
            Fact("Ended", cells.instant(file.ended_at)),
        ),
    )

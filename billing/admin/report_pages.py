"""The pages of a report: the question as a form, the figures and tables, the list behind a figure, and all as files.

Everything is asked by the address and nothing is changed. Owns the views and their right; what a report says is its own
module's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.admin import report_sheets
from billing.admin.report_asked import Asked, ReportForm
from billing.admin.report_sheets import Sheet
from config.kernel import errors
from config.platform.admin import table_files, verbs
from config.platform.admin.blocks import Block, Chart, Custom
from config.platform.services.spreadsheets import FileFormat

RIGHT = "billing.read_report"
TEMPLATE = "admin/billing/report.html"
DEFINITIONS_TEMPLATE = "admin/billing/report_definitions.html"
PREVIEW_TEMPLATE = "admin/billing/report_preview.html"


@dataclass(frozen=True)
class Shown:
    """What a report says: figures and charts above, then its tables; the first one is its file."""

    top: tuple[Block, ...]
    sheets: tuple[Sheet, ...]
    below: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Report:
    """A report. ``behind`` has the list behind each kind of figure; ``definitions`` say what the figures mean.

    ``preview`` draws its small chart on the page of all reports.
    """

    name: str
    title: str
    icon: str
    about: str
    show: Callable[[Asked], Shown]
    preview: Callable[[Asked], Chart]
    definitions: tuple[tuple[str, str], ...] = ()
    behind: Mapping[str, Callable[[Asked], Sheet]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The report's address."""
        return reverse(f"reports:{self.name}")


def behind(report: str, figure: str, asked: Asked, **further: object) -> str:
    """Return the address of the list behind a figure of a report."""
    return f"{reverse(f'reports:{report}_{figure}')}?{asked.query(**further)}"


def may(request: HttpRequest) -> bool:
    """Say whether the person may read reports, with the names and documents behind their figures."""
    return request.user.has_perm(RIGHT)


def demand(request: HttpRequest) -> HttpResponse | None:
    """Refuse whoever may not read reports (403); return the answer to anything but reading, None where all is well."""
    if not may(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    return None


def report_view(request: HttpRequest, report: Report) -> HttpResponse:
    """Show a report, or answer with one of its tables as a file."""
    if (refused := demand(request)) is not None:
        return refused
    form = ReportForm(request.GET, at=timezone.now())
    shown = Shown((), ())
    if form.is_valid():
        asked = form.asked()
        shown = report.show(asked)
        if (file := _file(request, report, shown.sheets, form)) is not None:
            return file
    found = [*shown.top]
    found += [report_sheets.table(sheet, action=_downloads(request, sheet)) for sheet in shown.sheets]
    found += shown.below
    if shown.sheets:
        found.append(Custom("What the figures say", DEFINITIONS_TEMPLATE, {"definitions": report.definitions}))
    return _page(request, report, form, found)


def behind_view(request: HttpRequest, report: Report, figure: str) -> HttpResponse:
    """Show the list behind a figure, or answer with it as a file."""
    if (refused := demand(request)) is not None:
        return refused
    form = ReportForm(request.GET, at=timezone.now())
    found: list[Block] = []
    if form.is_valid():
        sheet = report.behind[figure](form.asked())
        if (file := _file(request, report, (sheet,), form)) is not None:
            return file
        found.append(report_sheets.table(sheet, action=_downloads(request, sheet)))
    return _page(request, report, form, found, figure=figure)


def preview_view(request: HttpRequest, report: Report) -> HttpResponse:
    """Answer with a report's small chart, a piece of the page of all reports."""
    if (refused := demand(request)) is not None:
        return refused
    form = ReportForm(request.GET, at=timezone.now())
    chart = report.preview(form.asked()) if form.is_valid() else None
    return TemplateResponse(request, PREVIEW_TEMPLATE, {"block": chart})


def _file(
    request: HttpRequest, report: Report, sheets: Sequence[Sheet], form: ReportForm
) -> StreamingHttpResponse | None:
    wanted = request.GET.get("format", "")
    if wanted not in {one.value for one in FileFormat}:
        return None
    sheet = next((one for one in sheets if one.name == request.GET.get("sheet", "")), sheets[0])
    file_format, asked = FileFormat(wanted), form.asked()
    try:
        pieces = report_sheets.file(sheet, file_format=file_format)
    except errors.DomainError as refusal:
        form.refuse(refusal)
        return None
    name = f"{report.name}-{sheet.name}-{asked.currency}-{asked.since:%Y-%m}-{asked.until:%Y-%m}".lower()
    return table_files.answer(pieces, name=name, file_format=file_format)


def _downloads(request: HttpRequest, sheet: Sheet) -> SafeString:
    query = request.GET.copy()
    links = []
    for wanted in FileFormat:
        query["format"], query["sheet"] = wanted.value, sheet.name
        links.append((f"?{query.urlencode()}", wanted.value.upper()))
    return format_html_join(" ", '<a class="q-link" href="{}">{}</a>', links)


def _page(
    request: HttpRequest, report: Report, form: ReportForm, found: Sequence[Block], *, figure: str = ""
) -> HttpResponse:
    request.current_app = admin.site.name
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": report.title,
        "report": report,
        "report_url": f"{report.url}?{_kept(request)}",
        "is_behind": bool(figure),
        "hidden": _hidden(request, form) if figure else (),
        "form": form,
        "media": verbs.form_media(form),
        "blocks": found,
    }
    return TemplateResponse(request, TEMPLATE, context)


def _kept(request: HttpRequest) -> str:
    query = request.GET.copy()
    for name in [name for name in query if name not in {"entity", "currency", "since", "until", "customer"}]:
        del query[name]
    return query.urlencode()


def _hidden(request: HttpRequest, form: ReportForm) -> list[tuple[str, str]]:
    """What an address asks besides the form, kept when the form is sent."""
    return [
        (name, value)
        for name, value in request.GET.items()
        if name not in form.fields and name not in {"format", "sheet"}
    ]

"""The log of requests in the admin: searchable, and only to be read."""

from __future__ import annotations

import json

from django.db.models import QuerySet
from django.http import HttpRequest

from config.platform.admin import cells, filters, pages, theme
from config.platform.admin.blocks import Block, Custom, Fact, Facts, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.models import RequestLog


class OutcomeFilter(filters.ChoiceFilter):
    """Done, refused or failed."""

    title = "outcome"
    parameter_name = "outcome"
    options = (
        ("done", "Done", lambda rows: rows.filter(status__lt=400)),
        ("refused", "Refused (4xx)", lambda rows: rows.filter(status__gte=400, status__lt=500)),
        ("failed", "Failed (5xx)", lambda rows: rows.filter(status__gte=500)),
    )


class MethodFilter(filters.ChoiceFilter):
    """By method."""

    title = "method"
    parameter_name = "method"
    options = tuple(
        (name, name, lambda rows, name=name: rows.filter(method=name)) for name in ("POST", "PUT", "PATCH", "DELETE")
    )


@pages.register(RequestLog)
class RequestLogAdmin(pages.PageAdmin):
    """Requests that were to change something, and their answers."""

    list_display = ("moment", "call", "outcome", "who", "took", "reference")
    list_filter = (
        ("at", filters.DayRangeFilter),
        OutcomeFilter,
        MethodFilter,
        ("status", theme.RangeNumericFilter),
        ("api_key", theme.RelatedDropdownFilter),
    )
    list_select_related = ("api_key",)
    search_fields = ("=request_id", "path", "client", "=address", "request_body", "response_body")
    search_help_text = "Path, request id, client, address, or text of a body; narrow the days first"
    ordering = ("-at", "-id")
    rows_name = "requests"
    empty_text = "Requests of API clients that are to change something are listed here."

    @theme.display(description="When", ordering="at")
    def moment(self, entry: RequestLog) -> str:
        """When it came."""
        return cells.instant(entry.at)

    @theme.display(description="Request")
    def call(self, entry: RequestLog) -> str:
        """Method and path."""
        return cells.stack(f"{entry.method} {entry.path}", entry.query)

    @theme.display(description="Status", ordering="status")
    def outcome(self, entry: RequestLog) -> str:
        """How it was answered."""
        return outcome(entry.status)

    @theme.display(description="Key")
    def who(self, entry: RequestLog) -> str:
        """Whose key it was, and what the client calls itself."""
        return cells.stack(str(entry.api_key), entry.client)

    @theme.display(description="Took")
    def took(self, entry: RequestLog) -> str:
        """How long it took."""
        return f"{entry.duration_ms}\N{NO-BREAK SPACE}ms"

    @theme.display(description="Request id")
    def reference(self, entry: RequestLog) -> str:
        """The id that the answer and the server's log have."""
        return cells.code(entry.request_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RequestLog]:
        """Entries; the list does not read the bodies."""
        rows = super().get_queryset(request)
        is_list = request.resolver_match is not None and "object_id" not in request.resolver_match.kwargs
        return rows.defer("request_body", "response_body") if is_list else rows

    def page(self, request: HttpRequest, instance: RequestLog) -> Page:
        """One request in full, as far as it was kept."""
        facts = Facts(
            "Request",
            (
                Fact("When", cells.instant(instance.at)),
                Fact("Request", cells.code(f"{instance.method} {instance.path}")),
                Fact("Parameters", instance.query or cells.EMPTY),
                Fact("Status", outcome(instance.status)),
                Fact("Took", f"{instance.duration_ms} ms"),
                Fact("Key", cells.to(instance.api_key)),
                Fact("Client", instance.client or cells.EMPTY),
                Fact("Address", instance.address or cells.EMPTY),
                Fact("Request id", cells.code(instance.request_id)),
            ),
        )
        bodies = (_body("Body", instance.request_body), _body("Answer", instance.response_body))
        return Page(tabs=(Tab("Request", (facts, *bodies)),))


def outcome(status: int) -> str:
    """A status in its colour."""
    tone = Tone.GOOD if status < 400 else Tone.WARN if status < 500 else Tone.BAD
    return cells.badge(status, tone)


def _body(title: str, text: str) -> Block:
    try:
        shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:  # not JSON, or cut
        shown = text
    return Custom(title, "admin/platform/code_text.html", {"text": shown or "Empty."})

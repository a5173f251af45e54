"""Rehearsals of billing runs in the admin: the list, and the page of one, as it is computed and reviewed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from billing.admin import live_progress, parked_verbs, rehearsal_exports, rehearsal_outlook
from billing.admin import rehearsal_blocks as shown
from billing.admin import rehearsal_words as words
from billing.admin.rehearsal_verbs import Again, Bill, Drop, Rehearse, Retake, SetSignOff, SignOff
from billing.models import Rehearsal
from billing.queries import rehearsal_outlook as outlook
from billing.queries import rehearsals as known
from billing.queries.rehearsal_outlook import Since
from config.platform.admin import cells, filters, history, pages, paging, theme, verbs
from config.platform.admin.blocks import Block, Page, Tab
from config.platform.queries import installation as installations

State = Rehearsal.State
_GOING = (State.WAITING, State.RUNNING)
FLAGGED = 25
ROWS = 25


@pages.register(Rehearsal)
class RehearsalAdmin(pages.PageAdmin):
    """Rehearsals."""

    list_display = (
        "named", "clock", "state_shown", "asked", "invoices_made_count", "flagged_shown_count", "failures_shown_count",
        "parked_shown_count",
    )  # fmt: skip
    list_filter = (("state", theme.ChoicesDropdownFilter), ("created_at", filters.DayRangeFilter))
    search_fields = ("reason", "remark", "requested_label")
    search_help_text = "Reason, remark or person"
    ordering = ("-id",)
    list_verbs = (Rehearse(), SetSignOff())
    verbs = (SignOff(), Bill(), Retake(), Again(), Drop())
    empty_title = "No run was rehearsed yet"
    empty_text = (
        "See every invoice of the month before it is made: what differs from last month and why, what stands out. A "
        "second person signs it off, and the run bills exactly that."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rehearsal]:
        """Rehearsals with their people and run."""
        return known.rehearsals()

    @theme.display(description="Rehearsal", ordering="id")
    def named(self, row: Rehearsal) -> str:
        """Its number and what it was for."""
        return cells.stack(row, row.reason[:80])

    @theme.display(description="Clock", ordering="as_of")
    def clock(self, row: Rehearsal) -> str:
        """The moment that it rehearses."""
        return cells.instant(row.as_of)

    @theme.display(description="State", ordering="state")
    def state_shown(self, row: Rehearsal) -> str:
        """Where it is, and who signed it off."""
        if row.signed_off_by is None:
            return words.state(row)
        name = row.signed_off_by.get_full_name() or row.signed_off_by.get_username()
        return cells.stack(words.state(row), f"signed off by {name}")

    @theme.display(description="Asked for", ordering="created_at")
    def asked(self, row: Rehearsal) -> str:
        """When and by whom."""
        return cells.stack(cells.instant(row.created_at), row.requested_label)

    @theme.display(description="Invoices", ordering="invoices_count")
    def invoices_made_count(self, row: Rehearsal) -> str:
        """How many it would make."""
        return cells.number(row.invoices_count)

    @theme.display(description="Flagged", ordering="flagged_count")
    def flagged_shown_count(self, row: Rehearsal) -> str:
        """How many stand out."""
        return cells.number(row.flagged_count)

    @theme.display(description="Failures", ordering="failures_count")
    def failures_shown_count(self, row: Rehearsal) -> str:
        """How many customers could not be billed."""
        return cells.number(row.failures_count)

    @theme.display(description="Parked", ordering="parked_count")
    def parked_shown_count(self, row: Rehearsal) -> str:
        """How many were left out."""
        return cells.number(row.parked_count)

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponseBase], str]]:
        """How far it is, for the page that follows it, and the file of all invoices."""
        return (
            ("<path:object_id>/progress/", self.progress_view, "progress"),
            ("<path:object_id>/file/", self.file_view, "file"),
        )

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """How far it is, in a few numbers."""
        instance = self._looked_at(request, object_id)
        if isinstance(instance, HttpResponseBase):
            return instance
        at = timezone.now()
        return live_progress.answer(shown.progress(instance, url="", at=at), at=at)

    def file_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """All of its invoices as a file."""
        instance = self._looked_at(request, object_id)
        return instance if isinstance(instance, HttpResponseBase) else rehearsal_exports.response(request, instance)

    def _looked_at(self, request: HttpRequest, object_id: str) -> Rehearsal | HttpResponseBase:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        instance: Rehearsal | None = self.get_object(request, unquote(object_id))
        if instance is None:
            return JsonResponse({"error": f"There is no rehearsal {unquote(object_id)}."}, status=404)
        return instance

    def links(self, request: HttpRequest, instance: Rehearsal) -> Sequence[dict[str, Any]]:
        """The files, and the run that billed it."""
        address = self.url("file", instance.pk)
        if instance.state in _GOING:
            return ()
        files = (
            verbs.link("CSV", f"{address}?format=csv", "download"),
            verbs.link("XLSX", f"{address}?format=xlsx", "table_view"),
        )
        if instance.run is None:
            return files
        return (verbs.link(str(instance.run), cells.page_url(instance.run), "play_circle"), *files)

    def page(self, request: HttpRequest, instance: Rehearsal) -> Page:
        """How far it is, what it comes to and why, what to look at, whom it leaves out."""
        is_own = instance.requested_by_id is not None and instance.requested_by_id == request.user.pk
        since = outlook.parked_since(rehearsal_id=instance.pk)
        needed, at = installations.billing_needs_sign_off(), timezone.now()
        told = shown.notes(instance, is_own=is_own, needs_sign_off=needed, at=at)
        top = (*self._standing(instance, since), *told)
        if instance.state in _GOING:
            return Page(top=(*top, shown.facts(instance)))
        sums = known.sums(rehearsal_id=instance.pk)
        top = (*top, *rehearsal_outlook.table(sums, since))
        differences = shown.money_blocks(sums, currency=request.GET.get("currency", ""))
        may_park = request.user.has_perm(parked_verbs.RIGHT)
        found = known.invoices(rehearsal_id=instance.pk)
        flagged = paging.of(shown.by_size(found.filter(is_flagged=True)), request, name="flagged", per_page=FLAGGED)
        every = paging.of(shown.by_size(found), request, name="invoices", per_page=ROWS, tab="Invoices")
        failures = known.failures(rehearsal_id=instance.pk).order_by("pk")
        failed = paging.of(failures, request, name="failed", per_page=ROWS, tab="Failures")
        waiting = known.parked(rehearsal_id=instance.pk).order_by("pk")
        left_out = paging.of(waiting, request, name="parked", per_page=ROWS, tab="Parked")
        left_since = self._parked_since(request, instance) if since else ()
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(
            top=top,
            tabs=(
                Tab("Differences", (*differences, _flagged(instance, flagged, may_park=may_park))),
                Tab("Invoices", (_every(instance, every, may_park=may_park),), instance.invoices_count),
                Tab("Failures", (shown.failures(failed),), instance.failures_count),
                Tab(
                    "Parked",
                    (shown.parked(left_out), *left_since),
                    instance.parked_count + sum(one.accounts_count for one in since),
                ),
                Tab("About", (shown.facts(instance),)),
                Tab("History", (recent,)),
            ),
        )

    def _parked_since(self, request: HttpRequest, row: Rehearsal) -> tuple[Block, ...]:
        rows = outlook.rows_parked_since(rehearsal_id=row.pk).order_by("pk")
        return (rehearsal_outlook.parked(paging.of(rows, request, name="since", per_page=ROWS, tab="Parked")),)

    def _standing(self, row: Rehearsal, since: Sequence[Since]) -> Iterator[Block]:
        if row.state in _GOING or shown.is_being_billed(row):
            yield shown.progress(row, url=self.url("progress", row.pk), at=timezone.now())
        if row.state not in _GOING:
            yield shown.figures(row, since=since)


def _flagged(row: Rehearsal, page: paging.Paged, *, may_park: bool) -> Block:
    return shown.invoices(
        page,
        title="Flagged invoices",
        empty="No rule flags an invoice.",
        may_park=may_park,
        action=cells.link("Filter and park several", shown.narrowed(row, flagged="yes")) if page.rows else "",
    )


def _every(row: Rehearsal, page: paging.Paged, *, may_park: bool) -> Block:
    return shown.invoices(
        page,
        title="All invoices, the largest difference first",
        empty="The run would make no invoice.",
        may_park=may_park,
        action=cells.link("Filter, sort, park several", shown.narrowed(row, outcome="invoice")) if page.rows else "",
    )

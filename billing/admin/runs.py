"""Billing runs in the admin: the list, the page of a run while it runs and after, and starting one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.utils.http import urlencode

from billing.admin import due_blocks, live_progress, run_blocks, shown
from billing.models import BillingRun, BillingRunItem, Rehearsal
from billing.services import run_starts
from config.kernel import jobs
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, paging, theme, verbs
from config.platform.admin.blocks import Block, Note, Page, Tab
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ListVerb, Outcome, changelist_url

ITEMS = 200
STUCK_HOURS = 6
MOST_DIGITS = 10
SINCE = "since"
"""Of the list's address: when a run was asked for, in seconds of the epoch. Until it shows, the list asks again."""
PATIENCE = timedelta(minutes=2)
"""For a run that was asked for; then it is a matter for whoever looks after the workers."""


class StartRun(ListVerb):
    """Bill what is due now, without waiting for the scheduler."""

    name = "start"
    label = "Run billing now"
    icon = "play_arrow"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.start_billingrun"
    explanation = (
        "Every subscription whose billing day has come is billed, as the scheduler would do it. What is billed already "
        "is not billed again, so starting a run once too often does no harm."
    )
    confirm = "Start the run"

    def preview(self, *, at: datetime) -> Sequence[Block]:
        """How much is due."""
        run_starts.demand_free()
        return due_blocks.of(as_of=at, nothing="Nothing is due: a run would find nothing to bill.")

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker: it may take minutes. Refused where runs are to be signed off."""
        run_starts.demand_free()
        jobs.enqueue("billing.tasks.start_run", user_id=actor.user_id, label=actor.label)
        address = f"{changelist_url(BillingRun)}?{urlencode({SINCE: int(at.timestamp())})}"
        return Outcome("The run was handed to a worker. It shows here as soon as it has begun.", address)


@pages.register(BillingRun)
class BillingRunAdmin(pages.PageAdmin):
    """Billing runs."""

    list_display = (
        "run", "started", "trigger", "status_shown", "customers_count", "invoices_made_count", "failures_shown_count",
        "took",
    )  # fmt: skip
    list_filter = (("status", theme.ChoicesDropdownFilter), ("created_at", filters.DayRangeFilter))
    ordering = ("-created_at", "-id")
    list_verbs = (StartRun(),)
    empty_text = "The scheduler starts a run every hour when something is due. You can start one now."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, which asks for itself again while a run is going, or one that was asked for is to begin."""
        address = request.get_full_path()
        request.GET = request.GET.copy()  # the list takes what it does not know for a filter
        since = request.GET.pop(SINCE, [""])[-1]
        is_live = _is_going() or _is_awaited(since, at=timezone.now())
        return super().changelist_view(request, {"refresh_url": address if is_live else "", **(extra_context or {})})

    @theme.display(description="Run", ordering="id")
    def run(self, run: BillingRun) -> str:
        """Its number."""
        return str(run)

    @theme.display(description="Clock", ordering="as_of")
    def started(self, run: BillingRun) -> str:
        """The clock that it billed at."""
        return cells.instant(run.as_of)

    @theme.display(description="Status", ordering="status")
    def status_shown(self, run: BillingRun) -> str:
        """How it went."""
        return shown.run_status(run)

    @theme.display(description="Customers", ordering="customers_done")
    def customers_count(self, run: BillingRun) -> str:
        """How many were looked at."""
        return cells.number(run.customers_done)

    @theme.display(description="Invoices", ordering="invoices_count")
    def invoices_made_count(self, run: BillingRun) -> str:
        """How many were made."""
        return cells.number(run.invoices_count)

    @theme.display(description="Refused or failed", ordering="failures_count")
    def failures_shown_count(self, run: BillingRun) -> str:
        """How many customers could not be billed."""
        return cells.number(run.failures_count)

    @theme.display(description="Took")
    def took(self, run: BillingRun) -> str:
        """How long it ran."""
        return shown.duration(run.created_at, run.finished_at) or cells.EMPTY

    def further_views(self) -> Sequence[tuple[str, Callable[..., HttpResponse], str]]:
        """How far it is, for the page that follows it."""
        return (("<path:object_id>/progress/", self.progress_view, "progress"),)

    def progress_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How far it is, in a few numbers."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        instance = self.get_object(request, unquote(object_id))
        if instance is None:
            return JsonResponse({"error": f"There is no run {unquote(object_id)}."}, status=404)
        return live_progress.answer(run_blocks.progress(instance, url=""), at=timezone.now())

    def links(self, request: HttpRequest, instance: BillingRun) -> Sequence[dict[str, Any]]:
        """The rehearsal that was signed off for it."""
        row = Rehearsal.objects.filter(run=instance).first()
        return () if row is None else (verbs.link(str(row), cells.page_url(row), "theater_comedy"),)

    def page(self, request: HttpRequest, instance: BillingRun) -> Page:
        """How far it is, what it made, what it refused, left out, and what failed."""
        items = BillingRunItem.objects.filter(run=instance).select_related("customer", "invoice").order_by("id")
        made = paging.of(items.filter(error_code=""), request, name="made", per_page=ITEMS)
        first = Tab("Invoices", (run_blocks.made(made),), instance.invoices_count)
        counts = run_blocks.counts(instance)
        urgent, others = [], []
        for part in run_blocks.PARTS:
            if counts[part.name] or part.is_always:
                page = paging.of(part.of(items), request, name=part.name, per_page=ITEMS, tab=part.title)
                tab = Tab(part.title, (part.table(page),), counts[part.name])
                (urgent if part.is_urgent and counts[part.name] else others).append(tab)
        recent = Tab("History", (history.recent(instance, self.url("history", instance.pk)),))
        progress = run_blocks.progress(instance, url=self.url("progress", instance.pk))
        return Page(top=(progress, *_stuck(instance)), tabs=(*urgent, first, *others, recent))


def _is_going() -> bool:
    """Say whether a run is going; one that was interrupted hours ago is not."""
    fresh = timezone.now() - timedelta(hours=STUCK_HOURS)
    return BillingRun.objects.filter(finished_at__isnull=True, as_of__gte=fresh).exists()


def _is_awaited(since: str, *, at: datetime) -> bool:
    if not since.isascii() or not since.isdecimal() or len(since) > MOST_DIGITS:
        return False
    asked = datetime.fromtimestamp(int(since), tz=UTC)
    return asked <= at < asked + PATIENCE and not BillingRun.objects.filter(created_at__gte=asked).exists()


def _began(run: BillingRun) -> datetime:
    """When it began. One of a rehearsal that was made by an earlier version has the clock that was rehearsed."""
    asked = Rehearsal.objects.filter(run=run).values_list("bill_asked_at", flat=True).first()
    return asked or run.created_at


def _stuck(run: BillingRun) -> tuple[Block, ...]:
    """A run that has been going for hours was interrupted: say what that means."""
    if run.finished_at is not None or (timezone.now() - _began(run)).total_seconds() < STUCK_HOURS * 3600:
        return ()
    text = "This run seems to have been interrupted. What it billed stays billed; the next run goes on from there."
    return (Note(text, Tone.WARN),)

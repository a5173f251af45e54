"""Billing runs in the admin: the list, the page of a run while it runs and after, and starting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode

from billing.admin import shown
from billing.models import BillingRun, BillingRunItem
from billing.queries import contracts, dashboard
from config.kernel import jobs
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, paging, theme
from config.platform.admin.blocks import (
    Block,
    Figure,
    Figures,
    Note,
    Page,
    Progress,
    Row,
    Tab,
    Table,
    columns,
)
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
        customers = sum(1 for _ in contracts.due_customers(as_of=at))
        due = dashboard.due_by_plan(as_of=at)
        subscriptions = sum(row.subscriptions for row in due)
        if not customers:
            return (Note("Nothing is due: a run would find nothing to bill.", Tone.INFO),)
        return (
            Figures(
                (
                    Figure("Customers due", cells.number_text(customers)),
                    Figure("Subscriptions due", cells.number_text(subscriptions)),
                    Figure("Oldest billing day", cells.day_text(min(row.oldest for row in due)) if due else "–"),
                )
            ),
            Table(
                "Due by plan",
                columns("Plan", "Subscriptions#", "Oldest billing day"),
                tuple(Row((row.plan, cells.number(row.subscriptions), cells.day(row.oldest))) for row in due),
            ),
        )

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Hand it to a worker: it may take minutes."""
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

    @theme.display(description="Failures", ordering="failures_count")
    def failures_shown_count(self, run: BillingRun) -> str:
        """How many customers could not be billed."""
        return cells.number(run.failures_count)

    @theme.display(description="Took")
    def took(self, run: BillingRun) -> str:
        """How long it ran."""
        return shown.duration(run.as_of, run.finished_at) or cells.EMPTY

    def page(self, request: HttpRequest, instance: BillingRun) -> Page:
        """How far it is, what it made and what failed."""
        items = BillingRunItem.objects.filter(run=instance).select_related("customer", "invoice").order_by("id")
        made = paging.of(items.filter(error_code=""), request, name="made", per_page=ITEMS)
        failures = paging.of(items.exclude(error_code=""), request, name="failed", per_page=ITEMS)
        tabs = [
            Tab("Invoices", (_made(made),), instance.invoices_count),
            Tab("Failures", (_failures(failures),), instance.failures_count),
            Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
        ]
        if failures.rows:
            tabs[0], tabs[1] = tabs[1], tabs[0]
        return Page(top=(_progress(instance, self.url("change", instance.pk)), *_stuck(instance)), tabs=tuple(tabs))


def _is_going() -> bool:
    """Say whether a run is going; one that was interrupted hours ago is not."""
    fresh = timezone.now() - timedelta(hours=STUCK_HOURS)
    return BillingRun.objects.filter(finished_at__isnull=True, as_of__gte=fresh).exists()


def _is_awaited(since: str, *, at: datetime) -> bool:
    if not since.isascii() or not since.isdecimal() or len(since) > MOST_DIGITS:
        return False
    asked = datetime.fromtimestamp(int(since), tz=UTC)
    return asked <= at < asked + PATIENCE and not BillingRun.objects.filter(created_at__gte=asked).exists()


def _progress(run: BillingRun, url: str) -> Progress:
    return Progress(
        f"{run} · {run.trigger}",
        done=run.customers_done,
        total=run.customers_total,
        is_running=run.finished_at is None,
        url=url,
        items=(
            Figure("Clock", cells.instant(run.as_of)),
            Figure("Status", shown.run_status(run)),
            Figure("Customers", cells.number_text(run.customers_done)),
            Figure("Invoices", cells.number_text(run.invoices_count)),
            Figure(
                "Failures", cells.number_text(run.failures_count), tone=Tone.BAD if run.failures_count else Tone.NEUTRAL
            ),
            Figure("Took", shown.duration(run.as_of, run.finished_at) or "–"),
        ),
    )


def _stuck(run: BillingRun) -> tuple[Block, ...]:
    """A run that has been going for hours was interrupted: say what that means."""
    if run.finished_at is not None or (timezone.now() - run.as_of).total_seconds() < STUCK_HOURS * 3600:
        return ()
    text = "This run seems to have been interrupted. What it billed stays billed; the next run goes on from there."
    return (Note(text, Tone.WARN),)


def _made(page: paging.Paged) -> Table:
    return Table(
        "Invoices",
        columns("Invoice", "Customer", "Billing day", "Total#"),
        tuple(
            Row(
                (
                    cells.to(item.invoice),
                    cells.to(item.customer, item.customer.display_name),
                    cells.day(item.billing_date),
                    cells.money(item.invoice.total_amount) if item.invoice else cells.EMPTY,
                )
            )
            for item in page.rows
        ),
        empty="This run made no invoice.",
        action=page.links,
    )


def _failures(page: paging.Paged) -> Table:
    return Table(
        "Failures",
        columns("Customer", "Reason", "Code"),
        tuple(
            Row((cells.to(item.customer, item.customer.display_name), item.error, cells.code(item.error_code)))
            for item in page.rows
        ),
        empty="Nothing failed.",
        note="Whoever failed is tried again by the next run." if page.rows else "",
        action=page.links,
    )

"""Billing runs in the admin: the list, the page of a run while it runs and after, and starting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from billing.admin import shown
from billing.models import BillingRun, BillingRunItem
from billing.queries import contracts, dashboard
from config.kernel import jobs
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, history, pages, theme
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
from config.platform.admin.verbs import ListVerb, Outcome

ITEMS = 200


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
        return Outcome("The run was handed to a worker. It shows here as soon as it has begun.")


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
        items = BillingRunItem.objects.filter(run=instance).select_related("customer", "invoice")
        failures = list(items.exclude(error_code="").order_by("id")[:ITEMS])
        made = list(items.filter(error_code="").order_by("id")[:ITEMS])
        tabs = [
            Tab("Invoices", (_made(made, instance.invoices_count),), instance.invoices_count),
            Tab("Failures", (_failures(failures),), instance.failures_count),
            Tab("History", (history.recent(instance, self.url("history", instance.pk)),)),
        ]
        if failures:
            tabs[0], tabs[1] = tabs[1], tabs[0]
        return Page(top=(_progress(instance, self.url("change", instance.pk)), *_stuck(instance)), tabs=tuple(tabs))


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
    if run.finished_at is not None or (timezone.now() - run.as_of).total_seconds() < 6 * 3600:
        return ()
    text = "This run seems to have been interrupted. What it billed stays billed; the next run goes on from there."
    return (Note(text, Tone.WARN),)


def _made(items: Sequence[BillingRunItem], count: int) -> Table:
    more = f"The first {ITEMS} of {cells.number_text(count)}." if count > len(items) else ""
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
            for item in items
        ),
        empty="This run made no invoice.",
        note=more,
    )


def _failures(items: Sequence[BillingRunItem]) -> Table:
    return Table(
        "Failures",
        columns("Customer", "Reason", "Code"),
        tuple(
            Row((cells.to(item.customer, item.customer.display_name), item.error, cells.code(item.error_code)))
            for item in items
        ),
        empty="Nothing failed.",
        note="Whoever failed is tried again by the next run." if items else "",
    )

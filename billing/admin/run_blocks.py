"""What the page of a billing run shows: how far it is, and what it made, refused, left out and could not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from billing.admin import shown
from billing.admin.live_progress import Item, LiveProgress
from billing.models import BillingRun, BillingRunItem
from billing.queries.rehearsals import PARKED
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.paging import Paged

INPUTS_CHANGED = "inputs_changed"
_APART = ("", INPUTS_CHANGED, PARKED)


@dataclass(frozen=True)
class Part:
    """Items of one kind: their tab, which they are, and how they are told. ``is_urgent`` puts their tab first."""

    title: str
    name: str
    condition: Q
    table: Callable[[Paged], Table]
    is_always: bool = False
    is_urgent: bool = False

    def of(self, items: QuerySet[BillingRunItem]) -> QuerySet[BillingRunItem]:
        """Narrow items to those of this kind."""
        return items.filter(self.condition)


def progress(run: BillingRun, *, url: str) -> LiveProgress:
    """How far it is. Its page says by itself how fast it goes: a run's clock need not be that of the wall."""
    return LiveProgress(
        f"{run} · {run.trigger}",
        done=run.customers_done,
        total=run.customers_total,
        is_running=run.finished_at is None,
        url=url,
        items=(
            Item("Clock", cells.instant(run.as_of)),
            Item("Status", shown.run_status(run)),
            Item("Invoices", cells.number_text(run.invoices_count), "invoices"),
            Item(
                "Refused or failed",
                cells.number_text(run.failures_count),
                "failures",
                Tone.BAD if run.failures_count else Tone.NEUTRAL,
            ),
            Item("Took", shown.duration(run.as_of, run.finished_at) or "–"),
        ),
    )


def counts(run: BillingRun) -> dict[str, int]:
    """How many items there are of each kind. One query."""
    items = BillingRunItem.objects.filter(run=run)
    found: dict[str, int] = items.aggregate(**{part.name: Count("pk", filter=part.condition) for part in PARTS})
    return found


def made(page: Paged) -> Table:
    """The invoices."""
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


def _refused(page: Paged) -> Table:
    return Table(
        "Refused: inputs changed since the sign-off",
        columns("Customer", "What changed, and by how much"),
        _reasons(page),
        note="Nobody agreed to these invoices as they would be now. Rehearse again: what is left is computed anew.",
        action=page.links,
    )


def _parked(page: Paged) -> Table:
    return Table(
        "Parked accounts",
        columns("Customer", "Why it waits"),
        _reasons(page),
        note="The run left them out. They are billed by the first run after their release.",
        action=page.links or cells.link("Parked accounts", reverse("admin:billing_parkedaccount_changelist")),
    )


def _failures(page: Paged) -> Table:
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


def _reasons(page: Paged) -> tuple[Row, ...]:
    return tuple(Row((cells.to(item.customer, item.customer.display_name), item.error)) for item in page.rows)


PARTS = (
    Part("Refused", "refused", Q(error_code=INPUTS_CHANGED), _refused, is_urgent=True),
    Part("Failures", "failed", ~Q(error_code__in=_APART), _failures, is_always=True, is_urgent=True),
    Part("Parked", "parked", Q(error_code=PARKED), _parked),
)

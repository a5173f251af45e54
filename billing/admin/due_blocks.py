"""What a billing run would find due at a clock, as blocks: before one is started, and before one is rehearsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.queries import dashboard, rehearsals
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Figures, Note, Row, Table, columns
from config.platform.admin.cells import Tone


def of(*, as_of: datetime, nothing: str) -> Sequence[Block]:
    """Customers, subscriptions and the oldest day that are due; ``nothing`` is said where none is."""
    found = rehearsals.due_now(as_of=as_of)
    if not found.customers_count:
        return (Note(nothing, Tone.INFO),)
    due = dashboard.due_by_plan(as_of=as_of)
    return (
        Figures(
            (
                Figure("Customers due", cells.number_text(found.customers_count)),
                Figure("Parked of them", cells.number_text(found.parked_count), "left out"),
                Figure("Subscriptions due", cells.number_text(sum(row.subscriptions for row in due))),
                Figure("Oldest billing day", cells.day_text(min(row.oldest for row in due)) if due else "–"),
            )
        ),
        Table(
            "Due by plan",
            columns("Plan", "Subscriptions#", "Oldest billing day"),
            tuple(Row((row.plan, cells.number(row.subscriptions), cells.day(row.oldest))) for row in due),
            empty="Only changes of plans have come.",
        ),
    )

"""What a billing run would find due at a clock, as blocks: before one is started, and before one is rehearsed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from billing.queries import dashboard, rehearsals
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Figure, Figures, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import Kept

_BEGUN = time(12)
"""By noon in UTC a day has begun everywhere between America and Asia."""


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


def later(*, as_of: datetime, day: date) -> tuple[Any, ...]:
    """What to keep of what was shown, and a warning where the day has not begun yet for some: how many come due later.

    ``day`` is that of ``as_of`` as it was meant. The page is told again how many were due when it is pressed.
    """
    due = rehearsals.due_now(as_of=as_of).customers_count
    kept = Kept("shown", str(due))
    noon = datetime.combine(day, _BEGUN, tzinfo=UTC)
    if as_of >= noon:
        return (kept,)
    more = rehearsals.due_now(as_of=noon).customers_count - due
    if more <= 0:
        return (kept,)
    text = (
        f"{_customers(more)} {'becomes' if more == 1 else 'become'} due later that day, and are not in it: the day has "
        f"not begun yet where they are. At {cells.instant_text(noon)} it has begun for all."
    )
    return (kept, Note(text, Tone.WARN))


def counted(*, as_of: datetime, shown: int | None) -> str:
    """How many customers are due, beside how many were ``shown`` before: "45 customers, 4 more than shown"."""
    due = rehearsals.due_now(as_of=as_of).customers_count
    if shown is None or shown == due:
        return _customers(due)
    return f"{_customers(due)}, {cells.number_text(abs(due - shown))} {'more' if due > shown else 'fewer'} than shown"


def _customers(count: int) -> str:
    return f"{cells.number_text(count)} {'customer' if count == 1 else 'customers'}"

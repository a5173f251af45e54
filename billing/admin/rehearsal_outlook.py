"""What the run of a rehearsal will bill and when, beside what was agreed to; and what became of it. Owns the words and
tables of that; the counting is `billing.queries.rehearsal_outlook`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from moneyed import Money

from billing.models import Rehearsal
from billing.queries import rehearsal_outlook as known
from billing.queries.rehearsal_outlook import Since
from billing.queries.rehearsals import Sums
from billing.services import periodic_jobs
from config.platform.admin import cells, paging
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.cells import Tone

_JOB = next(job for job in periodic_jobs.JOBS if job.name == "billing")
SINCE = "parked since"


def mark(row: Any) -> str:
    """The badge of an invoice whose account was parked after it was rehearsed; nothing for another."""
    return cells.badge(SINCE, Tone.WARN) if getattr(row, "parked_since", False) else ""


def table(sums: Sequence[Sums], since: Sequence[Since]) -> Iterator[Table]:
    """What was rehearsed, what of it is parked since, and what the run will bill; nothing where nobody was parked."""
    if not since:
        return
    parked = {one.currency: one for one in since}
    rows = []
    for one in sums:
        left = parked.get(one.currency)
        count, total = (0, one.total * 0) if left is None else (left.invoices_count, left.total)
        rows.append(
            Row(
                (
                    one.currency,
                    _counted(one.total, one.invoices_count),
                    _counted(total, count) if count else cells.EMPTY,
                    _counted(one.total - total, one.invoices_count - count),
                )
            )
        )
    yield Table(
        "What the run will bill",
        columns("Currency", "Rehearsed#", "Parked since#", "Will be billed#"),
        tuple(rows),
        note="Accounts that were parked since are left out. One that is released before the run is billed as it was "
        "rehearsed.",
    )


def parked(page: paging.Paged) -> Table:
    """The invoices whose accounts were parked after they were rehearsed."""
    return Table(
        "Parked since",
        columns("Customer", "Billing day", "Total#"),
        tuple(
            Row(
                (
                    cells.to(row.customer, row.customer.display_name),
                    cells.day(row.billing_date),
                    cells.money(row.total_amount),
                )
            )
            for row in page.rows
        ),
        note="They were rehearsed and count in its sums; the run leaves them out.",
        action=page.links,
    )


def became(row: Rehearsal) -> str:
    """What became of what was agreed to: "4 invoices = 2 billed + 1 refused + 1 parked"."""
    found = known.became(rehearsal=row)
    if found is None:
        return ""
    parts = [(found.billed, "billed"), (found.refused, "refused"), (found.parked, "parked"), (found.failed, "failed")]
    told = " + ".join(f"{cells.number_text(count)} {word}" for count, word in parts if count or word == "billed")
    noun = "invoice" if found.agreed == 1 else "invoices"
    text = f"{cells.number_text(found.agreed)} {noun} = {told}"
    if not found.unagreed:
        return text
    customers = "customer" if found.unagreed == 1 else "customers"
    return f"{text}. {cells.number_text(found.unagreed)} more {customers} refused: not rehearsed"


def next_run(*, after: datetime) -> datetime:
    """Return when the scheduler looks at billing next, at or after a moment: in UTC, at its minute of the hour."""
    hour = after.astimezone(UTC).replace(minute=int(_JOB.minutes), second=0, microsecond=0)
    return hour if hour >= after else hour + timedelta(hours=1)


def _counted(total: Money, count: int) -> str:
    noun = "invoice" if count == 1 else "invoices"
    return cells.stack(cells.money(total), f"{cells.number_text(count)} {noun}")

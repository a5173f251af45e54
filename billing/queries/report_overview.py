"""Recurring revenue for a first page: its movements by month, in every currency at once. Never writes.

One pass over the subscriptions for all the currencies, as long as one report of it; whoever shows it often may keep the
answer for some minutes, as the past hardly changes.
"""

from __future__ import annotations

from datetime import UTC, datetime

from billing.domain import revenue_movements
from billing.domain.revenue_movements import MonthMoved
from billing.queries import report_recurring
from config.kernel import dates

MONTHS = 12


def movements(*, at: datetime, months: int = MONTHS) -> dict[str, list[MonthMoved]]:
    """Return the last months up to that of ``at`` (UTC) in each currency with recurring revenue, oldest first.

    The last one ends now. Start and movements of a month come to its end; the end of the last one is the MRR of now.
    Two statements.
    """
    last = at.astimezone(UTC).date().replace(day=1)
    first = dates.add_months(last, -months)
    found = report_recurring.paces(at=at, months=report_recurring.month_range(first, last))
    return {code: revenue_movements.by_month(found, currency=code) for code in found.currencies()}

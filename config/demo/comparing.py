"""Compares what was invoiced with what the log says, month by month. Owns the table that the sample ends with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from config.demo import price_list
from config.demo.api import Api
from config.demo.usage import Totals

GIGABYTE = 10**9
_INTO_THE_PERIOD = timedelta(days=2)  # a period's first instant may still be the day before in UTC


@dataclass(frozen=True)
class Row:
    """A month: what was logged and what stands on finalized invoices. Bytes need not be whole if something is wrong."""

    month: date
    logged: Totals
    requests: Decimal
    size: Decimal

    @property
    def equal(self) -> bool:
        """Say whether every request and every byte is invoiced exactly once."""
        return self.requests == self.logged.requests and self.size == self.logged.size


def rows(api: Api, logged: Mapping[date, Totals], *, subscription_ids: Collection[str]) -> list[Row]:
    """Return a row for each month of the log. Lines of other subscriptions, drafts and late usage do not count.

    Late usage is what was sent beside the log: nothing bills it unless a person decides so.
    """
    late = {entry["lago_fee_id"] for entry in api.rows("late_usage")}
    finalized = {invoice["lago_id"] for invoice in api.rows("invoices", status="finalized")}
    wanted = set(subscription_ids)
    units: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for code in (price_list.REQUESTS, price_list.EGRESS):
        for fee in api.rows("fees", fee_type="charge", billable_metric_code=code):
            if fee["lago_id"] in late:
                continue
            if fee["lago_invoice_id"] in finalized and fee["external_subscription_id"] in wanted:
                units[_month(fee["from_date"]), code] += Decimal(fee["units"])
    return [
        Row(month, totals, units[month, price_list.REQUESTS], units[month, price_list.EGRESS] * GIGABYTE)
        for month, totals in sorted(logged.items())
    ]


def table(found: Sequence[Row]) -> str:
    """Write the rows as a table for a terminal, with a mark for each month."""
    head = f"{'':10}{'requests':>24}{'bytes sent':>34}"
    names = f"{'month':10}{'logged':>12}{'invoiced':>12}{'logged':>17}{'invoiced':>17}"
    lines = [
        f"{row.month:%Y-%m}   {row.logged.requests:>12,}{_figure(row.requests):>12}"
        f"{row.logged.size:>17,}{_figure(row.size):>17}  {'✔' if row.equal else '✘'}"
        for row in found
    ]
    return "\n".join([head, names, *lines])


def _figure(value: Decimal) -> str:
    return f"{value.normalize():,f}"


def _month(from_date: str) -> date:
    start = datetime.fromisoformat(from_date)
    return (start + _INTO_THE_PERIOD).date().replace(day=1)

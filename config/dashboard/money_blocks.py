"""Money on the overview: figures with what they mean, billed and collected by month, open amounts by age, what is late.

Every figure leads to the documents or the report behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from django.core.cache import cache
from django.urls import reverse
from django.utils import formats
from django.utils.http import urlencode
from moneyed import Money

from config.dashboard.narrowing import Narrowing
from config.kernel import dates, money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Figure, Row, Series, Table, columns
from config.platform.admin.cells import Tone
from invoicing.domain import ageing
from invoicing.queries import receivables, revenue
from invoicing.queries.revenue import Month

CACHE_SECONDS = 600
"""Months that are over are summed of very many documents, and hardly change."""

MONTHS = 12
ROWS = 6

AGES = {
    ageing.BUCKETS[0]: "Not due",
    ageing.BUCKETS[1]: "1–30 days",
    ageing.BUCKETS[2]: "31–60 days",
    ageing.BUCKETS[3]: "61–90 days",
    ageing.BUCKETS[4]: "Over 90 days",
    ageing.DISPUTED: "Disputed",
}
AGE_TONES = ("neutral", "warn", "orange", "bad", "bad", "neutral")

Ages = Mapping[str, Mapping[str, Money]]


@dataclass(frozen=True)
class Definitions(Block):
    """What figures mean, closed until somebody asks."""

    items: tuple[tuple[str, str], ...]
    template: ClassVar[str] = "admin/overview/definitions.html"


MEANINGS = (
    (
        "Billed",
        (
            "Invoices issued in the month, with tax, less what credit notes gave back of them. Prepaid credit "
            "counts when it is used, not when it is bought."
        ),
    ),
    ("Collected", "Payments received in the month by the ledger's day, less what was paid back."),
    ("Open", "What issued invoices still ask for, disputed amounts included."),
    ("Overdue", "What of it is past its due date and not disputed."),
    ("By month", "This month is as of now, months that are over up to ten minutes old."),
)


def first_month(at: datetime) -> date:
    """The first day of the oldest month that the overview shows."""
    return dates.add_months(this_month(at), 1 - MONTHS)


def this_month(at: datetime) -> date:
    """The first day of the month, in UTC."""
    return at.astimezone(UTC).date().replace(day=1)


def months(*, entity_id: int | None, at: datetime) -> list[Month]:
    """Billed and collected of the months that the overview shows; those that are over, up to ten minutes old."""
    first, this = first_month(at), this_month(at)
    until = this - timedelta(days=1)
    older = cache.get_or_set(
        f"overview:months:{first}:{until}:{entity_id}",
        lambda: revenue.by_month(since=first, until=until, billing_entity_id=entity_id),
        CACHE_SECONDS,
    )
    return [*older, *revenue.by_month(since=this, billing_entity_id=entity_id)]


def currencies(months: Sequence[Month], ages: Ages) -> list[str]:
    """The currencies in which anything happened, the busiest first."""
    busy: dict[str, int] = {}
    for month in months:
        busy[month.currency] = busy.get(month.currency, 0) + month.invoices
    for currency in ages:
        busy.setdefault(currency, 0)
    return sorted(busy, key=lambda currency: (-busy[currency], currency))


def figures(months: Sequence[Month], ages: Ages, about: Narrowing, *, at: datetime) -> list[Figure]:
    """The numbers of this month and of today."""
    currency = about.currency
    if not currency:
        return []
    month = this_month(at)
    this, last = _of(months, currency, month), _of(months, currency, dates.add_months(month, -1))
    buckets = ages.get(currency, {})
    nothing = money.zero(currency)
    due = sum(buckets.values(), nothing)
    late = due - buckets.get(ageing.NOT_DUE, nothing) - buckets.get(ageing.DISPUTED, nothing)
    issued = about.of_list(status__exact="finalized", issuing_date_from=f"{month}")
    received = urlencode({"paid_at_from": f"{month}", "currency": currency})
    return [
        Figure(
            "Billed this month", cells.money_text(this[0]), f"{cells.money_text(last[0])} last month",
            url=_invoices(issued),
        ),
        Figure(
            "Collected this month", cells.money_text(this[1]), f"{cells.money_text(last[1])} last month",
            url=f"{reverse('admin:invoicing_payment_changelist')}?{received}",
        ),
        Figure("Open", cells.money_text(due), "of issued invoices", url=_invoices(about.of_list(due="open"))),
        Figure(
            "Overdue",
            cells.money_text(late),
            "past the due date" if late else "nothing is late",
            Tone.BAD if late else Tone.NEUTRAL,
            url=_invoices(about.of_list(due="overdue")),
        ),
    ]  # fmt: skip


def by_month(months: Sequence[Month], currency: str, *, at: datetime) -> Block:
    """Billed and collected, side by side for a year."""
    shown = [dates.add_months(first_month(at), step) for step in range(MONTHS)]
    pairs = [_of(months, currency, month) for month in shown] if currency else []
    return Chart(
        "Billed and collected by month",
        tuple(formats.date_format(month, "M y") for month in shown),
        (
            Series("Billed", tuple(billed.amount for billed, _ in pairs), "accent"),
            Series("Collected", tuple(collected.amount for _, collected in pairs), "good"),
        ),
        currency=currency,
        empty="Nothing was billed yet. Start a billing run when a subscription's first period is over.",
    )


def by_age(ages: Ages, about: Narrowing) -> Block:
    """What is open by the days since it was due."""
    buckets = ages.get(about.currency, {})
    values = tuple(buckets[name].amount if buckets else 0 for name in AGES)
    return Chart(
        "Open receivables by age",
        tuple(AGES.values()),
        (Series("Open", values, "accent", AGE_TONES),),
        currency=about.currency,
        empty="Nothing is open: every issued invoice is paid.",
        action=cells.link("Open invoices", _invoices(about.of_list(due="open"))),
    )


def overdue(about: Narrowing, *, at: datetime) -> Block:
    """The invoices that are late for longest, of what the overview is about."""
    today = at.astimezone(UTC).date()  # finds the rows; how late each one is, is told by its own calendar
    rows = receivables.overdue_since(day=today).select_related("customer")
    if about.currency:
        rows = rows.filter(currency=about.currency)
    if about.entity_id is not None:
        rows = rows.filter(billing_entity=about.entity_id)
    return Table(
        "Late for longest",
        columns("Invoice", "Days late#", "Open#"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(one), one.customer.display_name),
                    cells.number(
                        dates.days_between(one.payment_due_date, dates.local_date(at, dates.zone(one.timezone)))
                    ),
                    cells.money(receivables.owed(one)),
                )
            )
            for one in rows[:ROWS]
        ),
        empty="Nobody is late.",
        action=cells.link("All overdue", _invoices(about.of_list(due="overdue"))),
    )


def _of(months: Sequence[Month], currency: str, month: date) -> tuple[Money, Money]:
    for one in months:
        if one.currency == currency and one.month == month:
            return one.billed, one.collected
    return money.zero(currency), money.zero(currency)


def _invoices(query: str) -> str:
    return f"{reverse('admin:invoicing_invoice_changelist')}?{query}"

"""Money on the overview: figures, billed and collected by month, open amounts by age, drafts and overdue invoices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from moneyed import Money

from config.kernel import dates, money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Figure, Row, Series, Table, columns
from config.platform.admin.cells import Tone
from invoicing.domain import ageing
from invoicing.models import Invoice
from invoicing.queries import receivables
from invoicing.queries.revenue import Month

MONTHS = 12
ROWS = 5
COUNTED = 1000
"""More drafts or overdue invoices than this are shown as "1,000+"."""

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


def first_month(at: datetime) -> date:
    """The first day of the oldest month that the overview shows."""
    return dates.add_months(_this_month(at), 1 - MONTHS)


def currencies(months: Sequence[Month], ages: Ages) -> list[str]:
    """The currencies in which anything happened, the busiest first."""
    busy: dict[str, int] = {}
    for month in months:
        busy[month.currency] = busy.get(month.currency, 0) + month.invoices
    for currency in ages:
        busy.setdefault(currency, 0)
    return sorted(busy, key=lambda currency: (-busy[currency], currency))


def chosen(wanted: str, known: Sequence[str]) -> str:
    """The currency to show: the wanted one where there is something in it, else the busiest; none where nothing is."""
    if wanted in known:
        return wanted
    return known[0] if known else ""


def switch(known: Sequence[str], current: str) -> SafeString | str:
    """Links between the currencies."""
    if len(known) < 2:
        return ""
    links = ((f"?currency={one}", "q-active" if one == current else "", one) for one in known)
    return format_html(
        '<nav class="q-switch" aria-label="Currency">{}</nav>',
        format_html_join("", '<a href="{}" class="{}">{}</a>', links),
    )


def figures(months: Sequence[Month], ages: Ages, currency: str, *, at: datetime) -> list[Figure]:
    """The numbers of this month and of today."""
    waiting = _bounded(Invoice.objects.filter(status=Invoice.Status.DRAFT))
    found: list[Figure] = []
    if currency:
        this, last = (
            _of(months, currency, _this_month(at)),
            _of(months, currency, dates.add_months(_this_month(at), -1)),
        )
        buckets = ages.get(currency, {})
        nothing = money.zero(currency)
        due = sum(buckets.values(), nothing)
        late = due - buckets.get(ageing.NOT_DUE, nothing) - buckets.get(ageing.DISPUTED, nothing)
        found = [
            Figure("Billed this month", cells.money_text(this[0]), f"{cells.money_text(last[0])} last month"),
            Figure("Collected this month", cells.money_text(this[1]), f"{cells.money_text(last[1])} last month"),
            Figure(
                "Open", cells.money_text(due), f"of issued invoices in {currency}", url=_invoices("due=open", currency)
            ),
            Figure(
                "Overdue",
                cells.money_text(late),
                f"past the due date, in {currency}" if late else f"nothing in {currency} is late",
                Tone.BAD if late else Tone.NEUTRAL,
                url=_invoices("due=overdue", currency),
            ),
        ]
    found.append(Figure("Drafts waiting", waiting, "to be finalized", url=_invoices("status__exact=draft")))
    return found


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


def by_age(ages: Ages, currency: str) -> Block:
    """What is open by the days since it was due."""
    buckets = ages.get(currency, {})
    values = tuple(buckets[name].amount if buckets else 0 for name in AGES)
    return Chart(
        "Open receivables by age",
        tuple(AGES.values()),
        (Series("Open", values, "accent", AGE_TONES),),
        currency=currency,
        empty="Nothing is open: every issued invoice is paid.",
    )


def drafts(*, at: datetime) -> Block:
    """The drafts that come due for finalizing first."""
    rows = Invoice.objects.filter(status=Invoice.Status.DRAFT).order_by("finalize_after")
    rows = rows.select_related("customer", "billing_entity")
    return Table(
        "Drafts waiting",
        columns("Customer", "Finalized on", "Total#"),
        tuple(
            Row(
                (
                    cells.stack(cells.to(one, one.customer.display_name), one.billing_entity.name),
                    cells.badge("due", Tone.WARN) if one.finalize_after <= at else cells.day(one.issuing_date),
                    cells.money(one.total_amount),
                )
            )
            for one in rows[:ROWS]
        ),
        empty="No drafts. Invoices of customers with a grace period wait here for your eyes.",
        action=cells.link("All drafts", _invoices("status__exact=draft")),
    )


def overdue(*, at: datetime) -> Block:
    """The invoices that are late for longest."""
    today = at.astimezone(UTC).date()  # finds the rows; how late each one is, is told by its own calendar
    rows = receivables.overdue_since(day=today).select_related("customer")
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
        action=cells.link("All overdue", _invoices("due=overdue")),
    )


def _of(months: Sequence[Month], currency: str, month: date) -> tuple[Money, Money]:
    for one in months:
        if one.currency == currency and one.month == month:
            return one.billed, one.collected
    return money.zero(currency), money.zero(currency)


def _this_month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)


def _bounded(rows: object) -> str:
    count = rows.order_by()[: COUNTED + 1].count()  # type: ignore[attr-defined]
    return f"{cells.number_text(COUNTED)}+" if count > COUNTED else cells.number_text(count)


def _invoices(query: str, currency: str = "") -> str:
    narrowed = f"&currency={currency}" if currency else ""
    return f"{reverse('admin:invoicing_invoice_changelist')}?{query}{narrowed}"

"""The report of usage: units and money on issued invoices by month and metric, and who uses most."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from billing.admin import report_asked, report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.queries import report_usage
from billing.queries.report_usage import MetricMonth
from catalog.models import BillableMetric
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Chart, Figure, Figures, Series
from invoicing.queries.report_documents import INVOICE

NAME = "usage"
DRAWN = 5
"""Metrics with a colour of their own; the others are drawn together."""

TOP = 20
"""Subscriptions in the table of those that use most."""

_TONES = ("accent", "info", "good", "warn", "orange", "neutral")


def _show(asked: Asked) -> Shown:
    months = report_usage.by_month(asked.documents())
    total = sum((one.amount for one in months), money.zero(asked.currency))
    top = report_usage.by_subscription(asked.documents(), most=TOP)
    codes = sorted({one.code for one in months})
    figures = Figures(
        (
            Figure(
                "Usage billed",
                cells.money_text(total),
                "net, before coupons, on issued invoices",
                url=report_pages.behind(NAME, "lines", asked),
            ),
            Figure("Metrics", len(codes), "with billed usage in these months"),
        )
    )
    return Shown(
        (figures, _chart(asked, months)),
        (_sheet(asked, months), _top(asked, top)),
    )


def _chart(asked: Asked, months: list[MetricMonth], *, title: str = "Usage by month", height: int = 260) -> Chart:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    cell: dict[tuple[object, str], Decimal] = defaultdict(Decimal)
    for one in months:
        sums[one.code] += one.amount.amount
    largest = sorted(sums, key=lambda code: (-sums[code], code))[:DRAWN]
    for one in months:
        cell[one.month, one.code if one.code in largest else ""] += one.amount.amount
    names = [*largest, ""] if len(sums) > DRAWN else largest
    return Chart(
        title,
        report_sheets.labels(asked.months),
        tuple(
            Series(name or "Others", tuple(cell[month, name] for month in asked.months), tone)
            for name, tone in zip(names, _TONES, strict=False)
        ),
        currency=asked.currency,
        stacked=True,
        height=height,
        empty="No usage was billed in these months.",
    )


def _sheet(asked: Asked, months: list[MetricMonth]) -> Sheet:
    names = dict(BillableMetric.objects.filter(code__in={one.code for one in months}).values_list("code", "name"))
    rows = []
    for one in sorted(months, key=lambda one: (-one.month.toordinal(), -one.amount.amount, one.code)):
        leads = report_pages.behind(NAME, "lines", asked.of(since=one.month), metric=one.code)
        rows.append(
            (one.month, names.get(one.code, one.code), one.code, Cell(one.units, leads), Cell(one.amount, leads))
        )
    columns = (
        Column("Month", Kind.MONTH),
        Column("Metric"),
        Column("Code"),
        Column("Units", Kind.NUMBER, "As billed; each metric has its own"),
        Column("Amount", Kind.MONEY, "Net, before coupons", summed=True),
    )
    return Sheet("metrics", "Metrics by month", columns, tuple(rows), empty="No usage was billed in these months.")


def _top(asked: Asked, found: list[report_usage.OfSubscription]) -> Sheet:
    rows = tuple(
        (
            place,
            report_lists.subscription_cell(one.subscription_id, one.subscription),
            one.customer,
            Cell(one.amount, report_pages.behind(NAME, "lines", asked, subscription=one.subscription_id)),
        )
        for place, one in enumerate(found, start=1)
    )
    columns = (
        Column("Rank", Kind.NUMBER),
        Column("Subscription"),
        Column("Customer"),
        Column("Amount", Kind.MONEY, "Usage billed in these months, net, before coupons", summed=True),
    )
    note = f"At most {TOP}, by the money of all these months."
    return Sheet("subscriptions", "Who uses most", columns, rows, note=note, empty="No usage was billed.")


def _behind_lines(asked: Asked) -> Sheet:
    metric = (asked.given or {}).get("metric", "").replace("\x00", "")
    found = report_usage.lines(
        asked.documents(),
        metrics=[metric] if metric else (),
        subscription_id=report_asked.number_of(asked, "subscription"),
    )
    rows = tuple(
        (
            Cell(one.invoice, report_lists.document_url(INVOICE, one.invoice_id)),
            one.day,
            report_lists.customer_cell(one.customer_id, one.customer),
            report_lists.subscription_cell(one.subscription_id, one.subscription),
            one.metric,
            one.units,
            one.amount,
        )
        for one in found
    )
    columns = (
        Column("Invoice"),
        Column("Date", Kind.DAY),
        Column("Customer"),
        Column("Subscription"),
        Column("Metric"),
        Column("Units", Kind.NUMBER, summed=bool(metric)),
        Column("Amount", Kind.MONEY, "Net, before coupons", summed=True),
    )
    title = f"Lines of {metric}" if metric else "Lines of usage"
    return Sheet("lines", title, columns, rows, note=_PROGRESSIVE, empty="No usage was billed.")


def _preview(asked: Asked) -> Chart:
    return _chart(asked, report_usage.by_month(asked.documents()), title="", height=120)


_PROGRESSIVE = "Units of a progressive invoice count with the invoice that bills the whole period."

REPORT = Report(
    name=NAME,
    title="Usage",
    icon="monitoring",
    about="Billed usage by month and metric, in units and money, and who uses most.",
    show=_show,
    preview=_preview,
    definitions=(
        ("Amount", "Usage on issued invoices, net and before coupons, in the month of the invoice's date."),
        ("Units", f"Units as they were rated. {_PROGRESSIVE}"),
        ("Not in it", "Usage that no issued invoice has yet, and fees in advance that stand alone."),
    ),
    behind={"lines": _behind_lines},
)

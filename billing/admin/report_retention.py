"""The report of retention: what stays of recurring revenue and of customers, over twelve months and month by month."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from moneyed import Money

from billing.admin import report_asked, report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.domain import retention, rounded_parts
from billing.domain.retention import Retention
from billing.domain.revenue_movements import Paces
from billing.queries import report_recurring
from config.kernel import dates
from config.platform.admin.blocks import Beside, Chart, Figure, Figures, Series
from invoicing.queries import report_documents

NAME = "retention"
YEAR, MONTH = 12, 1

_EMPTY = {
    YEAR: "Nobody had recurring revenue twelve months before any of these months. The months below look back one.",
    MONTH: "Nobody had recurring revenue a month before any of these months. It is told from the second month on.",
}


def paces(asked: Asked, *, back: int) -> Paces:
    """Return the recurring revenue of the months asked for and ``back`` months before them."""
    return report_recurring.paces(
        at=asked.at,
        months=asked.reaching_back(back),
        billing_entity_id=asked.entity_id,
        customer_ids=None if asked.customer_id is None else [asked.customer_id],
    )


def _show(asked: Asked) -> Shown:
    found = paces(asked, back=YEAR)
    yearly = retention.by_month(found, currency=asked.currency, back=YEAR)
    monthly = retention.by_month(found, currency=asked.currency, back=MONTH)[YEAR - MONTH :]
    last = yearly[-1]
    leads = _behind_url(asked, last.month, YEAR)
    figures = Figures(
        (
            Figure("Net revenue retention", _text(last.net), _since(last), url=leads),
            Figure("Gross revenue retention", _text(last.gross), "the same without what was added", url=leads),
            Figure("Customer churn", _text(last.churn), f"{last.lost} of {last.customers} customers left", url=leads),
            Figure(
                "Net, this month",
                _text(monthly[-1].net),
                f"against the end of {report_sheets.month_text(monthly[-1].since)}",
                url=_behind_url(asked, monthly[-1].month, MONTH),
            ),
        )
    )
    charts = Beside((_chart(yearly, "Retention over twelve months"), _chart(monthly, "Retention month by month")))
    sheets = (
        _sheet(asked, yearly, back=YEAR, name="twelve-months", title="Over twelve months"),
        _sheet(asked, monthly, back=MONTH, name="monthly", title="Month by month"),
    )
    return Shown((figures, charts), sheets)


def _chart(found: list[Retention], title: str, *, height: int = 260) -> Chart:
    known = [one for one in found if one.net is not None]
    return Chart(
        title,
        report_sheets.labels([one.month for one in known]),
        (
            Series("Net", tuple(one.net for one in known), "accent"),
            Series("Gross", tuple(one.gross for one in known), "info"),
            Series("Customers", tuple(1 - (one.churn or Decimal(0)) for one in known), "good"),
        ),
        kind="line",
        unit="percent",
        height=height,
        empty="Nobody had recurring revenue so long before.",
    )


def _sheet(asked: Asked, found: list[Retention], *, back: int, name: str, title: str) -> Sheet:
    rows = []
    for one in found:
        if not one.customers:
            continue
        leads = _behind_url(asked, one.month, back)
        figures = (one.before, one.after, one.kept, one.net, one.gross, one.customers, one.lost, one.churn)
        rows.append((one.month, *(Cell(value, leads) for value in figures)))
    columns = (
        Column("Month", Kind.MONTH),
        Column("MRR then", Kind.MONEY, "Of the customers who had recurring revenue then"),
        Column("MRR of the same", Kind.MONEY, "What the same customers have at the end of the month"),
        Column("Kept of it", Kind.MONEY, "The same without what was added to a customer"),
        Column("Net", Kind.PERCENT, "MRR of the same customers / MRR then"),
        Column("Gross", Kind.PERCENT, "Kept / MRR then"),
        Column("Customers", Kind.NUMBER, "Customers who had recurring revenue then"),
        Column("Lost", Kind.NUMBER, "Those of them who have none now"),
        Column("Churn", Kind.PERCENT, "Lost / customers"),
    )
    return Sheet(name, title, columns, tuple(reversed(rows)), empty=_EMPTY[back])


def _behind_customers(asked: Asked) -> Sheet:
    month = report_asked.month_of(asked, "month", asked.until)
    back = YEAR if report_asked.word_of(asked, "back", (str(YEAR), str(MONTH))) == str(YEAR) else MONTH
    since = dates.add_months(month, -back)
    found = report_recurring.paces(
        at=asked.at,
        months=[since, month],
        billing_entity_id=asked.entity_id,
        customer_ids=None if asked.customer_id is None else [asked.customer_id],
        is_whole=True,
    )
    own = retention.stayed(found, currency=asked.currency, first=0, last=1)
    names = report_documents.names_of([one.customer_id for one in own])
    own.sort(key=lambda one: (one.after - one.before, names[one.customer_id], one.customer_id))
    columns = [_rounded([getattr(one, name) for one in own], asked) for name in ("before", "after", "kept")]
    rows = tuple(
        (
            Cell(names[one.customer_id], _subscriptions(asked, month, one.customer_id)),
            before,
            after,
            kept,
            1,
            int(one.is_lost),
        )
        for one, before, after, kept in zip(own, *columns, strict=True)
    )
    return Sheet(
        "customers",
        f"From {report_sheets.month_text(since)} to {report_sheets.month_text(month)}, by customer",
        (
            Column("Customer"),
            Column("MRR then", Kind.MONEY, summed=True),
            Column("MRR now", Kind.MONEY, summed=True),
            Column("Kept of it", Kind.MONEY, summed=True),
            Column("Customers", Kind.NUMBER, summed=True),
            Column("Lost", Kind.NUMBER, summed=True),
        ),
        rows,
        note="Who lost most is first. Who moved to another currency in between is left out.",
        empty="Nobody had recurring revenue then.",
    )


def _rounded(amounts: list[Decimal], asked: Asked) -> list[Money]:
    return rounded_parts.spread(parts=amounts, whole=report_lists.total(amounts, asked.currency))


def _subscriptions(asked: Asked, month: date, customer_id: int) -> str:
    return report_pages.behind("recurring-revenue", "subscriptions", asked.of(customer_id=customer_id), month=month)


def _behind_url(asked: Asked, month: date, back: int) -> str:
    return report_pages.behind(NAME, "customers", asked, month=month, back=back)


def _text(rate: Decimal | None) -> str:
    return report_sheets.percent_text(rate)


def _since(one: Retention) -> str:
    return f"{report_sheets.month_text(one.month)} against {report_sheets.month_text(one.since)}, same customers"


def _preview(asked: Asked) -> Chart:
    found = paces(asked, back=YEAR)
    return _chart(retention.by_month(found, currency=asked.currency, back=MONTH)[YEAR - MONTH :], "", height=120)


REPORT = Report(
    name=NAME,
    title="Retention",
    icon="favorite",
    about="How much recurring revenue, and how many customers, stay.",
    show=_show,
    preview=_preview,
    definitions=(
        (
            "Net revenue retention",
            "MRR now of the customers who had some then / their MRR then. New ones do not count.",
        ),
        ("Gross revenue retention", "The same, each customer counted with no more than then: at most 100 %."),
        ("Customer churn", "Customers who had recurring revenue then and have none now / customers then."),
        ("Over twelve months", "Then is the end of the same month a year before; month by month, of the month before."),
        ("Other currencies", "A customer whose fees moved to another currency in between is in no figure."),
    ),
    behind={"customers": _behind_customers},
)

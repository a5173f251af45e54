"""The report of recurring revenue: MRR by month and why it changed, ARR, and the average of an account."""

from __future__ import annotations

from datetime import date
from decimal import localcontext

from moneyed import Money

from billing.admin import report_asked, report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.domain import revenue_movements
from billing.domain.revenue_movements import MonthMoved, Movement, Paces
from billing.queries import report_recurring
from config.kernel import dates, money
from config.platform.admin.blocks import Beside, Chart, Figure, Figures, Series
from config.platform.admin.cells import Tone

NAME = "recurring-revenue"
YEAR = 12

WORDS = {
    Movement.NEW: ("New", "Customers who never had recurring revenue before."),
    Movement.REACTIVATION: ("Reactivation", "Customers who had some once, and none a month before."),
    Movement.EXPANSION: ("Expansion", "Customers who had some and have more."),
    Movement.CONTRACTION: ("Contraction", "Customers who have less, but some."),
    Movement.CHURN: ("Churn", "Customers who had some and have none."),
    Movement.MOVED: ("Currency", "What customers moved to or from another currency: no gain and no loss."),
}
TONES = {
    Movement.NEW: "accent",
    Movement.REACTIVATION: "info",
    Movement.EXPANSION: "good",
    Movement.CONTRACTION: "warn",
    Movement.CHURN: "bad",
    Movement.MOVED: "neutral",
}


def paces(asked: Asked, *, is_whole: bool = False) -> Paces:
    """Return the recurring revenue of the months asked for and the one before them, see `report_recurring`."""
    return report_recurring.paces(
        at=asked.at,
        months=asked.reaching_back(1),
        billing_entity_id=asked.entity_id,
        customer_ids=None if asked.customer_id is None else [asked.customer_id],
        is_whole=is_whole,
    )


def _show(asked: Asked) -> Shown:
    months = revenue_movements.by_month(paces(asked), currency=asked.currency)
    last = months[-1]
    net = sum((part for one in months for part in one.movements.values()), money.zero(asked.currency))
    leads = report_pages.behind(NAME, "subscriptions", asked, month=asked.until)
    figures = Figures(
        (
            Figure("MRR", report_sheets.figure_text(last.end), _ended(asked), url=leads),
            Figure("ARR", report_sheets.figure_text(last.end * YEAR), "MRR × 12: a pace, not a forecast", url=leads),
            Figure("Customers", last.customers_end, "with recurring revenue", url=leads),
            Figure("ARPA", report_sheets.figure_text(average(last)), "MRR / customers", url=leads),
            Figure(
                "Net movement",
                report_sheets.figure_text(net),
                "all movements of these months",
                Tone.BAD if net.amount < 0 else Tone.NEUTRAL,
            ),
        )
    )
    return Shown((figures, Beside((pace_chart(months), movement_chart(months)))), (_sheet(asked, months),))


def pace_chart(months: list[MonthMoved], *, title: str = "MRR by month", height: int = 260) -> Chart:
    """Recurring revenue as a line."""
    return Chart(
        title,
        report_sheets.labels([one.month for one in months]),
        (Series("MRR", tuple(one.end.amount for one in months)),),
        kind="line",
        currency=months[-1].end.currency.code if months else "",
        height=height,
        empty=_EMPTY,
    )


def movement_chart(months: list[MonthMoved], *, title: str = "Movements by month", height: int = 260) -> Chart:
    """What was added above the line, what was lost below it."""
    return Chart(
        title,
        report_sheets.labels([one.month for one in months]),
        tuple(
            Series(WORDS[one][0], tuple(month.movements[one].amount for month in months), TONES[one])
            for one in kinds_of(months)
        ),
        currency=months[-1].end.currency.code if months else "",
        stacked=True,
        height=height,
        empty="Recurring revenue did not change in these months.",
    )


def kinds_of(months: list[MonthMoved]) -> list[Movement]:
    """Return the movements to show: currencies only where anything moved between them."""
    return [one for one in Movement if one is not Movement.MOVED or any(month.counts[one] for month in months)]


def average(month: MonthMoved) -> Money | None:
    """Return the recurring revenue of an average customer, rounded half up; None without customers."""
    if not month.customers_end:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return money.rounded(month.end / month.customers_end)


def _sheet(asked: Asked, months: list[MonthMoved]) -> Sheet:
    kinds = kinds_of(months)
    rows = []
    for one in months:
        before = dates.add_months(one.month, -1)
        end = report_pages.behind(NAME, "subscriptions", asked, month=one.month)
        rows.append(
            (
                one.month,
                Cell(one.start, report_pages.behind(NAME, "subscriptions", asked, month=before)),
                *(
                    Cell(one.movements[kind], _movement(asked, one.month, kind) if one.counts[kind] else "")
                    for kind in kinds
                ),
                Cell(one.end, end),
                Cell(one.end * YEAR, end),
                Cell(one.customers_end, end),
                Cell(average(one), end),
            )
        )
    columns = (
        Column("Month", Kind.MONTH),
        Column("Start", Kind.MONEY, "MRR at the end of the month before"),
        *(Column(WORDS[kind][0], Kind.MONEY, WORDS[kind][1], summed=True) for kind in kinds),
        Column("End", Kind.MONEY, "MRR at the end of the month: start and movements"),
        Column("ARR", Kind.MONEY, "MRR × 12"),
        Column("Customers", Kind.NUMBER, "Customers with recurring revenue at the end"),
        Column("ARPA", Kind.MONEY, "MRR / customers"),
    )
    return Sheet("movements", "Movements", columns, tuple(reversed(rows)), note=_NOTE, empty=_EMPTY)


def _movement(asked: Asked, month: date, kind: Movement) -> str:
    return report_pages.behind(NAME, "movement", asked, month=month, movement=kind.value)


def _behind_movement(asked: Asked) -> Sheet:
    month = report_asked.month_of(asked, "month", asked.until)
    kind = Movement(report_asked.word_of(asked, "movement", tuple(Movement)))
    before = dates.add_months(month, -1)
    narrowed = asked.of(since=month)
    found = paces(narrowed, is_whole=True)
    [figures] = revenue_movements.by_month(found, currency=asked.currency)
    own = revenue_movements.of(revenue_movements.moved(found), month=month, movement=kind, currency=asked.currency)
    return report_lists.moved(
        asked,
        months=(before, month),
        customer_ids=[one.customer_id for one in own],
        whole=figures.movements[kind],
        title=f"{WORDS[kind][0]} in {report_sheets.month_text(month)}",
    )


def _behind_subscriptions(asked: Asked) -> Sheet:
    month = report_asked.month_of(asked, "month", asked.until)
    return report_lists.running(
        asked, month=month, title=f"Recurring revenue at the end of {report_sheets.month_text(month)}"
    )


def _preview(asked: Asked) -> Chart:
    months = revenue_movements.by_month(paces(asked), currency=asked.currency)
    return pace_chart(months, title="", height=120)


def _ended(asked: Asked) -> str:
    return f"at the end of {report_sheets.month_text(asked.until)}, or now while it runs"


_EMPTY = "No subscription with a fee ran in these months. Start one, and it counts from that day on."
_NOTE = "Start and movements of a month come to its end. Every figure leads to its subscriptions."

_MRR = (
    "The fees of the subscriptions that run at the month's end, each of a whole period of its plan, brought to a "
    "month; net, before coupons. No usage, fixed charges, commitments or one-off fees, no trials."
)
_MONTH = (
    "Months end in the customer's time zone; the month that runs ends now. Movements are those of customers, not of "
    "subscriptions: a change of plan is an expansion or a contraction."
)

REPORT = Report(
    name=NAME,
    title="Recurring revenue",
    icon="autorenew",
    about="What subscriptions come to in a month, and why it changed.",
    show=_show,
    preview=_preview,
    definitions=(
        ("MRR", _MRR),
        ("ARR", "MRR × 12."),
        ("ARPA", "MRR / customers with recurring revenue."),
        *((name, text) for name, text in WORDS.values()),
        ("Month", _MONTH),
    ),
    behind={"movement": _behind_movement, "subscriptions": _behind_subscriptions},
)

"""The report of money: billed, collected and open by month, how old what is open is, and how long customers take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.urls import reverse
from moneyed import Money

from billing.admin import report_asked, report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.domain import days_outstanding
from billing.domain.days_outstanding import CountedBack, Sales
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Beside, Chart, Figure, Figures, Series
from config.platform.admin.cells import Tone
from invoicing.domain import ageing
from invoicing.queries import report_documents, report_receivables, revenue
from invoicing.queries.report_receivables import Standing, Sums

NAME = "receivables"
BACK = 12
"""Months of sales before the first one that days are counted back over."""

AGES = {
    ageing.BUCKETS[0]: ("Not due", "neutral"),
    ageing.BUCKETS[1]: ("1–30 days", "warn"),
    ageing.BUCKETS[2]: ("31–60 days", "orange"),
    ageing.BUCKETS[3]: ("61–90 days", "bad"),
    ageing.BUCKETS[4]: ("Over 90 days", "bad"),
    ageing.DISPUTED: ("Disputed", "neutral"),
}


@dataclass(frozen=True)
class Month:
    """A month's figures; ``days`` by both methods, ``effectiveness`` as a fraction, None where there is none."""

    standing: Standing
    billed: Money
    collected: Money
    days: CountedBack
    simple: Decimal | None
    effectiveness: Decimal | None


def read(asked: Asked, *, owed: Sums) -> list[Month]:
    """Return the months asked for. Three statements."""
    months = asked.reaching_back(BACK)
    found = {
        one.month: one
        for one in revenue.by_month(
            since=months[0],
            until=asked.last_day,
            billing_entity_id=asked.entity_id,
            customer_id=asked.customer_id,
            currency=asked.currency,
        )
    }
    standings = report_receivables.standings(months=months, found=owed, today=asked.at.date())
    sales = [Sales(month, found[month].billed.amount if month in found else Decimal(0)) for month in months]
    nothing = money.zero(asked.currency)
    shown = []
    for place in range(BACK, len(months)):
        month, standing = months[place], standings[place]
        billed = found[month].billed if month in found else nothing
        shown.append(
            Month(
                standing=standing,
                billed=billed,
                collected=found[month].collected if month in found else nothing,
                days=days_outstanding.count_back(open_amount=standing.open.amount, sales=sales[: place + 1]),
                simple=days_outstanding.simple(open_amount=standing.open.amount, sales=sales[: place + 1]),
                effectiveness=days_outstanding.effectiveness(
                    opening=standings[place - 1].open.amount + standing.taken_over.amount,
                    billed=billed.amount,
                    closing=standing.open.amount,
                    not_due=standing.not_due.amount,
                    written_off=standing.written_off.amount,
                ),
            )
        )
    return shown


def _owed(asked: Asked) -> Sums:
    return report_receivables.sums(asked=asked.documents(), until=asked.last_day, today=_day(asked))


def _day(asked: Asked) -> date:
    return report_receivables.last_day(asked.until, today=asked.at.date())


def _show(asked: Asked) -> Shown:
    owed = _owed(asked)
    months = read(asked, owed=owed)
    day = _day(asked)
    last = months[-1]
    nothing = money.zero(asked.currency)
    figures = Figures(
        (
            Figure(
                "Billed",
                cells.money_text(sum((one.billed for one in months), nothing)),
                "invoices less credit notes of these months",
                url=report_pages.behind(NAME, "billed", asked),
            ),
            Figure(
                "Collected",
                cells.money_text(sum((one.collected for one in months), nothing)),
                "money booked, less what was paid back",
                url=report_pages.behind(NAME, "collected", asked),
            ),
            Figure(
                "Open",
                cells.money_text(last.standing.open),
                f"by the books on {cells.day_text(day)}{_unbilled(last.standing)}",
                url=report_pages.behind(NAME, "open", asked, month=asked.until),
            ),
            Figure(
                "Days outstanding",
                days_text(last.days),
                "count-back: days of sales that are open",
                Tone.NEUTRAL,
                url=report_pages.behind(NAME, "open", asked, month=asked.until),
            ),
            Figure(
                "Collected of what was due",
                report_sheets.percent_text(last.effectiveness),
                f"in {report_sheets.month_text(asked.until)}",
                url=report_pages.behind(NAME, "collected", asked.of(since=asked.until)),
            ),
        )
    )
    charts = Beside((money_chart(months, asked), _days_chart(months)))
    return Shown(
        (figures, charts, _age_chart(asked, report_receivables.by_age(found=owed, today=day), day)),
        (_sheet(asked, months),),
    )


def _unbilled(standing: Standing) -> str:
    """What of it the overview does not tell, which has the due amounts of issued invoices."""
    return f", {cells.money_text(standing.unbilled)} of it on no invoice" if standing.unbilled else ""


def money_chart(months: list[Month], asked: Asked, *, title: str = "By month", height: int = 260) -> Chart:
    """Billed, collected and open side by side."""
    return Chart(
        title,
        report_sheets.labels([one.standing.month for one in months]),
        (
            Series("Billed", tuple(one.billed.amount for one in months), "accent"),
            Series("Collected", tuple(one.collected.amount for one in months), "good"),
            Series("Open at the end", tuple(one.standing.open.amount for one in months), "warn"),
        ),
        currency=asked.currency,
        height=height,
        empty="Nothing was billed in these months.",
    )


def days_text(days: CountedBack) -> str:
    """Return days with one decimal; "more than" where the sales known do not come to what is open."""
    text = cells.number_text(money.round_half_up(days.days, 1))
    return f"> {text}" if days.is_more else text


def _days_chart(months: list[Month]) -> Chart:
    return Chart(
        "Days sales outstanding",
        report_sheets.labels([one.standing.month for one in months]),
        (
            Series("Count-back", tuple(money.round_half_up(one.days.days, 1) for one in months), "accent"),
            Series("Simple", tuple(money.round_half_up(one.simple or Decimal(0), 1) for one in months), "neutral"),
        ),
        kind="line",
        empty="Nothing was open at the ends of these months.",
    )


def _age_chart(asked: Asked, ages: Mapping[str, Money], day: date) -> Chart:
    return Chart(
        f"Open by age on {cells.day_text(day)}",
        tuple(name for name, _ in AGES.values()),
        (
            Series(
                "Open", tuple(ages[name].amount for name in AGES), "accent", tuple(tone for _, tone in AGES.values())
            ),
        ),
        currency=asked.currency,
        height=200,
        empty="Nothing is open: all that was billed is paid.",
        action=cells.link("Open items by age", reverse("admin:invoicing_ledgerentry_ageing")),
    )


def _sheet(asked: Asked, months: list[Month]) -> Sheet:
    rows = []
    for one in months:
        month = one.standing.month
        own = asked.of(since=month)
        still = report_pages.behind(NAME, "open", asked, month=month)
        paid = report_pages.behind(NAME, "collected", own)
        rows.append(
            (
                month,
                Cell(one.billed, report_pages.behind(NAME, "billed", own)),
                Cell(one.collected, paid),
                Cell(one.standing.open, still),
                Cell(one.standing.not_due, f"{still}&part=not_due"),
                Cell(money.round_half_up(one.days.days, 1), still, sub="or more" if one.days.is_more else ""),
                Cell(None if one.simple is None else money.round_half_up(one.simple, 1), still),
                Cell(one.effectiveness, paid),
            )
        )
    columns = (
        Column("Month", Kind.MONTH),
        Column("Billed", Kind.MONEY, "Invoices less credit notes, gross, by date of the document", summed=True),
        Column("Collected", Kind.MONEY, "Payments less refunds, by accounting day", summed=True),
        Column("Open at the end", Kind.MONEY, "Balance of receivables by the books"),
        Column("Not due yet", Kind.MONEY, "What of it was not overdue on the last day, or today"),
        Column("DSO count-back", Kind.NUMBER, "Days of sales that are open, counted back"),
        Column("DSO simple", Kind.NUMBER, "Open / billed of three months × their days"),
        Column(
            "Collected of due", Kind.PERCENT, "(opening + billed − open − written off) / (opening + billed − not due)"
        ),
    )
    return Sheet("months", "Months", columns, tuple(reversed(rows)), empty="Nothing was billed in these months.")


def _behind_billed(asked: Asked) -> Sheet:
    found = report_documents.billed(asked.documents())
    amount = Column("Billed", Kind.MONEY, "Gross, before credits and prepaid credit that paid it", summed=True)
    return report_lists.documents(
        found, name="billed", title=f"Billed, {_span(asked)}", amount=amount, note="Credit notes count as less."
    )


def _behind_collected(asked: Asked) -> Sheet:
    found = report_documents.collected(asked.documents())
    amount = Column("Collected", Kind.MONEY, summed=True)
    return report_lists.documents(
        found,
        name="collected",
        title=f"Collected, {_span(asked)}",
        amount=amount,
        note="Money paid back counts as less.",
    )


def _behind_open(asked: Asked) -> Sheet:
    month = report_asked.month_of(asked, "month", asked.until)
    own = asked.of(since=month)
    found = report_documents.open_at(own.documents())
    title = f"Open at the end of {report_sheets.month_text(month)}"
    if report_asked.word_of(asked, "part", ("all", "not_due")) == "not_due":
        found = [item for item in found if item.due_on is not None and item.due_on >= _day(own)]
        title = f"Not due yet at the end of {report_sheets.month_text(month)}"
    return report_lists.documents(
        found, name="open", title=title, amount=Column("Open", Kind.MONEY, summed=True), note="By the books."
    )


def _span(asked: Asked) -> str:
    first, last = report_sheets.month_text(asked.since), report_sheets.month_text(asked.until)
    return first if first == last else f"{first} to {last}"


def _preview(asked: Asked) -> Chart:
    return money_chart(read(asked, owed=_owed(asked)), asked, title="", height=120)


_SIMPLE = (
    "Open at the month's end / billed in the last three months × the days of these months. It rises when sales fall, "
    "though nobody pays later."
)
_COUNT_BACK = (
    "What is open is taken off the billed amounts month by month, from the last one back: whole months count with all "
    "their days, the last one in proportion. It is not moved by a season."
)

REPORT = Report(
    name=NAME,
    title="Billed, collected, open",
    icon="payments",
    about="What was billed and collected by month, what is open and how old it is, and how long customers take to pay.",
    show=_show,
    preview=_preview,
    definitions=(
        ("Billed", "Issued invoices less credit notes, tax included; prepaid credit counts when it is used."),
        ("Collected", "Money that the ledger has as received, on account too, less what was paid back."),
        (
            "Open",
            (
                "The balance of receivables on the month's last day. What is only marked as paid is open here, and so "
                "are fees in advance and opening balances that stand on no invoice: the overview has only issued "
                "invoices."
            ),
        ),
        ("Days sales outstanding, count-back", _COUNT_BACK),
        ("Days sales outstanding, simple", _SIMPLE),
        (
            "Collected of due",
            (
                "(Open before + billed − open − written off) / (open before + billed − not due yet): the collection "
                "effectiveness index. What was written off in the month is no more open, but was not collected. "
                "Opening balances that were booked in the month were open before."
            ),
        ),
    ),
    behind={"billed": _behind_billed, "collected": _behind_collected, "open": _behind_open},
)

"""The report of cohorts: what is left of the customers first billed in a month, and of their recurring revenue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from moneyed import Money

from billing.admin import report_asked, report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.domain import cohorts, rounded_parts
from billing.domain.cohorts import Cohort
from billing.domain.revenue_movements import Paces
from billing.queries import report_recurring
from config.kernel import dates
from config.platform.admin.blocks import Chart, Figure, Figures, Series
from invoicing.queries import report_documents

NAME = "cohorts"
AGES = 12
"""Months after the first that a page shows."""


def read(asked: Asked) -> tuple[dict[int, date], Paces]:
    """Return who was first billed in which of the months, and their recurring revenue up to the last month."""
    firsts = report_documents.first_bills(
        currency=asked.currency, billing_entity_id=asked.entity_id, customer_id=asked.customer_id
    )
    firsts = {key: month for key, month in firsts.items() if asked.since <= month <= asked.until}
    found = report_recurring.paces(
        at=asked.at,
        months=asked.months,
        billing_entity_id=asked.entity_id,
        customer_ids=sorted(firsts),
        is_whole=True,
    )
    return firsts, found


def _found(asked: Asked) -> list[Cohort]:
    firsts, found = read(asked)
    return cohorts.by_month(found, first_bills=firsts, currency=asked.currency)


def _show(asked: Asked) -> Shown:
    found = _found(asked)
    first = sum((one.points[0].amount.amount for one in found), Decimal(0))
    last = sum((one.points[-1].amount.amount for one in found), Decimal(0))
    began = sum(one.points[0].customers for one in found)
    left = sum(one.points[-1].customers for one in found)
    leads = report_pages.behind(NAME, "customers", asked)
    figures = Figures(
        (
            Figure("Customers", began, "first billed in these months", url=leads),
            Figure("Still there", left, "with recurring revenue at the end", url=leads),
            Figure("MRR of their first month", report_sheets.figure_text(Money(first, asked.currency)), url=leads),
            Figure("MRR now", report_sheets.figure_text(Money(last, asked.currency)), url=leads),
        )
    )
    sheets = (
        _sheet(asked, found, "revenue", "Revenue retention", lambda one, age: one.revenue(age)),
        _sheet(asked, found, "customers", "Customer retention", lambda one, age: one.customers(age)),
    )
    return Shown((figures,), sheets)


def _sheet(
    asked: Asked, found: list[Cohort], name: str, title: str, share: Callable[[Cohort, int], Decimal | None]
) -> Sheet:
    ages = min(max((len(one.points) for one in found), default=1), AGES + 1)
    rows = []
    for one in found:
        leads = [_leads(asked, one, age) if age < len(one.points) else "" for age in range(ages)]
        shares = [share(one, age) for age in range(ages)]
        rows.append(
            (
                one.month,
                Cell(one.points[0].customers, leads[0]),
                Cell(one.points[0].amount, leads[0]),
                *(Cell(value, leads[age], heat=value) for age, value in enumerate(shares)),
            )
        )
    columns = (
        Column("First bill", Kind.MONTH),
        Column(
            "Customers", Kind.NUMBER, "With recurring revenue at the end of the month of their first bill", summed=True
        ),
        Column("MRR", Kind.MONEY, "Of these customers at the end of that month", summed=True),
        *(Column(f"Month {age}", Kind.PERCENT, f"{age} months after that of the first bill") for age in range(ages)),
    )
    empty = "Nobody was billed for the first time in these months. Ask for earlier ones."
    return Sheet(
        name, title, columns, tuple(rows), note="Months after the first bill, from left to right.", empty=empty
    )


def _leads(asked: Asked, one: Cohort, age: int) -> str:
    return report_pages.behind(NAME, "customers", asked, cohort=one.month, age=age)


def _behind(asked: Asked) -> Sheet:
    firsts, found = read(asked)
    wanted = report_asked.month_of(asked, "cohort", date.min)
    members = cohorts.members(found, first_bills=firsts, currency=asked.currency)
    if wanted != date.min:
        members = [one for one in members if one[1] == wanted]
    age = report_asked.number_of(asked, "age", most=len(found.months))
    last = len(found.months) - 1
    names = report_documents.names_of([one[0] for one in members])
    places = {month: place for place, month in enumerate(found.months)}
    amounts = [
        (own[places[start]], own[last if age is None else min(places[start] + age, last)]) for _, start, own in members
    ]
    columns = [rounded_parts.spread(parts=parts, whole=_whole(members, parts, asked)) for parts in _both(amounts)]
    rows = tuple(
        (
            Cell(names[key], _subscriptions(asked, min(_later(start, age), found.months[-1]), key)),
            start,
            first,
            now,
            int(bool(left)),
        )
        for (key, start, _), (_, left), first, now in zip(members, amounts, *columns, strict=True)
    )
    labels = (
        Column("Customer"),
        Column("First bill", Kind.MONTH),
        Column("MRR in that month", Kind.MONEY, summed=True),
        Column("MRR now" if age is None else f"MRR {age} months later", Kind.MONEY, summed=True),
        Column("Still there", Kind.NUMBER, summed=True),
    )
    title = "Customers first billed in these months"
    if wanted != date.min:
        title = f"Customers first billed in {report_sheets.month_text(wanted)}"
    return Sheet("customers", title, labels, rows, empty="Nobody was billed for the first time then.")


def _later(start: date, age: int | None) -> date:
    return date.max if age is None else dates.add_months(start, age)


def _both(amounts: list[tuple[Decimal, Decimal]]) -> tuple[list[Decimal], list[Decimal]]:
    return [first for first, _ in amounts], [now for _, now in amounts]


def _whole(members: list[tuple[int, date, tuple[Decimal, ...]]], parts: list[Decimal], asked: Asked) -> Money:
    """The sum of the cohorts' own figures, each of which is rounded once."""
    sums: dict[date, list[Decimal]] = {}
    for (_, start, _), part in zip(members, parts, strict=True):
        sums.setdefault(start, []).append(part)
    wholes = (report_lists.total(one, asked.currency).amount for one in sums.values())
    return Money(sum(wholes, Decimal(0)), asked.currency)


def _subscriptions(asked: Asked, month: date, customer_id: int) -> str:
    return report_pages.behind("recurring-revenue", "subscriptions", asked.of(customer_id=customer_id), month=month)


def _preview(asked: Asked) -> Chart:
    found = _found(asked)
    return Chart(
        "",
        report_sheets.labels([one.month for one in found]),
        (
            Series("First billed", tuple(one.points[0].customers for one in found), "neutral"),
            Series("Still there", tuple(one.points[-1].customers for one in found), "good"),
        ),
        height=120,
        empty="Nobody was billed for the first time in these months.",
    )


REPORT = Report(
    name=NAME,
    title="Cohorts",
    icon="grid_on",
    about="Customers by the month of their first bill, and what is left of them later.",
    show=_show,
    preview=_preview,
    definitions=(
        ("First bill", "The first issued invoice of a customer in the currency that came to something before credits."),
        ("Cohort", "The customers first billed in a month who had recurring revenue at its end."),
        ("Revenue retention", "MRR of the cohort at the end of a later month / at the end of its first one."),
        ("Customer retention", "Customers of the cohort with recurring revenue then / in its first month."),
    ),
    behind={"customers": _behind},
)

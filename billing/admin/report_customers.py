"""The report of customers: who brings most, what they owe, and how much depends on few of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext

from moneyed import Money

from billing.admin import report_lists, report_pages, report_sheets
from billing.admin.report_asked import Asked
from billing.admin.report_pages import Report, Shown
from billing.admin.report_sheets import Cell, Column, Kind, Sheet
from billing.queries import report_recurring
from config.kernel import money
from config.platform.admin.blocks import Chart, Figure, Figures, Series
from invoicing.queries import report_documents

NAME = "customers"
TOP = 10
"""As many customers are the concentration."""


@dataclass(frozen=True)
class Ranked:
    """A customer with what was billed in the months, is open at their end, and recurs then."""

    customer_id: int
    name: str
    billed: Money
    open: Money
    recurring: Money


def read(asked: Asked) -> list[Ranked]:
    """Return all customers with any of the figures, the most billed first. Six statements."""
    found = {one.customer_id: one for one in report_documents.by_customer(asked.documents())}
    paces = report_recurring.paces(
        at=asked.at,
        months=[asked.until],
        billing_entity_id=asked.entity_id,
        customer_ids=None if asked.customer_id is None else [asked.customer_id],
        is_whole=True,
    )
    recurring = {
        history.customer_id: report_lists.rounded(history.paces[asked.currency][0], asked.currency)
        for history in paces.histories
        if asked.currency in history.paces
    }
    names = report_documents.names_of({*found, *recurring})
    nothing = money.zero(asked.currency)
    rows = [
        Ranked(
            customer_id=key,
            name=names.get(key, ""),
            billed=found[key].billed if key in found else nothing,
            open=found[key].open if key in found else nothing,
            recurring=recurring.get(key, nothing),
        )
        for key in {*found, *recurring}
    ]
    return sorted(rows, key=lambda one: (-one.billed.amount, -one.recurring.amount, one.name, one.customer_id))


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """Return a part of a whole as a fraction, unrounded; None of nothing."""
    if whole <= 0:
        return None
    with localcontext(money.DECIMAL_CONTEXT):
        return part / whole


def _show(asked: Asked) -> Shown:
    found = read(asked)
    total = sum((one.billed.amount for one in found), Decimal(0))
    top = sum((one.billed.amount for one in found[:TOP]), Decimal(0))
    recurring = sorted((one.recurring.amount for one in found), reverse=True)
    largest = found[0].billed.amount if found else Decimal(0)
    figures = Figures(
        (
            Figure(
                "Billed",
                report_sheets.figure_text(Money(total, asked.currency)),
                "to all customers in these months",
                url=report_pages.behind("receivables", "billed", asked),
            ),
            Figure(
                f"Top {TOP}, billed",
                report_sheets.percent_text(share(top, total)),
                f"of all that was billed comes from the {TOP} largest",
            ),
            Figure(
                f"Top {TOP}, MRR",
                report_sheets.percent_text(share(sum(recurring[:TOP], Decimal(0)), sum(recurring, Decimal(0)))),
                "of recurring revenue at the end",
                url=report_pages.behind("recurring-revenue", "subscriptions", asked, month=asked.until),
            ),
            Figure(
                "Largest",
                report_sheets.percent_text(share(largest, total)),
                f"of what was billed: {found[0].name}" if found else "nobody was billed",
                url=report_pages.behind("receivables", "billed", asked.of(customer_id=found[0].customer_id))
                if found
                else "",
            ),
        )
    )
    return Shown((figures, _chart(asked, found)), (_sheet(asked, found, total),))


def _chart(asked: Asked, found: list[Ranked], *, title: str = "Largest by what was billed", height: int = 240) -> Chart:
    shown = found[:TOP]
    return Chart(
        title,
        tuple(one.name if len(one.name) <= 18 else f"{one.name[:17]}…" for one in shown),
        (Series("Billed", tuple(one.billed.amount for one in shown), "accent"),),
        currency=asked.currency,
        height=height,
        empty="Nobody was billed in these months.",
    )


def _sheet(asked: Asked, found: list[Ranked], total: Decimal) -> Sheet:
    rows: list[tuple[object, ...]] = []
    so_far = Decimal(0)
    for place, one in enumerate(found, start=1):
        so_far += one.billed.amount
        shares = share(one.billed.amount, total), share(so_far, total)
        if place > report_sheets.SHOWN:  # only in files, which lead nowhere
            rows.append((place, one.name, one.billed, *shares, one.open, one.recurring))
            continue
        own = asked.of(customer_id=one.customer_id)
        rows.append(
            (
                place,
                report_lists.customer_cell(one.customer_id, one.name),
                Cell(one.billed, report_pages.behind("receivables", "billed", own)),
                *shares,
                Cell(one.open, report_pages.behind("receivables", "open", own, month=asked.until)),
                Cell(
                    one.recurring,
                    report_pages.behind("recurring-revenue", "subscriptions", own, month=asked.until),
                ),
            )
        )
    columns = (
        Column("Rank", Kind.NUMBER),
        Column("Customer"),
        Column("Billed", Kind.MONEY, "Invoices less credit notes of these months, gross", summed=True),
        Column("Share", Kind.PERCENT, "Of all that was billed"),
        Column("So far", Kind.PERCENT, "Share of this customer and all before"),
        Column("Open", Kind.MONEY, "By the books at the end of the last month", summed=True),
        Column("MRR", Kind.MONEY, "At the end of the last month, each customer rounded", summed=True),
    )
    empty = "Nobody was billed in these months."
    return Sheet("ranking", "Customers by what was billed", columns, tuple(rows), empty=empty)


def _preview(asked: Asked) -> Chart:
    return _chart(asked, read(asked), title="", height=120)


REPORT = Report(
    name=NAME,
    title="Top customers",
    icon="leaderboard",
    about="Who brings most, what they owe, and how much depends on the ten largest.",
    show=_show,
    preview=_preview,
    definitions=(
        ("Billed", "Issued invoices less credit notes of these months, tax included."),
        ("Open", "The balance of the customer's receivables at the end of the last month."),
        ("MRR", "The customer's recurring revenue at the end of the last month, rounded for each customer."),
        ("Concentration", f"What the {TOP} largest come to / what all come to."),
    ),
)

"""A rehearsed invoice beside the one of the period before: line by line, with the cause of each difference.

Owns the two tables in which that is told; what is compared with what, and why it differs, the domain says.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.urls import reverse
from moneyed import Money

from billing.admin import rehearsal_words as words
from billing.domain.bill_differences import BilledLine, Cause, PairedLine
from billing.models import RehearsedInvoice
from billing.queries import rehearsals as known
from config.kernel import money
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns


def table(row: RehearsedInvoice, *, may_park: bool) -> Table:
    """Its lines, what stands below them, and the totals: last period, this run, the difference and its causes."""
    park = reverse("admin:billing_rehearsedinvoice_park", args=[row.pk])
    rows = (*(_line(pair, row.currency) for pair in known.lines(row)), *_below(row), _total(row))
    return Table(
        "",
        columns("Line", "Units before#", "Last period#", "Units now#", "This run#", "Difference#", "Cause"),
        rows,
        action=cells.link("Park the account", park) if may_park else "",
        note="" if row.previous_amount is not None else "There is no invoice of the period before to compare with.",
    )


def flags(row: RehearsedInvoice) -> Table:
    """Which rules it met, and why."""
    return Table(
        "Why it is flagged",
        columns("Rule", "What stands out"),
        tuple(Row((flag["rule"], flag["says"])) for flag in row.flags),
        empty="No rule flags it.",
    )


def _line(pair: PairedLine, currency: str) -> Row:
    one = pair.now or pair.before
    label, subscription = ("", "") if one is None else (one.label, one.subscription)
    return Row(
        (
            cells.stack(label, subscription),
            *_side(pair.before, currency),
            *_side(pair.now, currency),
            _difference(pair.difference, currency),
            words.causes(pair.causes, currency) if pair.causes else "",
        )
    )


def _side(line: BilledLine | None, currency: str) -> tuple[object, object]:
    if line is None:
        return "", cells.EMPTY
    if line.is_other_currency:
        return cells.number(line.units), cells.muted("another currency")
    amount = cells.money(money.from_minor(line.amount_minor, currency))
    return cells.number(line.units), amount if line.days == line.of_days else cells.stack(
        amount, f"{line.days} of {line.of_days} days"
    )


def _below(row: RehearsedInvoice) -> Iterator[Row]:
    """What stands between the lines and the total, so that each column adds up: the period before follows from the
    difference.
    """
    if row.total_amount is None or row.tax_amount is None:
        return
    lines = money.from_minor(sum(line["amount_minor"] for line in row.lines), row.currency)
    tax = row.tax_amount
    off = row.total_amount - tax - lines
    for name, now, causes in (
        ("Discounts and credits", off, (Cause.DISCOUNT, Cause.CREDITS)),
        ("Tax", tax, (Cause.TAX,)),
    ):
        found = {cause.value: minor for cause in causes if (minor := row.causes.get(cause.value, 0))}
        minor = sum(found.values())
        if not found and not now.amount and name != "Tax":
            continue
        before = now - money.from_minor(minor, row.currency)
        yield Row(
            (
                name,
                "",
                "" if row.previous_amount is None else cells.money(before),
                "",
                cells.money(now),
                _difference(minor, row.currency),
                words.causes(found, row.currency) if found else "",
            )
        )


def _total(row: RehearsedInvoice) -> Row:
    nothing = Money(Decimal(0), row.currency)
    return Row(
        (
            "Total",
            "",
            words.amount(row.previous_amount),
            "",
            cells.money(row.total_amount or nothing),
            words.signed(row.difference_amount),
            "",
        ),
        is_total=True,
    )


def _difference(minor: int, currency: str) -> object:
    return words.signed(money.from_minor(minor, currency)) if minor else cells.EMPTY

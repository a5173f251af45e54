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

_BELOW = {Cause.DISCOUNT: "Discounts", Cause.TAX: "Tax", Cause.CREDITS: "Credits"}


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
    for cause, name in _BELOW.items():
        minor = row.causes.get(cause.value, 0)
        before, now = _taxes(row, minor) if cause is Cause.TAX else ("", "")
        if minor or now:
            why = words.causes({cause.value: minor}, row.currency) if minor else ""
            yield Row((name, "", before, "", now, _difference(minor, row.currency), why))


def _taxes(row: RehearsedInvoice, minor: int) -> tuple[object, object]:
    """The tax of both periods; that of the one before follows from the difference."""
    if row.tax_amount is None or row.previous_amount is None:
        return "", ""
    return cells.money(row.tax_amount - money.from_minor(minor, row.currency)), cells.money(row.tax_amount)


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

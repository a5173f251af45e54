"""What an amendment changes, as its page shows it: before and after, change by change, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.utils.html import format_html
from django.utils.safestring import SafeString
from moneyed import Money

from billing.admin import quote_sums
from billing.domain.quote_figures import LineTotals, PhaseTotals, Totals
from billing.queries.quotes import ChangeView, QuoteView
from config.platform.admin import cells
from config.platform.admin.blocks import Row, Table, columns


def changed(view: QuoteView, totals: Totals) -> Table:
    """What an amendment changes: before and after, change by change."""
    rows: list[Row] = []
    for change in view.changes:
        rows += _change(change, view.currency)
    heads = columns("What", "From", "Before#", "After#", "Difference#")
    before, after = totals.before_recurring_amount, totals.recurring_amount
    rows.append(Row(("A month, together", "", *_pair(before, after, view.currency)), is_total=True))
    return Table("Changes", heads, tuple(rows))


def _change(change: ChangeView, currency: str) -> list[Row]:
    told = change.figures
    since = "with the acceptance" if told.effective_on is None else cells.day(told.effective_on)
    head = Row((cells.stack(change.kind_label, told.label), since, "", "", ""), is_group=True)
    if told.before_day or told.after_day:
        return [head, Row(("Last day", "", cells.day(told.before_day), cells.day(told.after_day), ""))]
    if told.before_amount is not None or told.after_amount is not None:
        zero = Decimal(0)
        pair = _pair(told.before_amount or zero, told.after_amount or zero, currency)
        return [head, Row(("Committed", "", *pair))]
    rows = [head]
    for one in change.phases:
        rows += _compared(one, currency)
    return rows


def _compared(one: PhaseTotals, currency: str) -> list[Row]:
    """The lines of a product before and after, side by side."""
    before: Mapping[tuple[str, str], LineTotals] = {(line.kind, line.code): line for line in one.before}
    after: Mapping[tuple[str, str], LineTotals] = {(line.kind, line.code): line for line in one.lines}
    if {key for key in before if key[0] == "fee"} != {key for key in after if key[0] == "fee"}:
        # another plan: its fee stands beside the fee before
        before = {("fee", "") if key[0] == "fee" else key: line for key, line in before.items()}
        after = {("fee", "") if key[0] == "fee" else key: line for key, line in after.items()}
    rows = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        some = new or old
        if some is None:
            continue
        pair = _pair(_monthly(old), _monthly(new), currency)
        rows.append(Row((cells.stack(some.label, _units(old, new)), cells.muted("a month"), *pair)))
    return rows


def _units(old: LineTotals | None, new: LineTotals | None) -> str:
    if old is None or new is None or new.kind == "fee" or old.units == new.units:
        return ""
    return f"{cells.number_text(old.units)} → {cells.number_text(new.units)} units"


def _monthly(line: LineTotals | None) -> Decimal:
    return Decimal(0) if line is None else line.monthly_amount


def _pair(before: Decimal, after: Decimal, currency: str) -> tuple[object, object, object]:
    return _amount(before, currency), _amount(after, currency), _difference(after - before, currency)


def _difference(amount: Decimal, currency: str) -> object:
    if not amount:
        return cells.EMPTY
    sign = "+" if amount > 0 else "−"
    return format_html('<span class="q-num">{}{}</span>', sign, quote_sums.text(abs(amount), currency))


def _amount(amount: Decimal, currency: str) -> SafeString:
    return cells.money(Money(amount, currency))

"""Simulations as tables of plain text. Owns the columns, their alignment, and what is shown of many contracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from billing.domain.simulation import Played
from billing.domain.simulation_comparison import Bucket, Outcome, Pair, Summary
from billing.services.simulation_reports import Report
from catalog.domain import decimals
from config.kernel import money

MOST = 20
"""Contracts that are listed; with more of them, those that change most."""

WIDEST = 40
_BUCKETS = {
    Bucket.MUCH_LESS: "less, by over 50 %",
    Bucket.LESS: "less, by 10 to 50 %",
    Bucket.SLIGHTLY_LESS: "less, by up to 10 %",
    Bucket.SAME: "the same",
    Bucket.SLIGHTLY_MORE: "more, by up to 10 %",
    Bucket.MORE: "more, by 10 to 50 %",
    Bucket.MUCH_MORE: "more, by over 50 %",
    Bucket.NEW: "something instead of nothing",
}

Row = Sequence[str]


def text(report: Report) -> str:
    """Return a report as it is printed: the sums in each currency, then the contracts, then the remarks."""
    parts = [_head(report)]
    for _, summary in sorted(report.summaries.items()):
        parts += list(_summary(summary, report))
    parts += [f"Note: {remark}" for remark in report.remarks]
    return "\n\n".join(parts) + "\n"


def table(*, head: Row, rows: Sequence[Row], left: int = 1, total: bool = False) -> str:
    """Return rows under their heads: the first columns aligned to the left, all others to the right.

    With `total` the last row stands under a rule.
    """
    cells = [[_short(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[number]) for row in cells) for number in range(len(head))]
    lines = ["  ".join(_placed(cell, widths[n], n < left) for n, cell in enumerate(row)).rstrip() for row in cells]
    rule = "  ".join("-" * width for width in widths)
    lines.insert(1, rule)
    if total:
        lines.insert(len(lines) - 1, rule)
    return "\n".join(lines)


def _head(report: Report) -> str:
    frame, other = report.wanted.frame, report.wanted.other
    contracts = "1 contract" if report.contracts == 1 else f"{report.contracts} contracts"
    compared = "" if other is None else f", compared with {other.label}"
    usage = " Supposed usage." if report.wanted.supposed else ""
    return f"{contracts} from {frame.first} up to {frame.end}{compared}. Without tax.{usage}"


def _summary(summary: Summary, report: Report) -> Iterator[str]:
    if not summary.contracts:
        return
    currency = summary.currency
    months = [(f"{month:%Y-%m}", *_amounts(pair, summary)) for month, pair in sorted(summary.months.items())]
    total = ("Total", *_amounts(summary.total, summary))
    yield table(head=(f"Month ({currency})", *_columns(summary)), rows=[*months, total], total=True)
    if summary.items:
        head = (f"Item ({currency})", "Units", *(("Units there",) if summary.is_compared else ()), *_columns(summary))
        yield table(head=head, rows=[_item(code, pair, summary) for _, code, pair in summary.by_item])
    own = [one for one in report.outcomes if one.own.currency == currency and not one.left_out]
    if len(own) == 1 and summary.contracts == 1:
        yield from _periods(own[0], report)
    elif summary.is_compared:
        yield _buckets(summary)
        yield from _contracts(own, summary)
    elif own:
        yield from _contracts(own, summary)


def _columns(summary: Summary) -> Row:
    return ("Own plan", "Other plan", "Difference") if summary.is_compared else ("Amount",)


def _amounts(pair: Pair, summary: Summary) -> Row:
    own = amount(pair.own, summary.currency)
    if not summary.is_compared:
        return (own,)
    return own, amount(pair.other, summary.currency), signed(pair.difference, summary.currency)


def _item(code: str, pair: Pair, summary: Summary) -> Row:
    units = (_units(pair.own_units), *((_units(pair.other_units),) if summary.is_compared else ()))
    return code or "Plan fee", *(units if code else ("",) * len(units)), *_amounts(pair, summary)


def _periods(outcome: Outcome, report: Report) -> Iterator[str]:
    yield _played(outcome.plan, outcome.own)
    if outcome.other is not None and report.wanted.other is not None:
        yield _played(report.wanted.other.label, outcome.other)


def _played(plan: str, played: Played) -> str:
    rows = [
        (
            f"{period.first_day} – {period.last_day}" if number == 0 else "",
            " – ".join(part for part in (line.name, line.filter_name, _group(line.group)) if part),
            _units(line.units),
            amount(line.amount.amount, played.currency),
        )
        for period in played.periods
        for number, line in enumerate(period.lines)
    ]
    if not rows:
        return f"{plan}: nothing is billed."
    total = ("", "Total", "", amount(played.total, played.currency))
    return table(head=("Period", plan, "Units", played.currency), rows=[*rows, total], left=2, total=True)


def _buckets(summary: Summary) -> str:
    rows = [(_BUCKETS[one], str(number)) for one, number in summary.buckets.items() if number]
    return table(head=("On the other plan contracts pay", "Contracts"), rows=rows)


def _contracts(own: Sequence[Outcome], summary: Summary) -> Iterator[str]:
    shown, title = list(own), "Contract"
    if summary.contracts > MOST:
        shown = summary.movers if summary.is_compared else shown[:MOST]
        title = "Largest changes" if summary.is_compared else f"First {MOST} contracts"
    if not shown:
        return
    rows = [(one.subscription, one.customer_name or one.customer, one.plan, *_totals(one, summary)) for one in shown]
    yield table(head=(title, "Customer", "Plan", *_columns(summary)), rows=rows, left=3)


def _totals(outcome: Outcome, summary: Summary) -> Row:
    other = outcome.own.total if outcome.other is None else outcome.other.total
    return _amounts(Pair(own=outcome.own.total, other=other), summary)


def amount(value: Decimal, currency: str) -> str:
    """Write an amount in major units with the digits of its currency: "1,234.50"."""
    return f"{money.quantize(value, currency=currency):,f}"


def signed(value: Decimal, currency: str) -> str:
    """Write a difference with its sign: "+3.00", "-3.00", "0.00"."""
    return f"{'+' if value > 0 else ''}{amount(value, currency)}"


def _units(value: Decimal) -> str:
    whole, point, places = decimals.text(value).partition(".")
    return f"{int(whole):,}{point}{places}"


def _group(group: object) -> str:
    values = group.items() if isinstance(group, dict) else ()
    return ", ".join(f"{name}: {value or '–'}" for name, value in values)


def _placed(cell: str, width: int, is_left: bool) -> str:  # noqa: FBT001 - where the cell stands
    return cell.ljust(width) if is_left else cell.rjust(width)


def _short(cell: str) -> str:
    return cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 1]}…"

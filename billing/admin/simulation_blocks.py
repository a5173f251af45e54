"""A simulation on its page: figures, charts and tables of what contracts come to, and what another plan changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils import formats
from django.utils.safestring import SafeString
from moneyed import Money

from billing.domain.rating import ItemKind
from billing.domain.simulation import Played
from billing.domain.simulation_comparison import Bucket, Outcome, Pair, Summary
from billing.services.simulation_reports import Report
from config.kernel import money as kernel_money
from config.platform.admin import cells
from config.platform.admin.blocks import (
    Beside,
    Block,
    Chart,
    Figure,
    Figures,
    Head,
    Note,
    Row,
    Series,
    Table,
    columns,
)
from config.platform.admin.cells import Tone

LISTED = 50
"""Contracts in the table; all of them are in the file."""

_BUCKETS = {
    Bucket.MUCH_LESS: ("> 50 % less", "good"),
    Bucket.LESS: ("10–50 % less", "good"),
    Bucket.SLIGHTLY_LESS: ("≤ 10 % less", "good"),
    Bucket.SAME: ("Same", "neutral"),
    Bucket.SLIGHTLY_MORE: ("≤ 10 % more", "warn"),
    Bucket.MORE: ("10–50 % more", "orange"),
    Bucket.MUCH_MORE: ("> 50 % more", "bad"),
    Bucket.NEW: ("From nothing", "bad"),
}


def of(report: Report, *, action: SafeString | str) -> Sequence[Block]:
    """The blocks of a report: its remarks, then each currency."""
    blocks: list[Block] = [Note(remark, Tone.WARN) for remark in report.remarks]
    summaries = [summary for _, summary in sorted(report.summaries.items())]
    for number, summary in enumerate(summaries):
        if len(summaries) > 1 or number == 0:
            blocks.append(Head(_title(report, summary), action if number == 0 else ""))
        blocks += _of_currency(report, summary)
    return blocks


def _title(report: Report, summary: Summary) -> str:
    frame, other = report.wanted.frame, report.wanted.other
    first, end = cells.day_text(frame.first), cells.day_text(frame.end)
    compared = "" if other is None else f" · compared with {other.label}"
    return f"From {first} up to {end}, in {summary.currency}, without tax{compared}"


def _of_currency(report: Report, summary: Summary) -> Iterator[Block]:
    own = [one for one in report.outcomes if one.own.currency == summary.currency and not one.left_out]
    if not summary.contracts:
        return
    yield _figures(summary)
    charts: list[Block] = [_by_month(summary)]
    if summary.is_compared and summary.contracts > 1:
        charts.append(_distribution(summary))
    elif len(summary.items) > 1:
        charts.append(_by_item(summary))
    yield Beside(tuple(charts)) if len(charts) > 1 else charts[0]
    tables = _months(summary), _items(summary)
    if summary.is_compared:  # the figures of two plans need the width
        yield from tables
    else:
        yield Beside(tables)
    if summary.contracts == 1 and own:
        yield from _periods(own[0], report)
    else:
        yield _contracts(own, summary)


def _figures(summary: Summary) -> Figures:
    total = summary.total
    if not summary.is_compared:
        return Figures(
            (
                Figure("Contracts", cells.number_text(summary.contracts)),
                Figure("They come to", _text(total.own, summary), "as billed, without tax"),
            )
        )
    more, less = cells.number_text(summary.losers), cells.number_text(summary.winners)
    return Figures(
        (
            Figure("Contracts", cells.number_text(summary.contracts), f"{less} pay less, {more} pay more"),
            Figure("Own plan", _text(total.own, summary)),
            Figure("Other plan", _text(total.other, summary)),
            Figure("Difference", _signed(total.difference, summary.currency), _share(total), _tone(total.difference)),
        )
    )


def _by_month(summary: Summary) -> Chart:
    months = sorted(summary.months.items())
    series = [Series("Own plan", tuple(pair.own for _, pair in months), "accent")]
    if summary.is_compared:
        series.append(Series("Other plan", tuple(pair.other for _, pair in months), "info"))
    labels = tuple(formats.date_format(month, "M y") for month, _ in months)
    return Chart("By month", labels, tuple(series), currency=summary.currency, empty="All of it comes to nothing.")


_OF_PLAN = {ItemKind.SUBSCRIPTION: "Plan fee", ItemKind.COMMITMENT: "Minimum commitment"}


def _by_item(summary: Summary) -> Chart:
    items = summary.by_item
    series = [Series("Own plan", tuple(pair.own for *_, pair in items), "accent")]
    if summary.is_compared:
        series.append(Series("Other plan", tuple(pair.other for *_, pair in items), "info"))
    labels = tuple(code or _OF_PLAN[kind] for kind, code, _ in items)
    return Chart("By item", labels, tuple(series), currency=summary.currency, empty="All of it comes to nothing.")


def _distribution(summary: Summary) -> Chart:
    names, tones = zip(*(_BUCKETS[one] for one in summary.buckets), strict=True)
    return Chart(
        "Who would pay less, who more",
        names,
        (Series("Contracts", tuple(summary.buckets.values()), "accent", tones),),
    )


def _months(summary: Summary) -> Table:
    rows = [
        Row((cells.nowrap(formats.date_format(month, "F Y")), *_amounts(pair, summary)))
        for month, pair in sorted(summary.months.items())
    ]
    if len(rows) > 1:
        rows.append(Row(("Total", *_amounts(summary.total, summary)), is_total=True))
    return Table("Months", columns("Month", *_columns(summary)), tuple(rows), empty="Nothing is billed.")


def _items(summary: Summary) -> Table:
    units = ("Units#", "Units there#") if summary.is_compared else ("Units#",)
    rows = []
    for kind, code, pair in summary.by_item:
        counted = (pair.own_units, pair.other_units)[: len(units)]
        shown = [cells.number(one) for one in counted] if code else [""] * len(units)
        rows.append(Row((cells.code(code) if code else _OF_PLAN[kind], *shown, *_amounts(pair, summary))))
    return Table("Items", columns("Item", *units, *_columns(summary)), tuple(rows), empty="Nothing is billed.")


def _contracts(own: Sequence[Outcome], summary: Summary) -> Table:
    is_many = summary.contracts > LISTED
    shown: Sequence[Outcome] = own[:LISTED]
    title, note = "Contracts", ""
    if is_many and summary.is_compared:
        shown, title = summary.movers, "Largest changes"
        note = f"{len(shown)} of {cells.number_text(summary.contracts)} contracts; the file has all of them."
    elif is_many:
        note = f"The first {LISTED} of {cells.number_text(summary.contracts)}; the file has all of them."
    rows = tuple(
        Row(
            (
                cells.stack(one.subscription, one.plan),
                one.customer_name or one.customer,
                *_amounts(_pair(one), summary),
            )
        )
        for one in shown
    )
    empty = "No contract would change."
    return Table(title, columns("Contract", "Customer", *_columns(summary)), rows, empty=empty, note=note)


def _periods(outcome: Outcome, report: Report) -> Iterator[Block]:
    other = report.wanted.other
    tables = [_played(f"On {outcome.plan}", outcome.own)]
    if outcome.other is not None and other is not None:
        tables.append(_played(f"On {other.label}", outcome.other))
    yield Beside(tuple(tables)) if len(tables) > 1 else tables[0]


def _played(title: str, played: Played) -> Table:
    rows = []
    for period in played.periods:
        days = f"{cells.day_text(period.first_day)} – {cells.day_text(period.last_day)}"
        rows.append(Row((days, "", cells.money(Money(period.total, played.currency))), is_group=True))
        for line in period.lines:
            values = ", ".join(f"{name}: {value or '–'}" for name, value in line.group.items())
            more = ", ".join(part for part in (line.filter_name, values) if part)
            rows.append(Row((cells.stack(line.name, more), cells.number(line.units), cells.money(line.amount))))
    return Table(title, columns("Line", "Units#", "Amount#"), tuple(rows), empty="Nothing is billed in this time.")


def _pair(outcome: Outcome) -> Pair:
    return Pair(own=outcome.own.total, other=outcome.own.total if outcome.other is None else outcome.other.total)


def _columns(summary: Summary) -> tuple[str, ...]:
    return ("Own plan#", "Other plan#", "Difference#") if summary.is_compared else ("Amount#",)


def _amounts(pair: Pair, summary: Summary) -> tuple[object, ...]:
    currency = summary.currency
    own = cells.money(Money(pair.own, currency))
    if not summary.is_compared:
        return (own,)
    difference = cells.hinted(_signed(pair.difference, currency), _share(pair)) if pair.difference else cells.EMPTY
    return own, cells.money(Money(pair.other, currency)), cells.nowrap(difference)


def _text(value: Decimal, summary: Summary) -> str:
    return cells.money_text(Money(value, summary.currency))


def _signed(value: Decimal, currency: str) -> str:
    text = cells.money_text(Money(value, currency))
    return f"+{text}" if value > 0 else text


def _share(pair: Pair) -> str:
    if not pair.own:
        return ""
    return f"{'+' if pair.difference > 0 else ''}{cells.percent_text(_rounded(pair))}"


def _rounded(pair: Pair) -> Decimal:
    return kernel_money.round_half_up(pair.difference / pair.own, 3)


def _tone(difference: Decimal) -> Tone:
    if not difference:
        return Tone.NEUTRAL
    return Tone.GOOD if difference > 0 else Tone.WARN

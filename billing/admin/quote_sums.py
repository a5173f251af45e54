"""What a quote comes to, beside the editor: the figures as text, the ramp as bars, product by product.

Owns the looks; the sums are the domain's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from moneyed import Money

from billing.domain.quote_figures import LineTotals, PhaseTotals, Totals
from config.kernel import money
from config.platform.admin import cells

WIDTH, HEIGHT = 300, 72
_GAP = 2
INTERVALS = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "semiannual": "half-year", "yearly": "year"}


@dataclass(frozen=True)
class Bar:
    """A step of the ramp: as wide as it is long, as high as a month costs."""

    x: str
    y: str
    width: str
    height: str
    title: str


@dataclass(frozen=True)
class Line:
    """A line of a product with its amount, and what it was on the list where that is another one."""

    label: str
    amount: str
    before: str = ""


@dataclass(frozen=True)
class Part:
    """A product in a phase, or what is sold once."""

    title: str
    hint: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sums:
    """The panel beside the editor."""

    recurring: str
    recurring_hint: str
    rows: tuple[tuple[str, str], ...]
    total_label: str
    total: str
    parts: tuple[Part, ...] = ()
    bars: tuple[Bar, ...] = ()
    ramps: bool = False
    width: int = WIDTH
    height: int = HEIGHT


def of(totals: Totals, *, is_amendment: bool = False) -> Sums:
    """The panel of what a version comes to."""
    rows = [("In the first year", text(totals.first_year_amount, totals.currency))] if totals.term_months > 12 else []
    if totals.one_off_amount:
        rows.append(("One-offs", text(totals.one_off_amount, totals.currency)))
    if totals.credits_amount:
        rows.append(("Credits paid for", text(totals.credits_amount, totals.currency)))
    if totals.committed_amount:
        rows.append(("Committed over the term", text(totals.committed_amount, totals.currency)))
    if totals.list_total_amount > totals.total_amount:
        rows.append(("List price", text(totals.list_total_amount, totals.currency)))
        off = totals.list_total_amount - totals.total_amount
        rows.append((f"Discount, {rate_text(totals.discount_rate)}", f"−{text(off, totals.currency)}"))
    hint = f"{months(totals.term_months)}" if totals.term_months else "no term"
    if is_amendment:
        hint = f"before {text(totals.before_recurring_amount, totals.currency)}"
    return Sums(
        recurring=text(totals.recurring_amount, totals.currency),
        recurring_hint=hint,
        rows=tuple(rows),
        total_label="Over the rest of the term" if is_amendment else "Over the term",
        total=text(totals.total_amount, totals.currency),
        parts=(*(_phase(one, totals.currency) for one in totals.phases if one.lines), *_once(totals)),
        bars=bars(totals),
        ramps=len(totals.steps) > 1,
    )


def bars(totals: Totals) -> tuple[Bar, ...]:
    """The ramp as bars in a box of WIDTH by HEIGHT; a price that never changes has none."""
    most = max((one.monthly_amount for one in totals.steps), default=Decimal(0))
    if len(totals.steps) < 2 or not most or not totals.term_months:
        return ()
    ends = [one.from_month for one in totals.steps[1:]] + [totals.term_months]
    found = []
    for one, end in zip(totals.steps, ends, strict=True):
        left = one.from_month / totals.term_months * WIDTH
        wide = max((end - one.from_month) / totals.term_months * WIDTH - _GAP, Decimal(1))
        high = max(one.monthly_amount / most * HEIGHT, Decimal(1))
        title = f"From month {month_number(one.from_month)}: {text(one.monthly_amount, totals.currency)}"
        found.append(Bar(_place(left), _place(HEIGHT - high), _place(wide), _place(high), title))
    return tuple(found)


def text(amount: Decimal, currency: str) -> str:
    """An amount in major units as text."""
    return cells.money_text(Money(amount, currency))


def rate_text(rate: Decimal) -> str:
    """A fraction as percent with two decimals at most, as on the document."""
    return cells.percent_text(money.round_half_up(rate, 4))


def months(number: Decimal) -> str:
    """So many months, in words."""
    shown = cells.number_text(money.round_half_up(number, 1))
    return "1 month" if shown == "1" else f"{shown} months"


def month_number(from_month: Decimal) -> str:
    """The number of a month of the term: after none it is the first."""
    return cells.number_text(money.floor_to(from_month, 0) + 1)


def span(phase: PhaseTotals) -> str:
    """The months of a phase: "months 1–12"."""
    if not phase.months:
        return "begins when the term is over"
    first = month_number(phase.from_month)
    last = cells.number_text(money.ceil_to(phase.from_month + phase.months, 0))
    return f"month {first}" if first == last else f"months {first}–{last}"


def line_label(line: LineTotals) -> str:
    """A line with its units, and its interval where that is no month: "Seats × 25", "Platform, a year"."""
    units = f" × {cells.number_text(line.units)}" if line.kind != "fee" else ""
    interval = "" if line.interval == "monthly" else f", a {INTERVALS.get(line.interval, line.interval)}"
    return f"{line.label}{units}{interval}"


def _phase(phase: PhaseTotals, currency: str) -> Part:
    lines = tuple(
        Line(
            line_label(line),
            text(line.amount, currency),
            text(line.list_amount, currency) if line.list_amount > line.amount else "",
        )
        for line in phase.lines
    )
    title = phase.name or phase.plan_name
    return Part(title, f"{span(phase)} · {text(phase.total, currency)}", lines)


def _once(totals: Totals) -> Sequence[Part]:
    lines = [
        Line(
            f"{one.name} × {cells.number_text(one.units)}",
            text(one.total, totals.currency),
            text(one.list_total, totals.currency) if one.list_total > one.total else "",
        )
        for one in totals.one_offs
    ]
    lines += [
        Line(f"{one.name or 'Credits'}, paid for", text(one.paid_amount, totals.currency)) for one in totals.credits
    ]
    return (Part("Once", "with the acceptance", tuple(lines)),) if lines else ()


def _place(value: Decimal) -> str:
    return f"{money.round_half_up(value, 1):f}"

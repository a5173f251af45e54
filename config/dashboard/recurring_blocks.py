"""Recurring revenue on the overview: what it is now, and why it changed month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.cache import cache
from django.urls import reverse
from django.utils import formats

from billing.domain import revenue_movements
from billing.domain.revenue_movements import MonthMoved, Movement
from billing.queries import report_recurring
from config.dashboard import money_blocks, pieces
from config.dashboard.narrowing import Narrowing
from config.dashboard.pieces import Values
from config.kernel import dates, money
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Chart, Figure, Series
from config.platform.admin.later import Later

MEANINGS = (
    (
        "MRR",
        (
            "Monthly recurring revenue: the plan fees of subscriptions that run, for a month, without tax, usage "
            "and trials. Of the current month it is what runs now, or ran at most ten minutes ago."
        ),
    ),
    (
        "Movements",
        (
            "Why it changed from one month's end to the next, customer by customer: new, won back, more, less, "
            "lost. A change of currency is no movement."
        ),
    ),
)

SERIES = (
    (Movement.NEW, "New", "good"),
    (Movement.REACTIVATION, "Won back", "info"),
    (Movement.EXPANSION, "More", "accent"),
    (Movement.CONTRACTION, "Less", "warn"),
    (Movement.CHURN, "Lost", "bad"),
)


def movements(*, currency: str, entity_id: int | None, at: datetime) -> Sequence[MonthMoved]:
    """The movements of the months that the overview shows, up to ten minutes old; none where nothing was ever sold in
    the currency.
    """
    if currency not in money.currencies():
        return ()
    key = f"overview:recurring:{currency}:{entity_id}:{money_blocks.this_month(at)}"
    found: Sequence[MonthMoved] = cache.get_or_set(
        key, lambda: _movements(currency=currency, entity_id=entity_id, at=at), money_blocks.CACHE_SECONDS
    )
    return found


def _movements(*, currency: str, entity_id: int | None, at: datetime) -> Sequence[MonthMoved]:
    first = dates.add_months(money_blocks.first_month(at), -1)
    months = report_recurring.month_range(first, money_blocks.this_month(at))
    found = report_recurring.paces(at=at, months=months, billing_entity_id=entity_id)
    return revenue_movements.by_month(found, currency=currency) if currency in found.currencies() else ()


def figure(*, report_url: str) -> list[Figure]:
    """The place of what recurs now: reading every subscription takes longer than the other figures."""
    return [Figure("MRR", pieces.place("mrr"), pieces.place("mrr-change"), url=report_url)]


def place(about: Narrowing) -> Block:
    """The place of the chart, which brings the figure."""
    url = f"{reverse('overview:recurring')}?{about.of_page()}"
    return Later("Why recurring revenue changed", url)


def values(found: Sequence[MonthMoved]) -> Values:
    """What recurs now, and by how much it changed in this month so far."""
    if not found:
        return Values((("mrr", "–"), ("mrr-change", "nothing recurs yet")))
    month = found[-1]
    change = month.end - month.start
    sign = "+" if change.amount > 0 else ""
    told = f"{sign}{cells.money_text(change)} this month" if change else "no change this month"
    return Values((("mrr", cells.money_text(month.end)), ("mrr-change", told)))


def chart(found: Sequence[MonthMoved], currency: str, *, report_url: str) -> Block:
    """Why it changed, month by month."""
    return Chart(
        "Why recurring revenue changed",
        tuple(formats.date_format(one.month, "M y") for one in found),
        tuple(
            Series(label, tuple(one.movements[movement].amount for one in found), tone)
            for movement, label, tone in SERIES
        ),
        currency=currency,
        stacked=True,
        empty="Nothing recurs yet. It does when somebody subscribes to a plan with a fee.",
        action=cells.link("Movements", report_url) if report_url else "",
    )

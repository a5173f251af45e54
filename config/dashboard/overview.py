"""The overview page: first steps, what waits for somebody, money and why it changed, how usage and billing run.

Shows to everybody only what they may see on the apps' own pages. Reads through the apps' queries; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from billing.admin import alert_blocks, report_pages
from config.dashboard import (
    first_steps,
    money_blocks,
    narrowing,
    queue_blocks,
    recurring_blocks,
    usage_blocks,
)
from config.dashboard.narrowing import Narrowing
from config.platform.admin import later
from config.platform.admin.blocks import Beside, Block, Figures
from invoicing.queries import receivables

_MONEY = "invoicing.view_invoice"
_RECURRING = "billing.view_subscription"
_RUNNING = ("billing.view_usageevent", "billing.view_billingrun", _RECURRING)


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Complete the context of the admin's index."""
    context["title"] = "Overview"
    context["blocks"] = page(request, at=timezone.now())
    return context


def page(request: HttpRequest, *, at: datetime) -> Sequence[Block]:
    """The blocks of the overview for one person at one moment. Days and months are those of UTC.

    What waits for somebody is there at once; figures over many documents are pieces that are fetched after it.
    """
    found = [*first_steps.blocks(request), *queue_blocks.blocks(request, at=at)]
    if request.user.has_perm(_MONEY):
        found.append(later.place(request, reverse("overview:money"), "Money"))
    if any(request.user.has_perm(right) for right in _RUNNING):
        found.append(later.place(request, reverse("overview:running"), "Usage and billing"))
    return found


def money(request: HttpRequest, at: datetime) -> Sequence[Block]:
    """Figures and charts of money, of what the address is about."""
    if not request.user.has_perm(_MONEY):
        return ()
    entities = narrowing.entities()
    entity_id = narrowing.entity_of(request, entities)
    months = money_blocks.months(entity_id=entity_id, at=at)
    ages = receivables.by_age(as_of=at, billing_entity_id=entity_id)
    known = money_blocks.currencies(months, ages)
    about = Narrowing(entities, entity_id, tuple(known), narrowing.currency_of(request, known))
    figures = money_blocks.figures(months, ages, about, at=at)
    meanings = money_blocks.MEANINGS
    charts: list[Block] = [money_blocks.by_month(months, about.currency, at=at)]
    if request.user.has_perm(_RECURRING) and about.currency:
        figures += recurring_blocks.figure(report_url=_report(request))
        meanings += recurring_blocks.MEANINGS
        charts.append(recurring_blocks.place(about))
    head: list[Block] = [about] if about.currency else []
    shown = [Figures(tuple(figures)), money_blocks.Definitions(meanings)] if figures else []
    late = money_blocks.overdue(about, at=at)
    return [*head, *shown, Beside(tuple(charts)), Beside((money_blocks.by_age(ages, about), late))]


def recurring(request: HttpRequest, at: datetime) -> Sequence[Block]:
    """What recurs and why it changed, in the currency that the address names."""
    if not (request.user.has_perm(_MONEY) and request.user.has_perm(_RECURRING)):
        return ()
    entity_id = narrowing.entity_of(request, narrowing.entities())
    currency = request.GET.get("currency", "").upper()
    moved = recurring_blocks.movements(currency=currency, entity_id=entity_id, at=at)
    return (recurring_blocks.values(moved), recurring_blocks.chart(moved, currency, report_url=_report(request)))


def running(request: HttpRequest, at: datetime) -> Sequence[Block]:
    """How usage comes in and billing runs, of everything."""
    found: list[Block] = []
    if request.user.has_perm("billing.view_usageevent"):
        found.append(usage_blocks.by_day(at=at))
    if request.user.has_perm("billing.view_billingrun"):
        found.append(usage_blocks.runs())
    if request.user.has_perm(_RECURRING) and (ends := alert_blocks.ends(at=at)) is not None:
        found.append(ends)
    return [Beside(tuple(found))] if found else []


def _report(request: HttpRequest) -> str:
    return reverse("reports:recurring-revenue") if request.user.has_perm(report_pages.RIGHT) else ""

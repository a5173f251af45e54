"""The overview page: what was billed and collected, what is open and how old, what waits, how usage runs.

Shows to everybody only what they may see on the apps' own pages. Reads through the apps' queries; writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from billing.admin import alert_blocks
from config.dashboard import first_steps, money_blocks, usage_blocks
from config.platform.admin.blocks import Beside, Block, Figures, Head
from invoicing.queries import receivables, revenue


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Complete the context of the admin's index."""
    context["title"] = "Overview"
    context["blocks"] = page(request, at=timezone.now())
    return context


def page(request: HttpRequest, *, at: datetime) -> Sequence[Block]:
    """The blocks of the overview for one person at one moment. Days and months are those of UTC."""
    sees_money = request.user.has_perm("invoicing.view_invoice")
    sees_runs = request.user.has_perm("billing.view_billingrun")
    sees_usage = request.user.has_perm("billing.view_usageevent")
    steps = first_steps.blocks(request)
    head: list[Block] = []
    figures: list[Any] = []
    money: list[Block] = []
    usage: list[Block] = []
    if sees_money:
        months = revenue.by_month(since=money_blocks.first_month(at))
        ages = receivables.by_age(as_of=at)
        currencies = money_blocks.currencies(months, ages)
        currency = money_blocks.chosen(request.GET.get("currency", ""), currencies)
        if len(currencies) > 1:
            head = [Head(f"Money in {currency}", money_blocks.switch(currencies, currency))]
        figures += money_blocks.figures(months, ages, currency, at=at)
        money = [
            Beside(
                (
                    money_blocks.by_month(months, currency, at=at),
                    money_blocks.by_age(ages, currency),
                )
            ),
            Beside((money_blocks.drafts(at=at), money_blocks.overdue(at=at))),
        ]
    if sees_runs:
        figures.append(usage_blocks.failures_figure())
    if sees_usage:
        figures.append(usage_blocks.not_billable_figure(at=at))
        usage.append(usage_blocks.by_day(at=at))
    if request.user.has_perm("billing.view_lateusage"):
        figures.append(usage_blocks.late_usage_figure())
    if sees_runs:
        usage.append(usage_blocks.runs())
    blocks: list[Block] = [*steps, *head]
    if figures:
        blocks.append(Figures(tuple(figures)))
    if request.user.has_perm("billing.view_subscription") and (ends := alert_blocks.ends(at=at)) is not None:
        usage.append(ends)
    blocks += money[:1]
    if usage:
        blocks.append(Beside(tuple(usage)))
    return blocks + money[1:]

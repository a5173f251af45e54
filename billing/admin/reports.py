"""All reports: their page with small pictures, and their addresses. Owns the order in which they are shown."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from billing.admin import (
    report_cohorts,
    report_customers,
    report_pages,
    report_receivables,
    report_recurring,
    report_retention,
    report_usage,
)

TEMPLATE = "admin/billing/reports.html"

REPORTS = (
    report_recurring.REPORT,
    report_retention.REPORT,
    report_cohorts.REPORT,
    report_receivables.REPORT,
    report_usage.REPORT,
    report_customers.REPORT,
)

ELSEWHERE = (
    ("Open items by age", "hourglass_bottom", "ageing", "What customers owe on a day, by the books."),
    ("Trial balance", "balance", "trial_balance", "Opening, debits, credits and closing of every account."),
    ("Revenue and tax by month", "monitoring", "revenue", "Net revenue, tax payable and money received."),
    ("Balances", "account_balance", "balances", "What stands on every account: prepaid and customer credit too."),
)
"""Reports of the ledger, which are its own pages."""


def index_view(request: HttpRequest) -> HttpResponse:
    """Show what reports there are. Their pictures are fetched one by one, so that the page is there at once."""
    if (refused := report_pages.demand(request)) is not None:
        return refused
    request.current_app = admin.site.name
    sees_ledger = request.user.has_perm("invoicing.view_ledgerentry")
    context = {
        **admin.site.each_context(request),
        "title": "Reports",
        "reports": [(one, reverse(f"reports:{one.name}_preview")) for one in REPORTS],
        "elsewhere": [
            (title, icon, reverse(f"admin:invoicing_ledgerentry_{name}"), text)
            for title, icon, name, text in ELSEWHERE
            if sees_ledger
        ],
    }
    return TemplateResponse(request, TEMPLATE, context)


def _paths() -> list[URLPattern]:
    found = [path("", _signed_in(index_view), name="index")]
    for report in REPORTS:
        found.append(path(f"{report.name}/", _signed_in(report_pages.report_view, report), name=report.name))
        preview = _signed_in(report_pages.preview_view, report)
        found.append(path(f"{report.name}/preview/", preview, name=f"{report.name}_preview"))
        for figure in report.behind:
            view = _signed_in(report_pages.behind_view, report, figure)
            found.append(path(f"{report.name}/{figure}/", view, name=f"{report.name}_{figure}"))
    return found


def _signed_in(view: Callable[..., HttpResponse], *further: Any) -> Callable[..., HttpResponse]:
    return admin.site.admin_view(functools.partial(_swapped, view, further))


def _swapped(
    view: Callable[..., HttpResponse], further: tuple[Any, ...], request: HttpRequest, **kwargs: Any
) -> HttpResponse:
    return view(request, *further, **kwargs)


app_name = "reports"
urlpatterns = _paths()

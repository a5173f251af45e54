"""The view of the search: what the palette shows while one types. Reads; writes nothing, and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from billing.models import Contract, Quote, Subscription
from catalog.models import BillableMetric, Plan
from config import admin_site
from config.search import amounts, finders, pages
from config.search.amounts import Amount
from config.search.results import Result
from customers.models import Customer
from invoicing.models import CreditNote, Invoice, Payment

TEMPLATE = "admin/search/results.html"
SHORTEST = 2
LONGEST = 200
"""Shorter terms find pages only; longer ones find nothing: no number, name or address is as long."""

Finder = Callable[[str, Amount | None], list[Result]]

KINDS: tuple[tuple[type[Model], Finder], ...] = (
    (Customer, finders.customers),
    (Invoice, finders.invoices),
    (CreditNote, finders.credit_notes),
    (Payment, finders.payments),
    (Quote, finders.quotes),
    (Contract, finders.contracts),
    (Subscription, finders.subscriptions),
    (Plan, finders.plans),
    (BillableMetric, finders.metrics),
)
"""In the order in which they are shown. Each is looked for by whoever may see its list."""


def results(request: HttpRequest, term: str) -> list[Result]:
    """Find what a term means to the person, a few of each kind. At most eleven queries, whatever is found.

    A term that is an amount finds documents and payments of that total first.
    """
    sought = " ".join(term.replace("\x00", "").split())
    if not sought or len(sought) > LONGEST:
        return []
    found = pages.found(request, sought, navigation=admin_site.navigation(request, badges=False))
    if len(sought) < SHORTEST:
        return found
    amount = amounts.read(sought)
    for model, finder in KINDS:
        if admin.site.is_registered(model) and admin.site.get_model_admin(model).has_view_permission(request):
            found += finder(sought, amount)
    return found


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What is found of the term that the address has as ``s``, as the palette shows it."""
    term = request.GET.get("s", "")
    if not term.strip():
        return HttpResponse()
    context = {"results": results(request, term), "term": term[:LONGEST]}
    return TemplateResponse(request, TEMPLATE, context)

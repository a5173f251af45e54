"""The admin site as a whole: its sidebar in the order of the work, its search, its looks.

The settings name these functions. Owns no page; the apps' admins do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from billing.admin import simulations
from billing.models import Subscription
from billing.queries import late_usage
from config.platform.admin import cells
from config.platform.admin.theme import SearchResult
from customers.models import Customer
from invoicing.models import Invoice

FOUND = 6
MOST_BADGE = 99


def stylesheet(request: HttpRequest) -> str:
    """The look of our own blocks."""
    return static("admin_theme/quittance.css")


def pages_script(request: HttpRequest) -> str:
    """Tabs, and rows that open."""
    return static("admin_theme/pages.js")


def charts_script(request: HttpRequest) -> str:
    """The charts."""
    return static("admin_theme/charts.js")


def mark(request: HttpRequest) -> str:
    """The product's mark."""
    return static("admin_theme/mark.svg")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what is sold, to whom, how it runs, what comes of it, and the settings."""
    return [
        {"items": [_item(request, "Overview", "dashboard", "admin:index")]},
        _group(
            "Catalog",
            _page(request, "Metrics", "speed", "catalog.billablemetric"),
            _page(request, "Plans", "sell", "catalog.plan"),
            _page(request, "Add-ons", "add_shopping_cart", "catalog.addon"),
            _page(request, "Coupons", "redeem", "catalog.coupon"),
            _page(request, "Pricing units", "toll", "catalog.pricingunit"),
            _page(request, "Features", "key", "catalog.feature"),
            _page(request, "Taxes", "percent", "catalog.tax"),
        ),
        _group(
            "Customers",
            _page(request, "Customers", "group", "customers.customer"),
            _page(request, "Billing entities", "domain", "customers.billingentity"),
            _page(request, "VAT checks", "verified", "customers.vatcheck"),
            _page(request, "Custom sections", "notes", "customers.invoicecustomsection"),
        ),
        _group(
            "Billing",
            _page(request, "Subscriptions", "autorenew", "billing.subscription") | {"active": _is_about_subscriptions},
            _page(request, "Contracts", "contract", "billing.contract"),
            _page(request, "Plan migrations", "move_up", "billing.planmigration"),
            _page(request, "Usage", "monitoring", "billing.usageevent"),
            _page(request, "Late usage", "history_toggle_off", "billing.lateusage", badge=_late_usage),
            _page(request, "Alerts", "notifications", "billing.triggeredalert"),
            _page(request, "Billing runs", "play_circle", "billing.billingrun"),
            _simulation(request),
        ),
        _group(
            "Documents and money",
            _page(request, "Invoices", "receipt_long", "invoicing.invoice", badge=_drafts),
            _page(request, "Credit notes", "undo", "invoicing.creditnote"),
            _page(request, "Fees in advance", "bolt", "invoicing.invoiceline"),
            _page(request, "Payments", "payments", "invoicing.payment"),
            _page(request, "Payment requests", "notification_important", "invoicing.paymentrequest"),
            _page(request, "Wallets", "wallet", "invoicing.wallet"),
            _page(request, "Ledger", "account_balance", "invoicing.ledgerentry"),
            _page(request, "Books check", "fact_check", "invoicing.bookscheck"),
            _page(request, "Tax engines", "calculate", "invoicing.taxengine"),
        ),
        _group(
            "Settings",
            _page(request, "API keys", "key", "platform.apikey"),
            _page(request, "Webhooks", "webhook", "platform.webhookendpoint"),
            _page(request, "Deliveries", "outbox", "platform.webhookdelivery"),
            _page(request, "People", "person", "auth.user"),
            _page(request, "Roles", "badge", "auth.group"),
            _page(request, "Audit trail", "history", "platform.auditentry"),
            _page(request, "API requests", "swap_vert", "platform.requestlog"),
            _page(request, "Security log", "shield_person", "platform.securitylog"),
            _page(request, "Schedule", "schedule", "django_celery_beat.periodictask"),
        ),
    ]


def search(request: HttpRequest, term: str) -> list[SearchResult]:
    """Find customers, invoices and subscriptions by what people know of them, a few of each."""
    found: list[SearchResult] = []
    if request.user.has_perm("customers.view_customer"):
        named = Q(name__icontains=term) | Q(legal_name__icontains=term) | Q(external_id__icontains=term)
        rows = Customer.objects.filter(named | Q(email__icontains=term), deleted_at__isnull=True)
        found += [_result(one, one.display_name, one.external_id, "group") for one in rows[:FOUND]]
    if request.user.has_perm("invoicing.view_invoice"):
        rows = Invoice.objects.filter(number__icontains=term).select_related("customer")
        found += [
            _result(
                one, str(one), f"{one.customer.display_name} · {cells.money_text(one.total_amount)}", "receipt_long"
            )
            for one in rows[:FOUND]
        ]
    if request.user.has_perm("billing.view_subscription"):
        rows = Subscription.objects.filter(Q(external_id__icontains=term) | Q(name__icontains=term))
        found += [
            _result(one, str(one), f"Subscription of {one.customer.display_name}", "autorenew")
            for one in rows.select_related("customer")[:FOUND]
        ]
    return found


def _result(instance: Any, title: str, description: str, icon: str) -> SearchResult:
    return SearchResult(title=title, description=description, link=cells.page_url(instance), icon=icon)


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": False, "collapsible": False, "items": list(items)}


def _page(
    request: HttpRequest, title: str, icon: str, model: str, *, badge: Callable[[HttpRequest], str] | None = None
) -> dict[str, Any]:
    app, name = model.split(".")
    may = request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")
    item = _item(request, title, icon, f"admin:{app}_{name}_changelist") | {"permission": lambda _: may}
    if badge is not None and may and (text := badge(request)):
        item |= {"badge": text, "badge_variant": "info"}
    return item


def _simulation(request: HttpRequest) -> dict[str, Any]:
    may = simulations.may(request)
    url_name = "admin:billing_subscription_simulation"
    return _item(request, "Simulation", "query_stats", url_name) | {"permission": lambda _: may}


def _is_about_subscriptions(request: HttpRequest) -> bool:
    """Say whether the page is of subscriptions. The simulation's address is below theirs, its entry is its own."""
    simulation = reverse("admin:billing_subscription_simulation")
    return request.path.startswith(reverse("admin:billing_subscription_changelist")) and request.path != simulation


def _item(request: HttpRequest, title: str, icon: str, url_name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(url_name)}


def _drafts(request: HttpRequest) -> str:
    count = Invoice.objects.filter(status=Invoice.Status.DRAFT).order_by()[: MOST_BADGE + 1].count()
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)


def _late_usage(request: HttpRequest) -> str:
    count = late_usage.held(most=MOST_BADGE + 1)
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)

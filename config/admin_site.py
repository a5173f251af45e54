"""The admin site as a whole: its sidebar in the order of the work, its looks.

The settings name these functions. Owns no page; the apps' admins do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from billing.admin import report_pages, simulations
from billing.queries import late_usage, parked_accounts
from config.platform.queries import approvals
from invoicing.models import Invoice

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


def progress_script(request: HttpRequest) -> str:
    """Work that is followed while it goes on."""
    return static("admin_theme/progress.js")


def keys_script(request: HttpRequest) -> str:
    """Going places and walking lists by keys."""
    return static("admin_theme/keys.js")


def later_script(request: HttpRequest) -> str:
    """Pieces of a page that are fetched after it."""
    return static("admin_theme/later.js")


def mark(request: HttpRequest) -> str:
    """The product's mark."""
    return static("admin_theme/mark.svg")


def navigation(request: HttpRequest, *, badges: bool = True) -> list[dict[str, Any]]:
    """The sidebar: what is sold, to whom, how it runs, what comes of it, and the settings.

    The ``badges`` count what waits, which costs a query each.
    """
    return [
        {
            "items": [
                _item(request, "Overview", "dashboard", "admin:index"),
                _reports(request),
                _approvals(request, badges=badges),
            ]
        },
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
            "Sales",
            _page(request, "Quotes", "request_quote", "billing.quote"),
            _page(request, "Orders", "assignment_turned_in", "billing.order"),
            _page(request, "Approval rules", "gavel", "billing.quoteapprovalrule"),
        ),
        _group(
            "Billing",
            _page(request, "Subscriptions", "autorenew", "billing.subscription") | {"active": _is_about_subscriptions},
            _page(request, "Contracts", "contract", "billing.contract"),
            _page(request, "Plan migrations", "move_up", "billing.planmigration"),
            _page(request, "Usage", "monitoring", "billing.usageevent"),
            _page(request, "Late usage", "history_toggle_off", "billing.lateusage", badge=badges and _late_usage),
            _page(request, "Alerts", "notifications", "billing.triggeredalert"),
            _page(request, "Billing runs", "play_circle", "billing.billingrun"),
            _page(request, "Rehearsals", "theater_comedy", "billing.rehearsal") | {"active": _is_about_rehearsals},
            _page(request, "Parked accounts", "pause_circle", "billing.parkedaccount", badge=badges and _parked),
            _page(request, "Outlier rules", "rule", "billing.outlierrule"),
            _simulation(request),
        ),
        _group(
            "Documents and money",
            _page(request, "Invoices", "receipt_long", "invoicing.invoice", badge=badges and _drafts),
            _page(request, "Credit notes", "undo", "invoicing.creditnote"),
            _page(request, "Fees in advance", "bolt", "invoicing.invoiceline"),
            _page(request, "Payments", "payments", "invoicing.payment"),
            _page(request, "Payment requests", "notification_important", "invoicing.paymentrequest"),
            _page(request, "Wallets", "wallet", "invoicing.wallet"),
            _page(request, "E-mails", "mail", "invoicing.delivery"),
            _page(request, "Ledger", "account_balance", "invoicing.ledgerentry"),
            _page(request, "Books check", "fact_check", "invoicing.bookscheck"),
            _page(request, "Write-offs", "money_off", "invoicing.writeoff"),
            _page(request, "Opening balances", "input", "invoicing.openingbalance"),
            _page(request, "Tax engines", "calculate", "invoicing.taxengine"),
        ),
        _group(
            "Settings",
            _page(request, "Imports", "upload_file", "platform.importfile"),
            _page(request, "API keys", "key", "platform.apikey"),
            _page(request, "Webhooks", "webhook", "platform.webhookendpoint"),
            _page(request, "Deliveries", "outbox", "platform.webhookdelivery"),
            _page(request, "People", "person", "auth.user"),
            _page(request, "Roles", "badge", "auth.group"),
            _page(request, "Second persons", "how_to_reg", "platform.approvalrule"),
            _page(request, "Audit trail", "history", "platform.auditentry"),
            _page(request, "Looks at personal data", "visibility", "platform.personaldataview"),
            _page(request, "API requests", "swap_vert", "platform.requestlog"),
            _page(request, "Security log", "shield_person", "platform.securitylog"),
            _page(request, "Schedule", "schedule", "django_celery_beat.periodictask"),
            _page(request, "Work queues", "assignment_ind", "platform.queueowner"),
            _item(request, "Saved filters", "bookmark", "admin:platform_savedfilter_changelist"),
            _item(request, "Bulk runs", "playlist_add_check", "admin:platform_bulkrun_changelist"),
        ),
        _group(
            "Help",
            _page(request, "First steps", "rocket_launch", "platform.firststep"),
        ),
    ]


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": False, "collapsible": False, "items": list(items)}


def _page(
    request: HttpRequest, title: str, icon: str, model: str, *, badge: Callable[[HttpRequest], str] | bool = False
) -> dict[str, Any]:
    app, name = model.split(".")
    may = request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")
    item = _item(request, title, icon, f"admin:{app}_{name}_changelist") | {"permission": lambda _: may}
    if callable(badge) and may and (text := badge(request)):
        item |= {"badge": text, "badge_variant": "info"}
    return item


def _reports(request: HttpRequest) -> dict[str, Any]:
    may = report_pages.may(request)
    active = request.path.startswith(reverse("reports:index"))
    item = _item(request, "Reports", "bar_chart", "reports:index") | {"permission": lambda _: may}
    return item | {"active": lambda _: active}


def _simulation(request: HttpRequest) -> dict[str, Any]:
    may = simulations.may(request)
    url_name = "admin:billing_subscription_simulation"
    return _item(request, "Simulation", "query_stats", url_name) | {"permission": lambda _: may}


def _is_about_subscriptions(request: HttpRequest) -> bool:
    """Say whether the page is of subscriptions. The simulation's address is below theirs, its entry is its own."""
    simulation = reverse("admin:billing_subscription_simulation")
    return request.path.startswith(reverse("admin:billing_subscription_changelist")) and request.path != simulation


def _is_about_rehearsals(request: HttpRequest) -> bool:
    """Say whether the page is of rehearsals or of their invoices, which have no entry of their own."""
    names = ("admin:billing_rehearsal_changelist", "admin:billing_rehearsedinvoice_changelist")
    return any(request.path.startswith(reverse(name)) for name in names)


def _item(request: HttpRequest, title: str, icon: str, url_name: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(url_name)}


def _drafts(request: HttpRequest) -> str:
    count = Invoice.objects.filter(status=Invoice.Status.DRAFT).order_by()[: MOST_BADGE + 1].count()
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)


def _parked(request: HttpRequest) -> str:
    count = parked_accounts.parked().order_by()[: MOST_BADGE + 1].count()
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)


def _approvals(request: HttpRequest, *, badges: bool) -> dict[str, Any]:
    return _page(request, "Approvals", "task_alt", "platform.approvalrequest", badge=badges and _waiting_for_me)


def _waiting_for_me(request: HttpRequest) -> str:
    count = approvals.waiting_for(request.user).order_by()[: MOST_BADGE + 1].count()
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)


def _late_usage(request: HttpRequest) -> str:
    count = late_usage.held(most=MOST_BADGE + 1)
    if not count:
        return ""
    return f"{MOST_BADGE}+" if count > MOST_BADGE else str(count)

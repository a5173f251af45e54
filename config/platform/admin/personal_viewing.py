"""Noting looks at personal data in the admin: pages of objects, lists, searches and files. Owns what counts as such.

A middleware sees every answer of the admin, so that no page has to think of it. Only what was shown counts: a refusal,
or a page that is not there, shows nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from django.apps import apps
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django.utils import timezone

from config.platform.admin import acting
from config.platform.models import PersonalDataView
from config.platform.services import personal_views
from config.platform.services.personal_views import Look

Page = PersonalDataView.Page

PERSONAL = {
    "billing_contract", "billing_lateusage", "billing_order", "billing_parkedaccount", "billing_planmigration",
    "billing_quote", "billing_rehearsal", "billing_rehearsedinvoice", "billing_subscription",
    "customers_appliedcoupon", "customers_customer", "customers_vatcheck", "invoicing_creditnote",
    "invoicing_delivery", "invoicing_invoice", "invoicing_invoiceline", "invoicing_journalexport",
    "invoicing_ledgerentry", "invoicing_payment", "invoicing_paymentrequest", "invoicing_wallet", "invoicing_writeoff",
    "platform_approvalrequest", "platform_auditentry", "platform_importfile", "platform_requestlog",
    "platform_webhookdelivery", "auth_user",
}  # fmt: skip
"""The pages, by app and model, that name people or companies, their addresses or what they owe."""

SEARCH = "admin/search/"
"""The address of the search over everything."""

REPORTS = "admin/reports/"
"""Where the reports are: their lists and files name customers."""

_CUSTOMER = "customers.customer"
_TERMS = ("q", "s", "term")
_PROGRESS = "application/json"


class PersonalViewMiddleware:
    """Notes what a signed-in person was shown of personal data. One small query on such a page while it is off."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as ever, then note it."""
        response = self.get_response(request)
        look = _look(request, response)
        if look is not None and personal_views.is_on():
            personal_views.note(look=_named(look), actor=acting.actor(request), at=timezone.now())
        return response


def _look(request: HttpRequest, response: HttpResponse) -> Look | None:
    """Return what was shown, or nothing where that is no personal data."""
    match = request.resolver_match
    if request.method != "GET" or response.status_code != 200 or match is None or not _is_of_admin(match):
        return None
    if not request.user.is_authenticated:
        return None
    term = next((text for name in _TERMS if (text := request.GET.get(name, "").strip())), "")
    if match.route == SEARCH or match.url_name == "autocomplete":
        return Look(Page.SEARCH, _searched(request), request.path, term=term) if term else None
    kind = response.get("Content-Type", "")
    object_type, object_id = _about(match)
    if not object_type or kind.startswith(_PROGRESS):
        return None
    if not kind.startswith("text/html"):
        return Look(Page.FILE, object_type, request.path, object_id=object_id, term=term)
    if object_id is not None:
        return Look(Page.OBJECT, object_type, request.path, object_id=object_id)
    return Look(Page.SEARCH if term else Page.LIST, object_type, request.path, term=term)


def _is_of_admin(match: ResolverMatch) -> bool:
    return match.app_name == "admin" or match.route == SEARCH or match.route.startswith(REPORTS)


def _about(match: ResolverMatch) -> tuple[str, int | None]:
    """Return the kind of what is shown, and its key where it is one object; no kind where it is nothing personal."""
    if match.route.startswith(REPORTS):
        return "report", None
    if "customer_id" in match.kwargs:
        return _CUSTOMER, _number(match.kwargs["customer_id"])
    name = _model(match)
    return (name.replace("_", ".", 1), _number(match.kwargs.get("object_id", ""))) if name in PERSONAL else ("", None)


def _model(match: ResolverMatch) -> str:
    """Return app and model of an address of the admin, such as invoicing_invoice."""
    return "_".join((match.url_name or "").split("_")[:2])


def _number(value: object) -> int | None:
    given = str(value)
    return int(given) if given.isdecimal() and len(given) < 19 else None


def _searched(request: HttpRequest) -> str:
    app, model = request.GET.get("app_label", ""), request.GET.get("model_name", "")
    return f"{app}.{model}"[:64] if app and model else "search"


def _named(look: Look) -> Look:
    """Return it with the name of its object, which is read only while looks are noted."""
    if look.object_id is None:
        return look
    found = apps.get_model(look.object_type)._default_manager.filter(pk=look.object_id).first()
    label = "" if found is None else str(found)
    return Look(look.page, look.object_type, look.path, look.object_id, label, look.term)

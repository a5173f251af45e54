"""The base of the portal's pages: who opened the link, in which language, and what surrounds every page.

Owns the answers to links that open nothing, and the headers: nothing is cached or indexed, nothing comes from
elsewhere, no script runs. Which customer a link opens is the apps' to say, what a page shows its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import pgettext
from django.views.generic import View

from config.kernel import errors

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
    # The address is the key: no other site may learn it.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
GONE = "portal_link_expired"
SECTIONS = ("overview", "invoices", "credit-notes", "subscriptions", "details")


class Visitor(Protocol):
    """What the frame of a page needs of the customer who opened it."""

    @property
    def display_name(self) -> str: ...
    @property
    def applicable_locale(self) -> str: ...
    @property
    def billing_entity(self) -> Any: ...


class PortalPage(View):
    """A page of one customer. ``section`` is the entry of the navigation that it belongs to.

    Reading changes nothing: GET shows, and only POST, with the token against forgery, makes a service call.
    """

    http_method_names = ["get", "head", "post", "options"]
    section = ""
    template = ""

    def visitor(self, *, token: str, at: datetime) -> Any:
        """Return the customer whose link it is. Raises Forbidden with the code `GONE` where the link is over."""
        raise AssertionError(f"{type(self).__name__} opens for nobody")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer in the customer's language, or say that the link opens nothing."""
        self.at = timezone.now()
        self.token = str(kwargs.pop("token"))
        try:
            self.customer = self.visitor(token=self.token, at=self.at)
        except errors.DomainError as refusal:
            return _headed(closed(request, is_over=refusal.code == GONE))
        with translation.override(language(self.customer)):
            try:
                response = super().dispatch(request, *args, **kwargs)
            except (errors.NotFound, Http404):
                response = self.missing(request)
            except errors.DomainError as fault:  # such as a stored file that is damaged
                log.error("a page of the portal cannot be shown: %s", fault)
                response = self.missing(request)
            if isinstance(response, TemplateResponse):
                response.render()
        return _headed(response)

    def page(self, request: HttpRequest, content: Mapping[str, Any], *, status: int = 200) -> TemplateResponse:
        """Show the page's template with its content, in the frame of the portal."""
        return self._framed(request, self.template, content, status)

    def missing(self, request: HttpRequest) -> TemplateResponse:
        """Say that there is no such page, or nothing of that name that is this customer's."""
        content = {
            "title": pgettext("portal", "There is nothing here"),
            "text": pgettext("portal", "The address is wrong, or what it led to is not yours to see."),
        }
        return self._framed(request, "portal/missing.html", content, 404)

    def url(self, name: str, **kwargs: Any) -> str:
        """Return the address of a page of the same link."""
        return reverse(f"portal-{name}", kwargs={"token": self.token, **kwargs})

    def _framed(self, request: HttpRequest, template: str, content: Mapping[str, Any], status: int) -> TemplateResponse:
        seller = self.customer.billing_entity
        frame = {
            "language": translation.get_language(),
            "seller_name": seller.name,
            "customer_name": self.customer.display_name,
            "theme_url": self.url("theme"),
            "logo_url": self.url("logo") if seller.logo else "",
            "home_url": self.url("overview"),
            "navigation": [(_title(name), self.url(name), name == self.section) for name in SECTIONS],
            "seller_email": seller.email,
        }
        return TemplateResponse(request, template, {**frame, **content}, status=status)


def closed(request: HttpRequest, *, is_over: bool) -> HttpResponse:
    """Answer a link that opens nothing: 410 where it is over, 403 where it never was one."""
    if is_over:
        title = pgettext("portal", "This link is over")
        text = pgettext("portal", "Links work for a limited time. Ask for a new one where you got it.")
    else:
        title = pgettext("portal", "This link does not work")
        text = pgettext("portal", "It may have been cut off. Try to open all of it, or ask for a new one.")
    context = {"language": translation.get_language(), "title": title, "text": text}
    return TemplateResponse(request, "portal/closed.html", context, status=410 if is_over else 403).render()


def language(visitor: Visitor) -> str:
    """Return the code of the language of a customer's documents; English where there are no words for it."""
    try:
        return translation.get_supported_language_variant(visitor.applicable_locale.lower())
    except LookupError:
        return "en"


def _title(section: str) -> str:
    return {
        "overview": pgettext("portal", "Overview"),
        "invoices": pgettext("portal", "Invoices"),
        "credit-notes": pgettext("portal", "Credit notes"),
        "subscriptions": pgettext("portal", "Subscriptions"),
        "details": pgettext("portal", "Billing details"),
    }[section]


def _headed(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in HEADERS.items():
        response[name] = value
    return response

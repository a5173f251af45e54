"""What this app's pages of the portal share: whose link it is; and the seller's colour as a style sheet."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest, HttpResponse

from config.platform.portal.pages import PortalPage
from customers.domain import accents
from customers.models import Customer
from customers.services import portal_links


class CustomerPage(PortalPage):
    """A page of this app."""

    customer: Customer

    def visitor(self, *, token: str, at: datetime) -> Customer:
        """Open the link."""
        return portal_links.opened(token=token, at=at)


class Theme(CustomerPage):
    """The seller's colour. A style sheet of its own, because pages may have no styles in them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send the style sheet."""
        color = accents.checked(self.customer.billing_entity.accent_color)
        text = f":root {{ --accent: {color}; --on-accent: {accents.text_on(color)}; }}\n"
        return HttpResponse(text, content_type="text/css; charset=utf-8")


class Elsewhere(CustomerPage):
    """Every other address below a link."""

    def get(self, request: HttpRequest, rest: str) -> HttpResponse:
        """Say that there is nothing."""
        return self.missing(request)

"""What this app's pages of the portal share: whose link it is, how figures are written, and the seller's logo."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse

from config.platform.portal.pages import PortalPage
from customers.models import Customer
from customers.services import portal_links
from invoicing.domain import document_language, document_logos
from invoicing.domain.document_formats import Formats


class MoneyPage(PortalPage):
    """A page of this app."""

    customer: Customer

    def visitor(self, *, token: str, at: datetime) -> Customer:
        """Open the link."""
        return portal_links.opened(token=token, at=at)

    @property
    def formats(self) -> Formats:
        """How figures are written, as on the customer's documents."""
        chosen = document_language.choose(
            locale=self.customer.applicable_locale, seller_country=self.customer.billing_entity.country
        )
        return Formats(chosen.conventions)


class Logo(MoneyPage):
    """The seller's logo, as harmless as on documents."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Send the drawing."""
        drawing = document_logos.clean(self.customer.billing_entity.logo)
        if not drawing:
            raise Http404
        return HttpResponse(drawing, content_type="image/svg+xml")

"""What this app's pages of the portal share: whose link it is, and how figures are written."""

from __future__ import annotations

from datetime import datetime

from config.platform.portal.pages import PortalPage
from customers.models import Customer
from customers.services import portal_links
from invoicing.domain import document_language
from invoicing.domain.document_formats import Formats


class ContractPage(PortalPage):
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

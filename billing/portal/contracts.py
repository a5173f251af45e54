"""Subscriptions in the portal: their plans and what the period that runs comes to so far."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from billing.models import Subscription
from billing.portal import rows
from billing.portal.base import ContractPage
from billing.queries import subscriptions
from billing.queries.subscriptions import SubscriptionFilter
from config.platform.portal import paging

SIZE = 10
SHOWN = (
    Subscription.Status.ACTIVE,
    Subscription.Status.PENDING,
    Subscription.Status.PAUSED,
    Subscription.Status.INCOMPLETE,
)


class Subscriptions(ContractPage):
    """All subscriptions that run or will run."""

    section = "subscriptions"
    template = "portal/subscriptions.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them, newest first; a change of plan that waits is told at the one that it changes."""
        formats = self.formats
        wanted = SubscriptionFilter(customer_id=self.customer.pk, statuses=SHOWN)
        found = subscriptions.search(wanted).exclude(
            status=Subscription.Status.PENDING, previous__status=Subscription.Status.ACTIVE
        )
        listing = paging.listing(request, found, lambda row: rows.subscription(row, formats, at=self.at), size=SIZE)
        return self.page(request, {"listing": listing})

"""The first page of the portal: what is open, what prepaid credit is left, the latest invoices, and current usage."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils.translation import pgettext

from billing.models import Subscription
from billing.portal import rows
from billing.portal.base import ContractPage
from billing.queries import subscriptions
from billing.queries.subscriptions import SubscriptionFilter
from config.kernel import dates
from invoicing.queries import customer_documents

USAGES = 5
"""So many subscriptions are shown with their usage; all of them are on the page of subscriptions."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number at the top of the page. ``tone`` is its colour."""

    label: str
    value: str
    hint: str
    tone: str = "plain"


class Overview(ContractPage):
    """The first page."""

    section = "overview"
    template = "portal/overview.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show how things stand."""
        formats = self.formats
        wanted = SubscriptionFilter(customer_id=self.customer.pk, statuses=[Subscription.Status.ACTIVE])
        found = list(subscriptions.search(wanted)[: USAGES + 1])
        running = [rows.subscription(row, formats, at=self.at) for row in found[:USAGES]]
        content = {
            "figures": [*self._open(), *self._wallets()],
            "subscriptions": [row for row in running if row.usage is not None],
            "has_more": len(found) > USAGES,
            "subscriptions_url": self.url("subscriptions"),
            "invoices_url": self.url("invoices"),
        }
        return self.page(request, content)

    def _open(self) -> list[Figure]:
        formats = self.formats
        figures = []
        for one in customer_documents.open_balances(customer_id=self.customer.pk):
            due = pgettext("portal", "next due {day}").format(day=formats.day(one.next_due))
            if one.overdue:
                late = pgettext("portal", "past the due date")
                figures.append(Figure(pgettext("portal", "Overdue"), formats.money(one.overdue), late, "bad"))
                due = _count(one.invoices)
            figures.append(Figure(pgettext("portal", "Open"), formats.money(one.due), due))
        if not figures:
            figures.append(
                Figure(
                    pgettext("portal", "Open"),
                    pgettext("portal", "Nothing"),
                    pgettext("portal", "all invoices are paid"),
                    "good",
                )
            )
        return figures

    def _wallets(self) -> list[Figure]:
        formats = self.formats
        zone = dates.zone(self.customer.applicable_timezone)
        figures = []
        for wallet in customer_documents.wallets(customer_id=self.customer.pk, at=self.at):
            hint = pgettext("portal", "{credits} credits").format(credits=formats.units(wallet.credits_balance))
            if wallet.expiration_at is not None:
                day = formats.day(dates.local_date(wallet.expiration_at, zone))
                hint = pgettext("portal", "{credits}, until {day}").format(credits=hint, day=day)
            label = wallet.name or pgettext("portal", "Prepaid credit")
            figures.append(Figure(label, formats.money(wallet.balance_amount), hint))
        return figures


def _count(invoices: int) -> str:
    if invoices == 1:
        return pgettext("portal", "of one invoice")
    return pgettext("portal", "of {count} invoices").format(count=invoices)

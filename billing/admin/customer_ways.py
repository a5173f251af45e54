"""The way from a customer's page to selling it something: the buttons of its header that lead to this app's pages."""

from __future__ import annotations

from django.urls import reverse

from config.platform.admin import pages, theme
from config.platform.admin.ways import Way
from customers.models import Customer


def _to(name: str, customer: Customer) -> str:
    """An address that knows the customer; nothing is sold to one that is retired."""
    return "" if customer.deleted_at is not None else f"{reverse(name)}?customer={customer.pk}"


QUOTE = Way(
    "quote",
    "New quote",
    "request_quote",
    "billing.add_quote",
    lambda customer: _to("admin:billing_quote_create", customer),
    theme.ActionVariant.PRIMARY,
)
SUBSCRIPTION = Way(
    "subscription",
    "New subscription",
    "autorenew",
    "billing.add_subscription",
    lambda customer: _to("admin:billing_subscription_create", customer),
)
CONTRACT = Way(
    "contract",
    "New contract",
    "contract",
    "billing.add_contract",
    lambda customer: _to("admin:billing_contract_create", customer),
)

pages.lead(Customer, QUOTE, SUBSCRIPTION, CONTRACT)

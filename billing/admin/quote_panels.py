"""Quotes on other pages: those of a customer, and those about a contract, with the ways to make one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from django.utils.html import format_html

from billing.admin import quote_blocks, quote_verbs
from billing.models import Contract, Quote
from billing.queries import quote_lists
from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Row, Table, columns
from customers.models import Customer

ROWS = 10
_HEADS = columns("Quote", "State", "A month#", "Over the term#", "Valid until")


def of_customer(customer: Customer) -> Mapping[str, Any] | None:
    """A customer's quotes, on the customer's page."""
    found = _rows(Quote.objects.filter(customer=customer))
    action = cells.link("New quote", f"{reverse('admin:billing_quote_create')}?customer={customer.pk}")
    empty = "No quote yet. A quote that is accepted becomes a contract by itself."
    return blocks.panel(Table("Quotes", _HEADS, found, empty=empty, action=action))


def of_contract(contract: Contract) -> Mapping[str, Any] | None:
    """Quotes about a contract, and the one that it came from, on the contract's page."""
    about = Quote.objects.filter(contract=contract)
    origin = Quote.objects.filter(versions__order_form__order__contract=contract)
    found = _rows((about | origin).distinct())
    action: object = ""
    if contract.state == Contract.State.ACTIVE:
        create = reverse("admin:billing_quote_create")
        ways = (("amendment", "Quote a change"), ("renewal", "Quote a renewal"))
        links = [cells.link(label, f"{create}?contract={contract.pk}&kind={kind}") for kind, label in ways]
        action = format_html("{} {}", *links)
    if not found and not action:
        return None
    return blocks.panel(Table("Quotes", _HEADS, found, empty="None about this contract yet.", action=action))


def _rows(found: Any) -> tuple[Row, ...]:
    quotes: Sequence[Quote] = list(quote_lists.with_versions(found.order_by("-created_at", "-pk"))[:ROWS])
    return tuple(_row(one) for one in quotes)


def _row(quote: Quote) -> Row:
    version = quote_verbs.newest(quote)
    return Row(
        (
            cells.stack(cells.to(quote, quote.number), quote.name),
            quote_blocks.state(version.state),
            cells.money(version.recurring_amount),
            cells.money(version.total_amount),
            cells.day(version.valid_until),
        )
    )


registry.register_panel("customers.customer", of_customer)
registry.register_panel("billing.contract", of_contract)

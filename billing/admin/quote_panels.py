"""Quotes on other pages: those of a customer, and those about a contract, with the ways to make one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.urls import reverse

from billing.admin import quote_blocks, quote_verbs
from billing.models import Contract, Quote
from billing.queries import quote_lists
from config.kernel import registry
from config.platform.admin import blocks, cells, pages
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.ways import Way
from customers.models import Customer

ROWS = 10
_HEADS = columns("Quote", "State", "A month#", "Over the term#", "Valid until")


def of_customer(customer: Customer) -> Mapping[str, Any] | None:
    """A customer's quotes, on the customer's page."""
    found = _rows(Quote.objects.filter(customer=customer))
    every = f"{reverse('admin:billing_quote_changelist')}?customer__id__exact={customer.pk}"
    action = cells.link("All quotes", every) if found else ""
    empty = "No quote yet. A quote that is accepted becomes a contract by itself."
    return blocks.panel(Table("Quotes", _HEADS, found, empty=empty, action=action), side="left", place=30)


def of_contract(contract: Contract) -> Mapping[str, Any] | None:
    """Quotes about a contract, and the one that it came from, on the contract's page."""
    about = Quote.objects.filter(contract=contract)
    origin = Quote.objects.filter(versions__order_form__order__contract=contract)
    found = _rows((about | origin).distinct())
    if not found and contract.state != Contract.State.ACTIVE:
        return None
    return blocks.panel(Table("Quotes", _HEADS, found, empty="None about this contract yet."))


def _about(kind: str) -> Callable[[Contract], str]:
    """Where a quote of a kind about a contract is made, as long as it runs."""

    def address(contract: Contract) -> str:
        create = reverse("admin:billing_quote_create")
        return f"{create}?contract={contract.pk}&kind={kind}" if contract.state == Contract.State.ACTIVE else ""

    return address


def _rows(found: Any) -> tuple[Row, ...]:
    quotes: Sequence[Quote] = list(quote_lists.with_versions(found.order_by("-created_at", "-pk"))[:ROWS])
    return tuple(_row(one) for one in quotes if one.versions.all())


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


CHANGE = Way("quote_change", "Quote a change", "request_quote", "billing.add_quote", _about("amendment"))
RENEWAL = Way("quote_renewal", "Quote a renewal", "event_repeat", "billing.add_quote", _about("renewal"))

pages.lead(Contract, CHANGE, RENEWAL)
registry.register_panel("customers.customer", of_customer)
registry.register_panel("billing.contract", of_contract)

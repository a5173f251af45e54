"""Makers of sellers, customers, taxes and invoices for tests of documents and money. Deterministic and plain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from catalog.models import Tax
from config.kernel import actors, money
from customers.models import BillingEntity, Customer
from invoicing.domain.specs import InvoiceSpec, LineSpec
from invoicing.models import Invoice
from invoicing.services import invoices
from invoicing.services.invoices import Drafted

AT = datetime(2026, 5, 1, 0, 10, tzinfo=UTC)
ACTOR = actors.Actor(kind="system", label="tests")


def make_tax(code: str = "vat19", rate: str = "0.19", **values: Any) -> Tax:
    """Make a tax; the rate is a fraction."""
    return Tax.objects.create(code=code, name=values.pop("name", code.upper()), rate=Decimal(rate), **values)


def make_entity(code: str = "acme", *, taxes: Sequence[Tax] = (), **values: Any) -> BillingEntity:
    """Make a seller. Its invoices are numbered per customer and e-mailed to nobody unless said otherwise."""
    values = {"name": code.title(), "document_number_prefix": code.upper(), "default_currency": "EUR", **values}
    entity = BillingEntity.objects.create(code=code, **values)
    entity.taxes.set(taxes)
    return entity


def make_customer(
    entity: BillingEntity, external_id: str = "c1", *, taxes: Sequence[Tax] = (), **values: Any
) -> Customer:
    """Make a customer of a seller, numbered in the order of making."""
    sequential_id = Customer.objects.filter(billing_entity=entity).count() + 1
    values = {"name": external_id.title(), "slug": f"{entity.document_number_prefix}-{sequential_id:03}", **values}
    customer = Customer.objects.create(
        external_id=external_id, billing_entity=entity, sequential_id=sequential_id, updated_at=AT, **values
    )
    customer.taxes.set(taxes)
    return customer


def line(amount: str | Decimal, currency: str = "EUR", **values: Any) -> LineSpec:
    """Specify a usage line of one unit over April 2026."""
    exact = Decimal(amount)
    defaults: dict[str, Any] = {
        "kind": "charge",
        "item_code": "requests",
        "item_name": "Requests",
        "label": "Requests",
        "units": Decimal(1),
        "unit_amount": exact,
        "precise_amount": exact,
        "amount": Money(money.quantize(exact, currency=currency), currency),
        "from_at": datetime(2026, 4, 1, tzinfo=UTC),
        "to_at": datetime(2026, 5, 1, tzinfo=UTC),
        "group_key": "sub1",
        "group_label": "Pro plan",
    }
    return LineSpec(**{**defaults, **values})


def spec(customer: Customer, *amounts: str, currency: str = "EUR", **values: Any) -> InvoiceSpec:
    """Specify an invoice of a customer with a line for each amount, or with ``lines``."""
    lines = values.pop("lines", None) or tuple(line(amount, currency) for amount in amounts)
    defaults: dict[str, Any] = {
        "customer_id": customer.pk,
        "billing_entity_id": customer.billing_entity_id,
        "currency": currency,
        "timezone": "UTC",
        "billed_at": AT,
    }
    return InvoiceSpec(lines=tuple(lines), **{**defaults, **values})


def draft(customer: Customer, *amounts: str, at: datetime = AT, **values: Any) -> Drafted:
    """Draft one invoice."""
    return invoices.draft_many(specs=[spec(customer, *amounts, **values)], actor=ACTOR, at=at)[0]


def issue(customer: Customer, *amounts: str, at: datetime = AT, **values: Any) -> Invoice:
    """Draft and finalize one invoice, and read it anew."""
    drafted = draft(customer, *amounts, at=at, **values)
    invoices.finalize(invoice_id=drafted.invoice.pk, actor=ACTOR, at=at)
    return Invoice.objects.get(pk=drafted.invoice.pk)

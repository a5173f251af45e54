"""Which taxes apply to a line. Reads the taxes of prices, customers and sellers for many customers at once.

The rule itself is `invoicing.domain.tax`. Deleted taxes apply to nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import models

from catalog.models import Tax
from customers.models import BillingEntity, Customer
from invoicing.domain import tax
from invoicing.domain.tax import TaxRate


@dataclass(frozen=True)
class TaxBook:
    """The taxes of some prices, customers and sellers, read in advance; asking it costs no query."""

    by_id: Mapping[int, TaxRate]
    of_customers: Mapping[int, tuple[TaxRate, ...]]
    of_sellers: Mapping[int, tuple[TaxRate, ...]]

    def for_line(self, *, customer_id: int, billing_entity_id: int, tax_ids: Sequence[int] = ()) -> tuple[TaxRate, ...]:
        """Return the taxes of a line: its own (``tax_ids``), else the customer's, else the seller's."""
        return tax.resolve(
            own=[self.by_id[tax_id] for tax_id in tax_ids if tax_id in self.by_id],
            of_customer=self.of_customers.get(customer_id, ()),
            of_seller=self.of_sellers.get(billing_entity_id, ()),
        )


def book(*, customer_ids: Iterable[int], billing_entity_ids: Iterable[int], tax_ids: Iterable[int] = ()) -> TaxBook:
    """Read the taxes of customers, sellers and prices in three queries, however many there are."""
    own = Tax.objects.filter(pk__in=set(tax_ids), deleted_at__isnull=True)
    return TaxBook(
        by_id={row.pk: rate(row) for row in own},
        of_customers=_assigned(Customer.taxes.through.objects.filter(customer_id__in=set(customer_ids)), "customer_id"),
        of_sellers=_assigned(
            BillingEntity.taxes.through.objects.filter(billingentity_id__in=set(billing_entity_ids)), "billingentity_id"
        ),
    )


def for_line(
    *, customer: Customer, tax_ids: Sequence[int] = (), billing_entity_id: int | None = None
) -> tuple[TaxRate, ...]:
    """Return the taxes of one line of a customer, sold by the customer's billing entity unless another is named."""
    seller_id = billing_entity_id or customer.billing_entity_id
    found = book(customer_ids=[customer.pk], billing_entity_ids=[seller_id], tax_ids=tax_ids)
    return found.for_line(customer_id=customer.pk, billing_entity_id=seller_id, tax_ids=tax_ids)


def rate(row: Tax) -> TaxRate:
    """Return a tax as the plain value that the rules take."""
    return TaxRate(id=row.pk, code=row.code, name=row.name, rate=row.rate, description=row.description)


def _assigned(rows: models.QuerySet, owner: str) -> dict[int, tuple[TaxRate, ...]]:
    found: dict[int, list[TaxRate]] = defaultdict(list)
    for row in rows.filter(tax__deleted_at__isnull=True).select_related("tax").order_by("pk"):
        found[getattr(row, owner)].append(rate(row.tax))
    return {pk: tuple(rates) for pk, rates in found.items()}

"""Which taxes apply to a line. Reads the taxes of prices, customers and sellers for many customers at once.

The rule itself is `invoicing.domain.tax`. Deleted taxes apply to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from catalog.models import Tax
from config.kernel import statements
from customers.models import Customer
from invoicing.domain import tax
from invoicing.domain.tax import Resolved, TaxRate

_PRICE, _CUSTOMER, _SELLER, _EXEMPT = "price", "customer", "seller", "exempt"

# Asked with every request for current usage, so it is one text that the server plans once.
_BOOK = f"""
SELECT kind, owner, valid_until, tax.id, tax.code, tax.name, tax.rate, tax.description
FROM (
    SELECT '{_PRICE}' AS kind, tax_id AS owner, tax_id, tax_id AS place, NULL::date AS valid_until
    FROM unnest(%(prices)s::bigint[]) AS tax_id
    UNION ALL
    SELECT '{_CUSTOMER}', customer_id, tax_id, id, NULL FROM customers_customer_taxes
    WHERE customer_id = ANY(%(customers)s::bigint[])
    UNION ALL
    SELECT '{_SELLER}', billingentity_id, tax_id, id, NULL FROM customers_billingentity_taxes
    WHERE billingentity_id = ANY(%(sellers)s::bigint[])
    UNION ALL
    SELECT '{_EXEMPT}', customer_id, NULL, id, valid_until FROM customers_taxexemption
    WHERE customer_id = ANY(%(customers)s::bigint[])
) AS assigned
LEFT JOIN catalog_tax AS tax ON tax.id = tax_id AND tax.deleted_at IS NULL
WHERE tax.id IS NOT NULL OR kind = '{_EXEMPT}'
ORDER BY kind, owner, place
"""  # noqa: S608 - put together from constants of this module


@dataclass(frozen=True)
class TaxBook:
    """The taxes of some prices, customers and sellers, read in advance; asking it costs no query."""

    by_id: Mapping[int, TaxRate]
    of_customers: Mapping[int, tuple[TaxRate, ...]]
    of_sellers: Mapping[int, tuple[TaxRate, ...]]
    exempt_until: Mapping[int, date]

    def resolved(self, *, customer_id: int, billing_entity_id: int, on: date, tax_ids: Sequence[int] = ()) -> Resolved:
        """Return the taxes of a line, and whose: its own (``tax_ids``), else the customer's, else the seller's.

        A customer that is exempt on the local day ``on`` has none.
        """
        return tax.resolve(
            own=[self.by_id[tax_id] for tax_id in tax_ids if tax_id in self.by_id],
            of_customer=self.of_customers.get(customer_id, ()),
            of_seller=self.of_sellers.get(billing_entity_id, ()),
            is_exempt=customer_id in self.exempt_until and on <= self.exempt_until[customer_id],
        )

    def for_line(
        self, *, customer_id: int, billing_entity_id: int, on: date, tax_ids: Sequence[int] = ()
    ) -> tuple[TaxRate, ...]:
        """Return the taxes of a line; see `resolved`."""
        return self.resolved(customer_id=customer_id, billing_entity_id=billing_entity_id, on=on, tax_ids=tax_ids).rates


def book(*, customer_ids: Iterable[int], billing_entity_ids: Iterable[int], tax_ids: Iterable[int] = ()) -> TaxBook:
    """Read the taxes of customers, sellers and prices in one query, however many there are."""
    by_id: dict[int, TaxRate] = {}
    of_customers: dict[int, tuple[TaxRate, ...]] = {}
    of_sellers: dict[int, tuple[TaxRate, ...]] = {}
    exempt_until: dict[int, date] = {}
    rows = statements.fetch_prepared(
        _BOOK,
        {"prices": sorted(set(tax_ids)), "customers": [*set(customer_ids)], "sellers": [*set(billing_entity_ids)]},
    )
    for kind, owner, valid_until, *columns in rows:
        if kind == _EXEMPT:
            exempt_until[owner] = valid_until or date.max
            continue
        found = TaxRate(*columns)
        if kind == _PRICE:
            by_id[owner] = found
        else:
            taxes = of_customers if kind == _CUSTOMER else of_sellers
            taxes[owner] = (*taxes.get(owner, ()), found)
    return TaxBook(by_id=by_id, of_customers=of_customers, of_sellers=of_sellers, exempt_until=exempt_until)


def for_line(
    *, customer: Customer, on: date, tax_ids: Sequence[int] = (), billing_entity_id: int | None = None
) -> tuple[TaxRate, ...]:
    """Return the taxes of one line of a customer, sold by the customer's billing entity unless another is named."""
    seller_id = billing_entity_id or customer.billing_entity_id
    found = book(customer_ids=[customer.pk], billing_entity_ids=[seller_id], tax_ids=tax_ids)
    return found.for_line(customer_id=customer.pk, billing_entity_id=seller_id, on=on, tax_ids=tax_ids)


def rate(row: Tax) -> TaxRate:
    """Return a tax as the plain value that the rules take."""
    return TaxRate(id=row.pk, code=row.code, name=row.name, rate=row.rate, description=row.description)

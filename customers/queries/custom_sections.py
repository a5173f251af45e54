"""Reading custom sections, and which of them a customer's documents carry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import models

from config.kernel import errors
from customers.models import BillingEntity, Customer, InvoiceCustomSection


def listed(*, search_term: str | None = None) -> models.QuerySet[InvoiceCustomSection]:
    """Return the custom sections that exist, by name; the term is looked for in name and code."""
    rows = InvoiceCustomSection.objects.filter(deleted_at__isnull=True)
    if search_term:
        rows = rows.filter(models.Q(name__icontains=search_term) | models.Q(code__icontains=search_term))
    return rows.order_by("name", "id")


def by_code(*, code: str) -> InvoiceCustomSection:
    """Return a custom section. Raises NotFound (`invoice_custom_section_not_found`)."""
    return by_codes(codes=[code])[0]


def by_codes(*, codes: Sequence[str]) -> list[InvoiceCustomSection]:
    """Return the custom sections of these codes, in their order, each once. Raises NotFound."""
    if not codes:
        return []
    found = {section.code: section for section in listed().filter(code__in=codes)}
    missing = [code for code in codes if code not in found]
    if missing:
        raise errors.NotFound("invoice_custom_section_not_found", f"There is no custom section {missing[0]}.")
    return [found[code] for code in dict.fromkeys(codes)]


def of_customer(customer: Customer, seller: BillingEntity | None = None) -> list[InvoiceCustomSection]:
    """Return what a customer's documents carry: none where it skips them, else its own, else the seller's.

    The seller is the customer's own unless another issues the document. Two queries; none for what is prefetched.
    """
    if customer.skip_invoice_custom_sections:
        return []
    return _living(customer.invoice_custom_sections.all()) or of_seller(seller or customer.billing_entity)


def of_seller(seller: BillingEntity) -> list[InvoiceCustomSection]:
    """Return the custom sections of customers that have none of their own, by name."""
    return _living(seller.invoice_custom_sections.all())


def _living(rows: Iterable[InvoiceCustomSection]) -> list[InvoiceCustomSection]:
    return sorted((row for row in rows if row.deleted_at is None), key=lambda row: (row.name, row.pk))

"""The custom sections of an invoice: which texts it carries, and the wording that it is issued with. Only reads.

An invoice may choose its own; else they are the customer's, else the seller's. What is issued says what its snapshot
says, whatever becomes of the section later.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from customers.models import Customer, InvoiceCustomSection
from customers.queries import custom_sections
from invoicing.models import Invoice

KEY = "custom_sections"
PREFETCHED = "invoice_custom_sections"


def of_many(
    *, invoices: Sequence[Invoice], customers: Mapping[int, Customer]
) -> Mapping[int, Sequence[InvoiceCustomSection]]:
    """Return the custom sections that invoices are issued with now, by invoice, in three queries at most."""
    chosen = {pk for invoice in invoices for pk in invoice.custom_section_ids or ()}
    by_id = InvoiceCustomSection.objects.in_bulk(chosen) if chosen else {}
    own = [row for row in customers.values() if not row.skip_invoice_custom_sections]
    models.prefetch_related_objects(own, PREFETCHED)
    models.prefetch_related_objects(list(invoices), f"billing_entity__{PREFETCHED}")
    found: dict[int, Sequence[InvoiceCustomSection]] = {}
    for invoice in invoices:
        if invoice.custom_section_ids is None:
            customer = customers[invoice.customer_id]
            found[invoice.pk] = custom_sections.of_customer(customer, invoice.billing_entity)
        else:
            found[invoice.pk] = [by_id[pk] for pk in invoice.custom_section_ids if pk in by_id]
    return found


def frozen(section: InvoiceCustomSection) -> dict[str, str]:
    """Return the wording of a custom section as a snapshot keeps it."""
    return {
        "uuid": str(section.uuid),
        "code": section.code,
        "name": section.name,
        "display_name": section.display_name,
        "details": section.details,
    }


def shown(invoice: Invoice) -> list[dict[str, Any]]:
    """Return the sections of an invoice: the frozen ones of what is issued, of a draft those that it would have now.

    Each has an id of its own, the same whenever it is asked for.
    """
    return shown_many([invoice])[invoice.pk]


def shown_many(invoices: Sequence[Invoice]) -> dict[int, list[dict[str, Any]]]:
    """Return by invoice what `shown` returns, in three queries at most; none where all are issued."""
    drafts = [invoice for invoice in invoices if not invoice.snapshot]
    found = of_many(invoices=drafts, customers={one.customer_id: one.customer for one in drafts}) if drafts else {}
    texts = {
        invoice.pk: invoice.snapshot.get(KEY, [])
        if invoice.snapshot
        else [frozen(section) for section in found[invoice.pk]]
        for invoice in invoices
    }
    return {
        invoice.pk: [{**text, "applied_uuid": uuid.uuid5(invoice.uuid, text["uuid"])} for text in texts[invoice.pk]]
        for invoice in invoices
    }

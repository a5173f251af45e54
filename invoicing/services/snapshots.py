"""What a document says of seller and buyer, taken when it is issued and kept with it. Reads, and returns plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from customers.models import BillingEntity, Customer, InvoiceCustomSection
from invoicing.models import Invoice
from invoicing.services import section_texts, tax_notes

VERSION = 1

_ADDRESS = ("address_line1", "address_line2", "zipcode", "city", "state", "country")
_SELLER = (
    "name",
    "legal_name",
    "legal_number",
    "tax_identification_number",
    *_ADDRESS,
    "email",
    "phone",
    "url",
    "logo",
    "accent_color",
    "bank_name",
    "iban",
    "bic",
)
_BUYER = ("external_id", "legal_name", "legal_number", "tax_identification_number", "email", *_ADDRESS)


def build(
    *,
    invoice: Invoice,
    customer: Customer,
    entity: BillingEntity,
    sections: Sequence[InvoiceCustomSection] | None = None,
    taxes: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return seller, buyer, texts, locale and time zone as the document will always show them.

    ``sections`` are the custom sections, ``taxes`` what is said about its taxes; they are looked up where not given.
    Reads ``customer.metadata``: prefetch it when there are many. Only metadata that is to be displayed is kept.
    """
    if sections is None:
        found = section_texts.of_many(invoices=[invoice], customers={invoice.customer_id: customer})
        sections = found[invoice.pk]
    if taxes is None:
        taxes = tax_notes.of_many(invoices=[invoice]).get(invoice.pk, [])
    both = parties(customer=customer, entity=entity)
    return {
        "version": VERSION,
        **both,
        "buyer": {
            **both["buyer"],
            "metadata": [
                {"key": row.key, "value": row.value} for row in customer.metadata.all() if row.display_in_invoice
            ],
        },
        "texts": {"footer": entity.invoice_footer, tax_notes.KEY: list(taxes)},
        section_texts.KEY: [section_texts.frozen(section) for section in sections],
        "locale": invoice.locale,
        "timezone": invoice.timezone,
    }


def parties(*, customer: Customer, entity: BillingEntity) -> dict[str, dict[str, Any]]:
    """Return the seller and the buyer of a document as they are now."""
    return {
        "seller": seller(entity=entity),
        "buyer": {
            **{name: getattr(customer, name) for name in _BUYER},
            "name": customer.display_name,
            "shipping_address": customer.shipping_address,
        },
    }


def seller(*, entity: BillingEntity) -> dict[str, Any]:
    """Return the seller of a document as it is now."""
    return {name: getattr(entity, name) for name in _SELLER}

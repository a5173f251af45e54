"""What a document says of seller and buyer, taken when it is issued and kept with it. Reads, and returns plain JSON."""

from __future__ import annotations

from typing import Any

from customers.models import BillingEntity, Customer
from invoicing.models import Invoice

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


def build(*, invoice: Invoice, customer: Customer, entity: BillingEntity) -> dict[str, Any]:
    """Return seller, buyer, texts, locale and time zone as the document will always show them.

    Reads ``customer.metadata``: prefetch it when there are many. Only metadata that is to be displayed is kept.
    """
    return {
        "version": VERSION,
        "seller": {name: getattr(entity, name) for name in _SELLER},
        "buyer": {
            **{name: getattr(customer, name) for name in _BUYER},
            "name": customer.display_name,
            "shipping_address": customer.shipping_address,
            "metadata": [
                {"key": row.key, "value": row.value} for row in customer.metadata.all() if row.display_in_invoice
            ],
        },
        "texts": {"footer": entity.invoice_footer},
        "locale": invoice.locale,
        "timezone": invoice.timezone,
    }

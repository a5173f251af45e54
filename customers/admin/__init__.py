"""Admin pages of customers and of the companies that sell to them."""

from customers.admin import (
    applied_coupons,
    billing_entities,
    coupons,
    custom_sections,
    customer_imports,
    customers,
    entity_taxes,
    vat_checks,
)

__all__ = [
    "applied_coupons",
    "billing_entities",
    "coupons",
    "custom_sections",
    "customer_imports",
    "customers",
    "entity_taxes",
    "vat_checks",
]

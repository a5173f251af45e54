"""Tables of sellers and customers."""

from customers.models.applied_coupons import AppliedCoupon
from customers.models.billing_entities import BillingEntity
from customers.models.custom_sections import InvoiceCustomSection
from customers.models.customers import Customer, CustomerMetadata
from customers.models.tax_facts import TaxDecision, TaxExemption
from customers.models.vat_checks import VatCheck

__all__ = [
    "AppliedCoupon",
    "BillingEntity",
    "Customer",
    "CustomerMetadata",
    "InvoiceCustomSection",
    "TaxDecision",
    "TaxExemption",
    "VatCheck",
]

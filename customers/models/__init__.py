"""Tables of sellers and customers."""

from customers.models.billing_entities import BillingEntity
from customers.models.customers import Customer, CustomerMetadata

__all__ = ["BillingEntity", "Customer", "CustomerMetadata"]

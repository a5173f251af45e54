"""Admin pages of customers and of the companies that sell to them."""

from customers.admin import billing_entities, customers

__all__ = ["billing_entities", "customers"]

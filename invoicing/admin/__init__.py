"""Admin pages of documents and money: invoices, payments, the ledger."""

from invoicing.admin import invoices, ledger, payments

__all__ = ["invoices", "ledger", "payments"]

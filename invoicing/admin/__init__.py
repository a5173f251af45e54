"""Admin pages of documents and money: invoices, credit notes, fees that stand alone, payments, the ledger."""

from invoicing.admin import credit_notes, fees, invoices, ledger, payments

__all__ = ["credit_notes", "fees", "invoices", "ledger", "payments"]

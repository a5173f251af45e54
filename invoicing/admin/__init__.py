"""Admin pages of documents and money: invoices, credit notes, fees that stand alone, payments, the ledger."""

from invoicing.admin import (
    books,
    credit_notes,
    fees,
    invoices,
    journal_exports,
    ledger,
    ledger_accounts,
    payment_requests,
    payments,
    tax_engines,
    wallets,
)

__all__ = [
    "books",
    "credit_notes",
    "fees",
    "invoices",
    "journal_exports",
    "ledger",
    "ledger_accounts",
    "payment_requests",
    "payments",
    "tax_engines",
    "wallets",
]

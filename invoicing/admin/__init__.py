"""Admin pages of documents and money: invoices, credit notes, fees that stand alone, payments, the ledger."""

from invoicing.admin import (
    books,
    credit_notes,
    fees,
    invoices,
    journal_exports,
    ledger,
    ledger_accounts,
    mails,
    opening_balances,
    payment_requests,
    payments,
    tax_engines,
    wallets,
    work_queues,
    write_offs,
)

__all__ = [
    "books",
    "credit_notes",
    "fees",
    "invoices",
    "journal_exports",
    "ledger",
    "ledger_accounts",
    "mails",
    "opening_balances",
    "payment_requests",
    "payments",
    "tax_engines",
    "wallets",
    "work_queues",
    "write_offs",
]

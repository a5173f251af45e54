"""Documents and money: invoices, payments, ledger, documents and e-mail. Knows no subscription."""

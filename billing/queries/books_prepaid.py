"""The check of the books on all that customers prepaid, in wallets and by contracts, against the ledger. Never writes.

It is here because it needs to know which invoices of prepaid credit granted what they sold.
"""

from __future__ import annotations

from invoicing.domain import ledger
from invoicing.queries import books_customers

_WALLETS = """
    SELECT wallet.customer_id, wallet.billing_entity_id, entry.currency, entry.remaining_purchased_amount AS amount
    FROM invoicing_wallettransaction entry
    JOIN invoicing_wallet wallet ON wallet.id = entry.wallet_id
    WHERE entry.status = 'settled' AND entry.remaining_purchased_amount > 0
"""
"""What is left of the money that customers paid for credits of wallets."""

_CONTRACTS = """
    SELECT credit.customer_id, credit.billing_entity_id, credit.currency,
        credit.amount - credit.used_amount - credit.closed_amount AS amount
    FROM invoicing_prepaidcredit credit
    WHERE credit.status = 'active'
"""
"""What is left of the credit that contracts prepaid."""

_SOLD = """
    SELECT bill.customer_id, bill.billing_entity_id, bill.currency, bill.fees_amount - coalesce((
            SELECT sum(note.sub_total_amount) FROM invoicing_creditnote note
            WHERE note.invoice_id = bill.id AND note.status = 'finalized'
        ), 0) AS amount
    FROM invoicing_invoice bill
    WHERE bill.kind = 'credit' AND bill.status = 'finalized'
        AND NOT EXISTS (
            SELECT 1 FROM invoicing_wallettransaction entry
            WHERE entry.invoice_id = bill.id AND entry.transaction_status = 'purchased' AND entry.status = 'settled'
        )
        AND NOT EXISTS (
            SELECT 1 FROM billing_prepaidinstalment part JOIN invoicing_invoiceline line ON line.id = part.line_id
            WHERE line.invoice_id = bill.id AND part.credit_id IS NOT NULL
        )
"""
"""What was sold, and is granted once it is paid."""

PREPAID = books_customers.account(
    name="prepaid_account",
    title="Prepaid = what is left of it",
    proves=(
        "What the ledger says a customer prepaid is what is left of the credits it bought in wallets and by contracts, "
        "and what was sold and is granted once it is paid; by seller and currency."
    ),
    role=ledger.PREPAID,
    rows=f"{_WALLETS} UNION ALL {_CONTRACTS} UNION ALL {_SOLD}",
)

CHECKS = (PREPAID,)

"""Checks of the books on the ledger: it balances, every booking has its source, and the accounts of what customers owe
and are owed say what the documents say. Never writes.

What people book by hand is theirs: no document has to say the same, so it is left out of every comparison.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.domain import ledger
from invoicing.queries import books_sql
from invoicing.queries.books_sql import text

MANUAL = "'invoicing.manualentry'"
OWED = f"'{ledger.RECEIVABLE}', '{ledger.DISPUTED}'"

LABEL = "coalesce(bill.number, 'invoice ' || bill.id)"
"""What a person knows an invoice ``bill`` by."""

OPEN = """CASE WHEN bill.status = 'finalized' AND bill.kind <> 'advance_charges'
    THEN bill.total_amount - bill.paid_amount - bill.offset_amount - bill.written_off_amount ELSE 0 END"""
"""What is still to be paid of an invoice ``bill``. Lines paid in advance were settled one by one."""

ENTRIES = books_sql.check(
    name="entries_balance",
    title="Debits = credits in every booking",
    proves=(
        "Every booking has postings, they sum to nothing in each currency, and all go to accounts of its own seller."
    ),
    looked_at="SELECT count(*) FROM invoicing_ledgerentry",
    broken=f"""
        SELECT 'invoicing.ledgerentry' AS subject, entry.id, entry.description AS label,
            CASE WHEN sums.entry_id IS NULL THEN 'it has no postings'
                 WHEN sums.strange > 0 THEN 'it posts to an account of another seller'
                 ELSE 'debits and credits differ by ' || {text("sums.total", "sums.currency")} END AS message
        FROM invoicing_ledgerentry entry
        LEFT JOIN (
            SELECT posting.entry_id, posting.currency, sum(posting.amount) AS total,
                count(*) FILTER (WHERE account.billing_entity_id <> owner.billing_entity_id) AS strange
            FROM invoicing_ledgerposting posting
            JOIN invoicing_ledgeraccount account ON account.id = posting.account_id
            JOIN invoicing_ledgerentry owner ON owner.id = posting.entry_id
            GROUP BY posting.entry_id, posting.currency
        ) AS sums ON sums.entry_id = entry.id
        WHERE (sums.entry_id IS NULL OR sums.total <> 0 OR sums.strange > 0) AND {books_sql.since("entry.booked_at")}
    """,
)

SELLERS = books_sql.check(
    name="sellers_balance",
    title="Debits = credits of every seller",
    proves="All postings on a seller's accounts sum to nothing in each currency: the trial balance balances.",
    looked_at="SELECT count(*) FROM (SELECT DISTINCT account_id, currency FROM invoicing_ledgerposting) AS accounts",
    broken=f"""
        SELECT 'customers.billingentity' AS subject, seller.id, seller.name AS label,
            'debits and credits differ by ' || {text("sum(posting.amount)", "posting.currency")} AS message
        FROM invoicing_ledgerposting posting
        JOIN invoicing_ledgeraccount account ON account.id = posting.account_id
        JOIN customers_billingentity seller ON seller.id = account.billing_entity_id
        GROUP BY seller.id, seller.name, posting.currency
        HAVING sum(posting.amount) <> 0
    """,
)

RECEIVABLES = books_sql.check(
    name="receivables",
    title="Receivables = open documents",
    proves=(
        "What the ledger says a customer owes for an invoice is what is still to be paid of it: its total less "
        "payments, offsets and write-offs; nothing of drafts, voided and closed ones. What is disputed is part of it."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoice",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            'the ledger says ' || {text("sums.owed", "sums.currency")} || ', the document '
                || {text(OPEN, "bill.currency")} AS message
        FROM (
            SELECT bill.id, coalesce(posted.currency, bill.currency) AS currency, coalesce(posted.owed, 0) AS owed
            FROM invoicing_invoice bill
            LEFT JOIN (
                SELECT posting.invoice_id, posting.currency, sum(posting.amount) AS owed
                FROM invoicing_ledgerposting posting
                JOIN invoicing_ledgeraccount account ON account.id = posting.account_id AND account.role IN ({OWED})
                JOIN invoicing_ledgerentry entry ON entry.id = posting.entry_id AND entry.source_type <> {MANUAL}
                GROUP BY posting.invoice_id, posting.currency
            ) AS posted ON posted.invoice_id = bill.id
        ) AS sums
        JOIN invoicing_invoice bill ON bill.id = sums.id
        WHERE (sums.owed <> {OPEN} OR (sums.currency <> bill.currency AND sums.owed <> 0))
            AND {books_sql.since("bill.updated_at")}
    """,
)

DISPUTED = books_sql.check(
    name="disputed",
    title="Disputed receivables = disputes",
    proves="What the ledger has apart as disputed of an invoice is what the invoice says is disputed.",
    looked_at="SELECT count(*) FROM invoicing_invoice WHERE disputed_amount > 0",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            'the ledger says ' || {text("coalesce(posted.disputed, 0)", "bill.currency")} || ', the document '
                || {text("bill.disputed_amount", "bill.currency")} AS message
        FROM invoicing_invoice bill
        LEFT JOIN (
            SELECT posting.invoice_id, sum(posting.amount) AS disputed
            FROM invoicing_ledgerposting posting
            JOIN invoicing_ledgeraccount account
                ON account.id = posting.account_id AND account.role = '{ledger.DISPUTED}'
            JOIN invoicing_ledgerentry entry ON entry.id = posting.entry_id AND entry.source_type <> {MANUAL}
            GROUP BY posting.invoice_id
        ) AS posted ON posted.invoice_id = bill.id
        WHERE coalesce(posted.disputed, 0) <> bill.disputed_amount AND {books_sql.since("bill.updated_at")}
    """,
)

OPEN_ITEMS = books_sql.check(
    name="open_items",
    title="Every receivable names its invoice",
    proves=(
        "A posting on what customers owe names the invoice that is owed, of the same customer and seller; only fees "
        "that stand alone, and what people booked by hand, name none."
    ),
    looked_at="SELECT count(*) FROM invoicing_ledgerposting WHERE invoice_id IS NOT NULL",
    broken=f"""
        SELECT 'invoicing.ledgerentry' AS subject, entry.id, entry.description AS label,
            CASE WHEN bill.id IS NULL THEN 'a posting on what is owed names no invoice'
                 ELSE 'a posting on what is owed names an invoice of another customer or seller' END AS message
        FROM invoicing_ledgerposting posting
        JOIN invoicing_ledgeraccount account ON account.id = posting.account_id AND account.role IN ({OWED})
        JOIN invoicing_ledgerentry entry ON entry.id = posting.entry_id
        LEFT JOIN invoicing_invoice bill ON bill.id = posting.invoice_id
        WHERE entry.source_type NOT IN ({MANUAL}, 'invoicing.linepayment') AND {books_sql.since("entry.booked_at")}
            AND (bill.id IS NULL OR bill.billing_entity_id <> entry.billing_entity_id
                OR bill.customer_id IS DISTINCT FROM entry.customer_id)
    """,
)

STANDALONE = books_sql.check(
    name="standalone_fees",
    title="Fees that stand alone = their bookings",
    proves=(
        "A fee paid in advance is owed, received, or neither once it was refunded or taken back, as its status says."
    ),
    looked_at="SELECT count(DISTINCT line_id) FROM invoicing_linepayment",
    broken=f"""
        SELECT 'invoicing.invoiceline' AS subject, line.id, line.label,
            part.what || ': the ledger says ' || {text("part.found", "line.currency")} || ', the fee '
                || {text("part.said", "line.currency")} AS message
        FROM (
            SELECT change.line_id,
                coalesce(sum(posting.amount) FILTER (WHERE account.role = '{ledger.RECEIVABLE}'), 0) AS owed,
                coalesce(sum(posting.amount) FILTER (WHERE account.role = '{ledger.CASH}'), 0) AS cash,
                coalesce(sum(posting.amount) FILTER (WHERE account.role = '{ledger.REVENUE}'), 0) AS revenue,
                coalesce(sum(posting.amount) FILTER (WHERE account.role = '{ledger.TAX}'), 0) AS tax
            FROM invoicing_linepayment change
            LEFT JOIN invoicing_ledgerentry entry
                ON entry.source_type = 'invoicing.linepayment' AND entry.source_id = change.id
            LEFT JOIN invoicing_ledgerposting posting ON posting.entry_id = entry.id
            LEFT JOIN invoicing_ledgeraccount account ON account.id = posting.account_id
            GROUP BY change.line_id
        ) AS sums
        JOIN invoicing_invoiceline line ON line.id = sums.line_id
        CROSS JOIN LATERAL (
            SELECT line.deleted_at IS NULL AND line.payment_status <> 'refunded' AS stands,
                line.amount - round(line.precise_coupons_amount, {books_sql.exponent("line.currency")}) AS net
        ) AS state
        CROSS JOIN LATERAL (VALUES
            ('owed', sums.owed, CASE WHEN state.stands AND line.payment_status <> 'succeeded'
                THEN state.net + line.taxes_amount ELSE 0 END),
            ('received', sums.cash, CASE WHEN state.stands AND line.payment_status = 'succeeded'
                THEN state.net + line.taxes_amount ELSE 0 END),
            ('earned', -sums.revenue, CASE WHEN state.stands THEN state.net ELSE 0 END),
            ('tax', -sums.tax, CASE WHEN state.stands THEN line.taxes_amount ELSE 0 END)
        ) AS part (what, found, said)
        WHERE part.found <> part.said
    """,
)

CHECKS = (ENTRIES, SELLERS, RECEIVABLES, DISPUTED, OPEN_ITEMS, STANDALONE)

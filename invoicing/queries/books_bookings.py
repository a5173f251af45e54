"""Checks of the books on what was booked for what: every document, payment and use is in the ledger once and as it
says, and every booking has its row. Never writes.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.domain import ledger
from invoicing.queries import books_sql
from invoicing.queries.books_ledger import LABEL
from invoicing.queries.books_sql import text

_ROLES = (
    ledger.RECEIVABLE,
    ledger.REVENUE,
    ledger.TAX,
    ledger.CASH,
    ledger.CUSTOMER_CREDIT,
    ledger.REFUNDS,
    ledger.PREPAID,
    ledger.PROMOTION,
    ledger.WRITE_OFF,
)


def booked(source_type: str, fact: str) -> str:
    """Return a query of what was booked for the rows of a model: its id and a column for each role, as SQL."""
    sums = ", ".join(
        f"coalesce(sum(posting.amount) FILTER (WHERE account.role = '{role}'), 0) AS {role}" for role in _ROLES
    )
    return f"""
        SELECT entry.source_id, count(DISTINCT entry.id) AS entries, {sums}
        FROM invoicing_ledgerentry entry
        JOIN invoicing_ledgerposting posting ON posting.entry_id = entry.id
        JOIN invoicing_ledgeraccount account ON account.id = posting.account_id
        WHERE entry.source_type = '{source_type}' AND entry.fact = '{fact}'
        GROUP BY entry.source_id
    """


INVOICES = books_sql.check(
    name="invoices_booked",
    title="Invoices are booked as they say",
    proves=(
        "Every issued invoice was booked once: what it came to is owed, its net earned (or held for the customer, "
        "where it sold prepaid credit), its tax owed to the state."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoice WHERE finalized_at IS NOT NULL",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            part.what || ': the ledger says ' || {text("part.found", "bill.currency")} || ', the document '
                || {text("part.said", "bill.currency")} AS message
        FROM invoicing_invoice bill
        LEFT JOIN ({booked("invoicing.invoice", ledger.FINALIZED)}) AS entry ON entry.source_id = bill.id
        CROSS JOIN LATERAL (
            SELECT bill.fees_amount - bill.progressive_billing_credit_amount - bill.coupons_amount AS net,
                bill.finalized_at IS NOT NULL AND bill.kind <> 'advance_charges' AS is_booked
        ) AS state
        CROSS JOIN LATERAL (VALUES
            ('owed', coalesce(entry.receivable, 0), CASE WHEN is_booked THEN net + bill.taxes_amount ELSE 0 END),
            ('earned', -coalesce(entry.revenue, 0), CASE WHEN is_booked AND bill.kind <> 'credit' THEN net ELSE 0 END),
            ('prepaid', -coalesce(entry.prepaid, 0), CASE WHEN is_booked AND bill.kind = 'credit' THEN net ELSE 0 END),
            ('tax', -coalesce(entry.tax, 0), CASE WHEN is_booked THEN bill.taxes_amount ELSE 0 END)
        ) AS part (what, found, said)
        WHERE part.found <> part.said AND {books_sql.since("bill.updated_at")}
    """,
)

CREDIT_NOTES = books_sql.check(
    name="credit_notes_booked",
    title="Credit notes are booked as they say",
    proves=(
        "Every issued credit note was booked once: less is earned (or held as prepaid) and less tax owed, and the "
        "customer has a credit or a refund, or owes less. A refund that was told is booked as money that went out."
    ),
    looked_at="SELECT count(*) FROM invoicing_creditnote WHERE status = 'finalized'",
    broken=f"""
        SELECT 'invoicing.creditnote' AS subject, note.id, coalesce(note.number, 'draft ' || note.id) AS label,
            part.what || ': the ledger says ' || {text("part.found", "note.currency")} || ', the document '
                || {text("part.said", "note.currency")} AS message
        FROM invoicing_creditnote note
        LEFT JOIN ({booked("invoicing.creditnote", ledger.CREDITED)}) AS entry ON entry.source_id = note.id
        LEFT JOIN ({booked("invoicing.creditnote", ledger.REFUNDED)}) AS paid ON paid.source_id = note.id
        CROSS JOIN LATERAL (SELECT note.status = 'finalized' AS is_booked) AS state
        CROSS JOIN LATERAL (VALUES
            ('given back', coalesce(entry.revenue + entry.prepaid, 0),
                CASE WHEN is_booked THEN note.sub_total_amount ELSE 0 END),
            ('tax', coalesce(entry.tax, 0), CASE WHEN is_booked THEN note.taxes_amount ELSE 0 END),
            ('credit', -coalesce(entry.customer_credit, 0), CASE WHEN is_booked THEN note.credit_amount ELSE 0 END),
            ('refund', -coalesce(entry.refunds, 0), CASE WHEN is_booked THEN note.refund_amount ELSE 0 END),
            ('offset', -coalesce(entry.receivable, 0), CASE WHEN is_booked THEN note.offset_amount ELSE 0 END),
            ('paid out', -coalesce(paid.cash, 0),
                CASE WHEN note.refund_status = 'succeeded' THEN note.refund_amount ELSE 0 END)
        ) AS part (what, found, said)
        WHERE part.found <> part.said AND {books_sql.since("note.updated_at")}
    """,
)

PAYMENTS = books_sql.check(
    name="payments_booked",
    title="Payments are booked as they say",
    proves=(
        "Every payment was booked once, as cash; only the one that stands for fees paid in advance was not, because "
        "those were booked one by one."
    ),
    looked_at="SELECT count(*) FROM invoicing_payment",
    broken=f"""
        SELECT 'invoicing.payment' AS subject, payment.id, coalesce(nullif(payment.reference, ''),
                'payment ' || payment.id) AS label,
            'the ledger says ' || {text("sums.cash", "payment.currency")} || ', the payment '
                || {text("sums.said", "payment.currency")} AS message
        FROM (
            SELECT payment.id, coalesce(entry.cash, 0) + coalesce(held.cash, 0) AS cash,
                CASE WHEN EXISTS (
                    SELECT 1 FROM invoicing_paymentallocation part JOIN invoicing_invoice bill
                        ON bill.id = part.invoice_id AND bill.kind = 'advance_charges'
                    WHERE part.payment_id = payment.id
                ) THEN 0 ELSE payment.amount END AS said
            FROM invoicing_payment payment
            LEFT JOIN ({booked("invoicing.payment", ledger.PAID)}) AS entry ON entry.source_id = payment.id
            LEFT JOIN ({booked("invoicing.payment", ledger.HELD)}) AS held ON held.source_id = payment.id
        ) AS sums
        JOIN invoicing_payment payment ON payment.id = sums.id
        WHERE sums.cash <> sums.said AND {books_sql.since("payment.created_at")}
    """,
)

USES = books_sql.check(
    name="uses_booked",
    title="Credits that were used are booked",
    proves="Every use of a credit note's credit, of prepaid credit or of a wallet by an invoice was booked as it says.",
    looked_at=(
        "SELECT (SELECT count(*) FROM invoicing_creditnoteuse) + (SELECT count(*) FROM invoicing_prepaidcredituse)"
        " + (SELECT count(*) FROM invoicing_wallettransaction WHERE transaction_status = 'invoiced')"
    ),
    broken=f"""
        SELECT sums.subject, bill.id, {LABEL} AS label,
            sums.what || ': the ledger says ' || {text("sums.found", "bill.currency")} || ', the document '
                || {text("sums.said", "bill.currency")} AS message
        FROM (
            SELECT 'invoicing.invoice' AS subject, 'credit used' AS what, part.invoice_id, part.created_at,
                part.amount AS said, coalesce(entry.customer_credit, 0) AS found
            FROM invoicing_creditnoteuse part
            LEFT JOIN ({booked("invoicing.creditnoteuse", ledger.CREDIT_USED)}) AS entry ON entry.source_id = part.id
            UNION ALL
            SELECT 'invoicing.invoice', 'prepaid credit used', part.invoice_id, part.created_at,
                part.amount, coalesce(entry.prepaid, 0)
            FROM invoicing_prepaidcredituse part
            LEFT JOIN ({booked("invoicing.prepaidcredituse", ledger.PREPAID_USED)}) AS entry
                ON entry.source_id = part.id
            UNION ALL
            SELECT 'invoicing.invoice', 'credits of a wallet used', part.invoice_id, part.created_at,
                part.amount, coalesce(entry.prepaid + entry.promotion, 0)
            FROM invoicing_wallettransaction part
            LEFT JOIN ({booked("invoicing.wallettransaction", ledger.CREDITS_USED)}) AS entry
                ON entry.source_id = part.id
            WHERE part.transaction_status = 'invoiced'
        ) AS sums
        JOIN invoicing_invoice bill ON bill.id = sums.invoice_id
        WHERE sums.said <> sums.found AND {books_sql.since("sums.created_at")}
    """,
)

WRITE_OFFS = books_sql.check(
    name="write_offs_booked",
    title="Write-offs are booked as they say",
    proves="Every write-off was booked once as a loss, and so was each that was undone, the other way round.",
    looked_at="SELECT count(*) FROM invoicing_writeoff",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            sums.what || ': the ledger says ' || {text("sums.found", "bill.currency")} || ', the write-off '
                || {text("sums.said", "bill.currency")} AS message
        FROM (
            SELECT 'written off' AS what, part.invoice_id, part.created_at, part.amount AS said,
                coalesce(entry.write_off, 0) AS found
            FROM invoicing_writeoff part
            LEFT JOIN ({booked("invoicing.writeoff", ledger.WRITTEN_OFF)}) AS entry ON entry.source_id = part.id
            UNION ALL
            SELECT 'owed again', part.invoice_id, back.created_at, back.amount, -coalesce(entry.write_off, 0)
            FROM invoicing_writeoffreversal back
            JOIN invoicing_writeoff part ON part.id = back.write_off_id
            LEFT JOIN ({booked("invoicing.writeoffreversal", ledger.WRITE_OFF_UNDONE)}) AS entry
                ON entry.source_id = back.id
        ) AS sums
        JOIN invoicing_invoice bill ON bill.id = sums.invoice_id
        WHERE sums.said <> sums.found AND {books_sql.since("sums.created_at")}
    """,
)

_SOURCES = (
    "invoicing.invoice",
    "invoicing.creditnote",
    "invoicing.creditnoteuse",
    "invoicing.payment",
    "invoicing.linepayment",
    "invoicing.prepaidcredit",
    "invoicing.prepaidcredituse",
    "invoicing.manualentry",
    "invoicing.wallettransaction",
    "invoicing.walletconsumption",
    "invoicing.creditnoteusereversal",
    "invoicing.prepaidcreditusereversal",
    "invoicing.paymentallocation",
    "invoicing.paymentrelease",
    "invoicing.paymentrefund",
    "invoicing.disputemove",
    "invoicing.writeoff",
    "invoicing.writeoffreversal",
)
"""The models whose rows are booked."""

_CASES = " ".join(
    f"WHEN '{label}' THEN EXISTS (SELECT 1 FROM {label.replace('.', '_')} source WHERE source.id = entry.source_id)"
    for label in _SOURCES
)

SOURCES = books_sql.check(
    name="sources",
    title="Every booking has its source",
    proves="The row that a booking was made for is there.",
    looked_at="SELECT count(*) FROM invoicing_ledgerentry",
    broken=f"""
        SELECT 'invoicing.ledgerentry' AS subject, entry.id, entry.description AS label,
            'there is no ' || entry.source_type || ' ' || entry.source_id AS message
        FROM invoicing_ledgerentry entry
        WHERE NOT (CASE entry.source_type {_CASES} ELSE FALSE END) AND {books_sql.since("entry.booked_at")}
    """,
)

CHECKS = (INVOICES, CREDIT_NOTES, PAYMENTS, USES, WRITE_OFFS)

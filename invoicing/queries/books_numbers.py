"""Checks of the books on document numbers: without a gap or a repeat, and as many as were given out. Never writes."""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.queries import books_sql

_ISSUED = """
    SELECT 'invoice:' || bill.billing_entity_id || CASE
            WHEN bill.number LIKE '%%-' || to_char(bill.issuing_date, 'YYYYMM') || '-'
                || lpad(bill.sequential_id::text, greatest(3, length(bill.sequential_id::text)), '0') THEN ''
            ELSE ':' || bill.customer_id END AS scope,
        bill.sequential_id
    FROM invoicing_invoice bill WHERE bill.number IS NOT NULL
    UNION ALL
    SELECT 'credit_note:' || note.invoice_id, note.sequential_id
    FROM invoicing_creditnote note WHERE note.number IS NOT NULL
    UNION ALL
    SELECT 'receipt:' || receipt.billing_entity_id, receipt.sequential_id FROM invoicing_paymentreceipt receipt
"""
"""The numbers that documents have, with the counter that gave each: a seller's numbers name the month before it."""

NUMBERS = books_sql.check(
    name="numbers",
    title="Numbers are gapless",
    proves=(
        "The documents of every counter, one for each seller or each customer of it, one for the credit notes of each "
        "invoice and one for the receipts of each seller, are numbered from 1 without a gap or a repeat, and the "
        "counter stands at the last of them."
    ),
    looked_at="SELECT (SELECT count(*) FROM invoicing_invoice WHERE number IS NOT NULL)"
    " + (SELECT count(*) FROM invoicing_creditnote WHERE number IS NOT NULL)"
    " + (SELECT count(*) FROM invoicing_paymentreceipt)",
    broken=f"""
        SELECT CASE WHEN state.scope LIKE 'credit_note:%%' THEN 'invoicing.invoice'
                WHEN split_part(state.scope, ':', 3) <> '' THEN 'customers.customer'
                ELSE 'customers.billingentity' END AS subject,
            (CASE WHEN split_part(state.scope, ':', 3) <> '' THEN split_part(state.scope, ':', 3)
                ELSE split_part(state.scope, ':', 2) END)::bigint AS id,
            'counter ' || state.scope AS label,
            'it stands at ' || state.given || ', its ' || state.documents || ' documents go from ' || state.least
                || ' to ' || state.most || coalesce(', missing from ' || state.missing || ' on', '')
                || CASE WHEN state.repeated > 0 THEN ', ' || state.repeated || ' are repeated' ELSE '' END AS message
        FROM (
            SELECT coalesce(counter.scope, taken.scope) AS scope, coalesce(counter.last_value, 0) AS given,
                coalesce(taken.documents, 0) AS documents, coalesce(taken.repeated, 0) AS repeated,
                coalesce(taken.least, 0) AS least, coalesce(taken.most, 0) AS most,
                coalesce(taken.missing, CASE WHEN coalesce(taken.most, 0) < counter.last_value
                    THEN coalesce(taken.most, 0) + 1 END) AS missing
            FROM (
                SELECT scope, last_value FROM platform_numbersequence
                WHERE scope LIKE 'invoice:%%' OR scope LIKE 'credit_note:%%' OR scope LIKE 'receipt:%%'
            ) AS counter
            FULL JOIN (
                SELECT scope, count(*) AS documents, min(sequential_id) AS least, max(sequential_id) AS most,
                    count(*) FILTER (WHERE step < 1) AS repeated,
                    min(sequential_id - step + 1) FILTER (WHERE step > 1) AS missing
                FROM (
                    SELECT scope, sequential_id, sequential_id
                        - coalesce(lag(sequential_id) OVER (PARTITION BY scope ORDER BY sequential_id), 0) AS step
                    FROM ({_ISSUED}) AS issued
                ) AS steps
                GROUP BY scope
            ) AS taken ON taken.scope = counter.scope
        ) AS state
        WHERE state.missing IS NOT NULL OR state.repeated > 0 OR state.most <> state.given
    """,
)

CHECKS = (NUMBERS,)

"""Checks of the books on documents: an invoice is its lines, taxes and credits, a credit note its items. Never
writes.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.queries import books_sql
from invoicing.queries.books_ledger import LABEL
from invoicing.queries.books_sql import text

INVOICES = books_sql.check(
    name="invoice_sums",
    title="Document = lines − coupons + taxes − credits",
    proves=(
        "What every invoice says of its lines, of what was billed progressively, of coupons, credits, prepaid credit, "
        "offsets and payments is the sum of their rows, and its total follows from them."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoice",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            part.what || ': the document says ' || {text("part.said", "bill.currency")} || ', its rows '
                || {text("part.found", "bill.currency")} AS message
        FROM invoicing_invoice bill
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS fees, sum(progressive_credit_amount) AS progressive
            FROM invoicing_invoiceline WHERE invoice_id IS NOT NULL GROUP BY invoice_id
        ) AS line ON line.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_progressivecredit GROUP BY invoice_id
        ) AS progressive ON progressive.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_invoicecoupon GROUP BY invoice_id
        ) AS coupon ON coupon.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_creditnoteuse GROUP BY invoice_id
        ) AS credit ON credit.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_prepaidcredituse GROUP BY invoice_id
        ) AS prepaid ON prepaid.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(amount) AS amount FROM invoicing_wallettransaction
            WHERE transaction_status = 'invoiced' GROUP BY invoice_id
        ) AS wallet ON wallet.invoice_id = bill.id
        LEFT JOIN (
            SELECT part.invoice_id, sum(part.amount - coalesce(back.amount, 0)) AS amount
            FROM invoicing_writeoff part LEFT JOIN invoicing_writeoffreversal back ON back.write_off_id = part.id
            GROUP BY part.invoice_id
        ) AS given_up ON given_up.invoice_id = bill.id
        LEFT JOIN (
            SELECT invoice_id, sum(offset_amount) AS amount FROM invoicing_creditnote
            WHERE status = 'finalized' GROUP BY invoice_id
        ) AS offsetting ON offsetting.invoice_id = bill.id
        LEFT JOIN (
            SELECT part.invoice_id, sum(part.amount - coalesce(held.amount, 0)) AS amount
            FROM invoicing_paymentallocation part
            LEFT JOIN invoicing_paymentrelease held ON held.allocation_id = part.id
            GROUP BY part.invoice_id
        ) AS payment ON payment.invoice_id = bill.id
        CROSS JOIN LATERAL (VALUES
            ('lines', bill.fees_amount, coalesce(line.fees, 0)),
            ('billed progressively', bill.progressive_billing_credit_amount, coalesce(line.progressive, 0)),
            ('taken off progressively', bill.progressive_billing_credit_amount, coalesce(progressive.amount, 0)),
            ('coupons', bill.coupons_amount, coalesce(coupon.amount, 0)),
            ('credits', bill.credit_notes_amount, coalesce(credit.amount, 0)),
            ('prepaid', bill.prepaid_credit_amount, coalesce(prepaid.amount, 0) + coalesce(wallet.amount, 0)),
            ('offset', bill.offset_amount, coalesce(offsetting.amount, 0)),
            ('paid', bill.paid_amount, coalesce(payment.amount, 0)),
            ('written off', bill.written_off_amount, coalesce(given_up.amount, 0)),
            ('total', bill.total_amount, bill.fees_amount - bill.progressive_billing_credit_amount
                - bill.coupons_amount + bill.taxes_amount - bill.credit_notes_amount - bill.prepaid_credit_amount)
        ) AS part (what, said, found)
        WHERE part.said <> part.found AND {books_sql.since("bill.updated_at")}
    """,
)

STATUS = books_sql.check(
    name="payment_status",
    title="Paid where nothing is due",
    proves=(
        "An issued invoice of which nothing is due is paid or written off, one that is paid or not due is not overdue, "
        "and what is disputed of it is no more than what is due."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoice WHERE status = 'finalized'",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label, part.message
        FROM invoicing_invoice bill
        CROSS JOIN LATERAL (
            SELECT bill.total_amount - bill.paid_amount - bill.offset_amount - bill.written_off_amount AS due
        ) AS state
        CROSS JOIN LATERAL (VALUES
            ('nothing is due, and it is not paid or written off', state.due = 0 AND bill.payment_status <> 'succeeded'
                AND bill.written_off_amount = 0),
            ('nothing is due, and it is overdue', state.due = 0 AND bill.payment_overdue
                AND bill.payment_status <> 'succeeded'),
            ('it is paid and overdue', bill.payment_status = 'succeeded' AND bill.payment_overdue),
            ('less than nothing is due', state.due < 0),
            ('more is disputed than is due', bill.disputed_amount > state.due)
        ) AS part (message, is_broken)
        WHERE bill.status = 'finalized' AND part.is_broken AND {books_sql.since("bill.updated_at")}
    """,
)

COUPONS = books_sql.check(
    name="coupons",
    title="Coupons = their uses",
    proves=(
        "What was used of every coupon of a customer is what invoices took off for it and did not give back, a fixed "
        "one gave no more than it is worth, and the lines of an invoice share its coupons without a rest."
    ),
    looked_at="SELECT count(*) FROM customers_appliedcoupon",
    broken=f"""
        SELECT 'customers.appliedcoupon' AS subject, applied.id, 'coupon ' || applied.id AS label,
            'used: the coupon says ' || trim_scale(applied.used_amount) || ', its uses '
                || trim_scale(coalesce(uses.used, 0)) AS message
        FROM customers_appliedcoupon applied
        LEFT JOIN (
            SELECT applied_coupon_id, sum(amount) AS used FROM invoicing_invoicecoupon
            WHERE given_back_at IS NULL GROUP BY applied_coupon_id
        ) AS uses ON uses.applied_coupon_id = applied.id
        WHERE applied.used_amount <> coalesce(uses.used, 0)
        UNION ALL
        SELECT 'customers.appliedcoupon', applied.id, 'coupon ' || applied.id,
            'it gave ' || {text("applied.used_amount", "applied.currency")} || ' of '
                || {text("applied.amount", "applied.currency")}
        FROM customers_appliedcoupon applied
        WHERE applied.frequency = 'once' AND applied.used_amount > applied.amount
        UNION ALL
        SELECT 'invoicing.invoice', bill.id, {LABEL},
            'coupons took off ' || {text("bill.coupons_amount", "bill.currency")} || ', its lines share '
                || {text("shares.amount", "bill.currency")}
        FROM invoicing_invoice bill
        JOIN (
            SELECT invoice_id, sum(precise_coupons_amount) AS amount FROM invoicing_invoiceline
            WHERE invoice_id IS NOT NULL GROUP BY invoice_id
        ) AS shares ON shares.invoice_id = bill.id
        WHERE bill.kind <> 'advance_charges' AND {books_sql.since("bill.updated_at")}
            AND NOT {books_sql.is_rounded("bill.coupons_amount", "shares.amount", "bill.currency")}
    """,
)

CREDIT_NOTES = books_sql.check(
    name="credit_notes",
    title="Credit note = its items",
    proves=(
        "Every credit note is the sum of its items less their coupons, with its tax, and goes the three ways in full; "
        "what is left of its credit is what was not used; and no line gave back more than it billed."
    ),
    looked_at="SELECT count(*) FROM invoicing_creditnote",
    broken=f"""
        SELECT 'invoicing.creditnote' AS subject, note.id, coalesce(note.number, 'draft ' || note.id) AS label,
            part.what || ': the document says ' || {text("part.said", "note.currency")} || ', its rows '
                || {text("part.found", "note.currency")} AS message
        FROM invoicing_creditnote note
        LEFT JOIN (
            SELECT credit_note_id, sum(amount) AS amount FROM invoicing_creditnoteitem GROUP BY credit_note_id
        ) AS item ON item.credit_note_id = note.id
        LEFT JOIN (
            SELECT part.credit_note_id, sum(part.amount - coalesce(back.amount, 0)) AS amount
            FROM invoicing_creditnoteuse part
            LEFT JOIN invoicing_creditnoteusereversal back ON back.use_id = part.id
            GROUP BY part.credit_note_id
        ) AS used ON used.credit_note_id = note.id
        CROSS JOIN LATERAL (VALUES
            ('net', note.sub_total_amount, coalesce(item.amount, 0) - note.coupons_adjustment_amount),
            ('total', note.total_amount, note.sub_total_amount + note.taxes_amount),
            ('ways', note.total_amount, note.credit_amount + note.refund_amount + note.offset_amount),
            ('balance', note.balance_amount, CASE WHEN note.credit_status = 'voided' THEN 0
                ELSE note.credit_amount - coalesce(used.amount, 0) END)
        ) AS part (what, said, found)
        WHERE part.said <> part.found AND {books_sql.since("note.updated_at")}
        UNION ALL
        SELECT 'invoicing.creditnote', given.note_id, 'line ' || line.label,
            {text("given.amount", "line.currency")} || ' was given back of '
                || {text("line.amount - line.progressive_credit_amount", "line.currency")} || ' billed'
        FROM (
            SELECT line_id, sum(amount) AS amount, max(credit_note_id) AS note_id
            FROM invoicing_creditnoteitem GROUP BY line_id
        ) AS given
        JOIN invoicing_invoiceline line ON line.id = given.line_id
        WHERE given.amount > line.amount - line.progressive_credit_amount
    """,
)

CHECKS = (INVOICES, STATUS, COUPONS, CREDIT_NOTES)

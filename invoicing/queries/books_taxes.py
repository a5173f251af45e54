"""Checks of the books on taxes: each line's, each tax group's and the document's, every one rounded once. Never
writes.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.queries import books_sql
from invoicing.queries.books_ledger import LABEL
from invoicing.queries.books_sql import NOISE, text

LINES = books_sql.check(
    name="line_taxes",
    title="Line tax = its taxes, rounded once",
    proves=(
        "The tax of every line is the unrounded sum of its taxes rounded once to the currency, its rate the sum of "
        "theirs, and every tax row its own unrounded amount rounded once."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoiceline",
    broken=f"""
        SELECT 'invoicing.invoiceline' AS subject, line.id, line.label, part.message
        FROM invoicing_invoiceline line
        LEFT JOIN (
            SELECT tax.line_id, sum(tax.precise_amount) AS precise, sum(tax.rate) AS rate,
                count(*) FILTER (WHERE NOT {books_sql.is_rounded("tax.amount", "tax.precise_amount", "tax.currency")})
                    AS unrounded
            FROM invoicing_linetax tax GROUP BY tax.line_id
        ) AS taxes ON taxes.line_id = line.id
        CROSS JOIN LATERAL (VALUES
            ('tax: the line says ' || trim_scale(line.precise_taxes_amount) || ' before rounding, its taxes '
                || trim_scale(coalesce(taxes.precise, 0)),
                abs(line.precise_taxes_amount - coalesce(taxes.precise, 0)) > {NOISE}),
            ('tax: ' || {text("line.taxes_amount", "line.currency")} || ' is not '
                || trim_scale(line.precise_taxes_amount) || ' rounded',
                NOT {books_sql.is_rounded("line.taxes_amount", "line.precise_taxes_amount", "line.currency")}),
            ('rate: the line says ' || trim_scale(line.taxes_rate) || ', its taxes '
                || trim_scale(coalesce(taxes.rate, 0)), line.taxes_rate <> coalesce(taxes.rate, 0)),
            (coalesce(taxes.unrounded, 0) || ' of its taxes are not rounded once', coalesce(taxes.unrounded, 0) > 0)
        ) AS part (message, is_broken)
        WHERE part.is_broken AND {books_sql.since("line.created_at")}
    """,
)

GROUPS = books_sql.check(
    name="tax_groups",
    title="Tax groups = the taxes of their lines",
    proves=(
        "Every tax of a document is the unrounded tax of all lines that have it, rounded once; its rate is theirs; and "
        "the document's tax is the unrounded sum of all, rounded once."
    ),
    looked_at="SELECT count(*) FROM invoicing_invoicetax",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, {LABEL} AS label,
            'tax ' || sums.code || ': the document says ' || {text("sums.said", "bill.currency")} || ', its lines '
                || trim_scale(sums.found) AS message
        FROM (
            SELECT coalesce(taxes.invoice_id, groups.invoice_id) AS invoice_id,
                coalesce(taxes.tax_code, groups.tax_code) AS code,
                coalesce(groups.amount, 0) AS said, coalesce(taxes.precise, 0) AS found, groups.rate, taxes.least,
                taxes.most, taxes.rounded
            FROM invoicing_invoicetax groups
            FULL JOIN (
                SELECT line.invoice_id, tax.tax_id, min(tax.tax_code) AS tax_code, sum(tax.precise_amount) AS precise,
                    sum(tax.amount) AS rounded, min(tax.rate) AS least, max(tax.rate) AS most
                FROM invoicing_linetax tax
                JOIN invoicing_invoiceline line ON line.id = tax.line_id AND line.invoice_id IS NOT NULL
                GROUP BY line.invoice_id, tax.tax_id
            ) AS taxes ON taxes.invoice_id = groups.invoice_id AND taxes.tax_id = groups.tax_id
        ) AS sums
        JOIN invoicing_invoice bill ON bill.id = sums.invoice_id
        WHERE {books_sql.since("bill.updated_at")} AND CASE bill.kind
            -- What stood alone was taxed line by line, and keeps that.
            WHEN 'advance_charges' THEN sums.said <> coalesce(sums.rounded, 0)
            ELSE NOT {books_sql.is_rounded("sums.said", "sums.found", "bill.currency")}
                OR sums.rate IS DISTINCT FROM sums.least OR sums.rate IS DISTINCT FROM sums.most END
        UNION ALL
        SELECT 'invoicing.invoice', bill.id, {LABEL},
            'tax: the document says ' || {text("bill.taxes_amount", "bill.currency")} || ', its lines '
                || trim_scale(coalesce(lines.precise, 0))
        FROM invoicing_invoice bill
        LEFT JOIN (
            SELECT invoice_id, sum(precise_taxes_amount) AS precise, sum(taxes_amount) AS rounded
            FROM invoicing_invoiceline WHERE invoice_id IS NOT NULL GROUP BY invoice_id
        ) AS lines ON lines.invoice_id = bill.id
        WHERE {books_sql.since("bill.updated_at")} AND CASE bill.kind
            WHEN 'advance_charges' THEN bill.taxes_amount <> coalesce(lines.rounded, 0)
            ELSE NOT {books_sql.is_rounded("bill.taxes_amount", "coalesce(lines.precise, 0)", "bill.currency")} END
    """,
)

CHECKS = (LINES, GROUPS)

"""Checks of the books on wallets and prepaid credit: what came in is what went out and what is left. Never writes.

What all of it comes to in the ledger is checked by billing, which knows what was sold by contracts.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.queries import books_sql
from invoicing.queries.books_sql import text

BALANCES = books_sql.check(
    name="wallet_balances",
    title="Wallet balance = grants − uses",
    proves=(
        "The balance of every wallet is what settled transactions brought in less what they took out, and what is left "
        "of the single grants; what it consumed is what invoices took. In credits and in money."
    ),
    looked_at="SELECT count(*) FROM invoicing_wallet",
    broken=f"""
        SELECT 'invoicing.wallet' AS subject, wallet.id, wallet.code || ' of ' || customer.external_id AS label,
            part.what || ': the wallet says ' || trim_scale(part.said) || ', its transactions '
                || trim_scale(part.found) AS message
        FROM invoicing_wallet wallet
        JOIN customers_customer customer ON customer.id = wallet.customer_id
        LEFT JOIN (
            SELECT wallet_id,
                sum(CASE transaction_type WHEN 'inbound' THEN credit_amount ELSE -credit_amount END) AS credits,
                sum(CASE transaction_type WHEN 'inbound' THEN amount ELSE -amount END) AS amount,
                sum(remaining_credit_amount) AS credits_left, sum(remaining_amount) AS amount_left,
                sum(credit_amount) FILTER (WHERE transaction_status = 'invoiced') AS consumed_credits,
                sum(amount) FILTER (WHERE transaction_status = 'invoiced') AS consumed
            FROM invoicing_wallettransaction WHERE status = 'settled' GROUP BY wallet_id
        ) AS sums ON sums.wallet_id = wallet.id
        CROSS JOIN LATERAL (VALUES
            ('credits', wallet.credits_balance, coalesce(sums.credits, 0)),
            ('balance', wallet.balance_amount, coalesce(sums.amount, 0)),
            ('credits left', wallet.credits_balance, coalesce(sums.credits_left, 0)),
            ('balance left', wallet.balance_amount, coalesce(sums.amount_left, 0)),
            ('consumed credits', wallet.consumed_credits, coalesce(sums.consumed_credits, 0)),
            ('consumed', wallet.consumed_amount, coalesce(sums.consumed, 0))
        ) AS part (what, said, found)
        WHERE part.said <> part.found AND {books_sql.since("wallet.updated_at")}
    """,
)

TRANSACTIONS = books_sql.check(
    name="wallet_transactions",
    title="Grant = its uses + what is left",
    proves=(
        "Every settled grant is what it paid for plus what is left of it, every use is what grants gave for it, and "
        "both are of one wallet. In credits, in money, and in the money that customers had paid for it."
    ),
    looked_at="SELECT count(*) FROM invoicing_wallettransaction WHERE status = 'settled'",
    broken=f"""
        SELECT 'invoicing.wallettransaction' AS subject, entry.id,
            entry.transaction_status || ' ' || entry.id || ' of ' || wallet.code AS label,
            part.what || ': the transaction says ' || trim_scale(part.said) || ', its consumptions '
                || trim_scale(part.found) AS message
        FROM invoicing_wallettransaction entry
        JOIN invoicing_wallet wallet ON wallet.id = entry.wallet_id
        LEFT JOIN (
            SELECT side.id, sum(one.credit_amount) AS credits, sum(one.amount) AS amount,
                sum(one.purchased_amount) AS purchased,
                count(*) FILTER (WHERE came.wallet_id <> went.wallet_id OR came.transaction_type <> 'inbound'
                    OR went.transaction_type <> 'outbound' OR one.currency <> came.currency) AS strange
            FROM invoicing_walletconsumption one
            JOIN invoicing_wallettransaction came ON came.id = one.inbound_id
            JOIN invoicing_wallettransaction went ON went.id = one.outbound_id
            CROSS JOIN LATERAL (VALUES (one.inbound_id), (one.outbound_id)) AS side (id)
            GROUP BY side.id
        ) AS sums ON sums.id = entry.id
        CROSS JOIN LATERAL (VALUES
            ('credits', entry.credit_amount, entry.remaining_credit_amount + coalesce(sums.credits, 0)),
            ('amount', entry.amount, entry.remaining_amount + coalesce(sums.amount, 0)),
            ('paid for', entry.purchased_amount, entry.remaining_purchased_amount + coalesce(sums.purchased, 0)),
            ('consumptions of another wallet or direction', 0, coalesce(sums.strange, 0))
        ) AS part (what, said, found)
        WHERE entry.status = 'settled' AND part.said <> part.found AND {books_sql.since("wallet.updated_at")}
    """,
)

PREPAID = books_sql.check(
    name="prepaid_credits",
    title="Prepaid credit = its uses + what is left",
    proves=(
        "What is used of every credit that a contract prepaid is what invoices of the same customer and seller drew "
        "and did not give back."
    ),
    looked_at="SELECT count(*) FROM invoicing_prepaidcredit",
    broken=f"""
        SELECT 'invoicing.prepaidcredit' AS subject, credit.id, credit.source AS label,
            CASE WHEN sums.strange > 0 THEN 'it paid an invoice of another customer, seller or currency'
                 ELSE 'used: the credit says ' || {text("credit.used_amount", "credit.currency")} || ', its uses '
                     || {text("coalesce(sums.used, 0)", "credit.currency")} END AS message
        FROM invoicing_prepaidcredit credit
        LEFT JOIN (
            SELECT part.credit_id, sum(part.amount - coalesce(back.amount, 0)) AS used,
                count(*) FILTER (WHERE (bill.customer_id, bill.billing_entity_id, bill.currency, part.currency)
                    IS DISTINCT FROM (credit.customer_id, credit.billing_entity_id, credit.currency, credit.currency)
                ) AS strange
            FROM invoicing_prepaidcredituse part
            JOIN invoicing_prepaidcredit credit ON credit.id = part.credit_id
            JOIN invoicing_invoice bill ON bill.id = part.invoice_id
            LEFT JOIN invoicing_prepaidcreditusereversal back ON back.use_id = part.id
            GROUP BY part.credit_id
        ) AS sums ON sums.credit_id = credit.id
        WHERE (credit.used_amount <> coalesce(sums.used, 0) OR sums.strange > 0)
            AND {books_sql.since("credit.updated_at")}
    """,
)

CHECKS = (BALANCES, TRANSACTIONS, PREPAID)

"""Checks of the books on what sellers owe their customers: credits and held money, and refunds that are still to be
paid. Never writes.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from config.kernel.checks import Check
from invoicing.domain import ledger
from invoicing.queries import books_sql
from invoicing.queries.books_ledger import MANUAL
from invoicing.queries.books_sql import text

HELD = """
    SELECT bill.customer_id, bill.billing_entity_id, bill.currency, bill.paid_amount AS amount
    FROM invoicing_invoice bill
    WHERE bill.status IN ('open', 'closed') AND bill.paid_amount > 0
    UNION ALL
    SELECT payment.customer_id, parts.billing_entity_id, payment.currency,
        payment.amount - parts.used - coalesce(refunds.amount, 0)
    FROM invoicing_payment payment
    JOIN (
        SELECT part.payment_id, min(bill.billing_entity_id) AS billing_entity_id,
            sum(part.amount - coalesce(held.amount, 0)) AS used
        FROM invoicing_paymentallocation part
        JOIN invoicing_invoice bill ON bill.id = part.invoice_id
        LEFT JOIN invoicing_paymentrelease held ON held.allocation_id = part.id
        GROUP BY part.payment_id
    ) AS parts ON parts.payment_id = payment.id
    LEFT JOIN (
        SELECT payment_id, sum(amount) AS amount FROM invoicing_paymentrefund GROUP BY payment_id
    ) AS refunds ON refunds.payment_id = payment.id
"""
"""Money that was received for invoices that are not issued, or that paid one that was voided since and was not used or
paid back: the customer's until then."""

CREDITS = """
    SELECT note.customer_id, note.billing_entity_id, note.currency, note.balance_amount AS amount
    FROM invoicing_creditnote note
    WHERE note.status = 'finalized' AND note.balance_amount > 0
"""
"""What is left of credits."""

REFUNDS = """
    SELECT note.customer_id, note.billing_entity_id, note.currency, note.refund_amount AS amount
    FROM invoicing_creditnote note
    WHERE note.status = 'finalized' AND note.refund_status IN ('pending', 'failed')
"""
"""Refunds that were promised and not paid yet."""


def account(*, name: str, title: str, proves: str, role: str, rows: str) -> Check:
    """Make the check that an account of what is owed to customers is what rows say, by customer, seller and currency.

    ``rows`` selects ``customer_id``, ``billing_entity_id``, ``currency`` and ``amount``.
    """
    return books_sql.check(
        name=name,
        title=title,
        proves=proves,
        looked_at=f"SELECT count(*) FROM ({rows}) AS rows",
        broken=f"""
            SELECT 'customers.customer' AS subject, customer.id, coalesce(nullif(customer.name, ''),
                    customer.external_id) AS label,
                'with ' || seller.name || ' the ledger says ' || {text("sums.found", "sums.currency")}
                    || ', the documents ' || {text("sums.said", "sums.currency")} AS message
            FROM (
                SELECT customer_id, billing_entity_id, currency, sum(found) AS found, sum(said) AS said
                FROM (
                    SELECT entry.customer_id, entry.billing_entity_id, posting.currency, -posting.amount AS found,
                        0 AS said
                    FROM invoicing_ledgerposting posting
                    JOIN invoicing_ledgeraccount account ON account.id = posting.account_id AND account.role = '{role}'
                    JOIN invoicing_ledgerentry entry ON entry.id = posting.entry_id AND entry.source_type <> {MANUAL}
                    UNION ALL
                    SELECT customer_id, billing_entity_id, currency, 0, amount FROM ({rows}) AS rows
                ) AS sides
                GROUP BY customer_id, billing_entity_id, currency
                HAVING sum(found) <> sum(said)
            ) AS sums
            JOIN customers_customer customer ON customer.id = sums.customer_id
            JOIN customers_billingentity seller ON seller.id = sums.billing_entity_id
        """,
    )


CUSTOMER_CREDIT = account(
    name="customer_credit",
    title="Customer credit = open credits + held money",
    proves=(
        "What the ledger says is a customer's credit is what is left of its credit notes and the money that is held "
        "for it, by seller and currency."
    ),
    role=ledger.CUSTOMER_CREDIT,
    rows=f"{CREDITS} UNION ALL {HELD}",
)

TO_REFUND = account(
    name="refunds",
    title="Refunds to pay = refunds promised",
    proves="What the ledger says is to be refunded is what credit notes promised and nobody told as paid yet.",
    role=ledger.REFUNDS,
    rows=REFUNDS,
)

CHECKS = (CUSTOMER_CREDIT, TO_REFUND)

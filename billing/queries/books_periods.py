"""Checks of the books on billed time: each is billed once, what was given back stands on nothing, and every line of a
contract says what it was rated from. Never writes.
"""

# ruff: noqa: S608 - statements are put together from texts of this package, what comes from outside is a parameter

from __future__ import annotations

from invoicing.queries import books_sql

WITHIN = "'in_advance_charge', 'progressive_billing'"
"""Why a period is billed within, which leaves its time to be billed."""


def _overlaps(rows: str, what: str) -> str:
    """Return a query of rows whose time begins before an earlier one of the same thing is over.

    ``rows`` selects ``subscription_id``, ``thing``, ``id``, ``from_at`` and ``to_at``.
    """
    return f"""
        SELECT 'billing.subscription' AS subject, timed.subscription_id AS id, subscription.external_id AS label,
            '{what} from ' || timed.from_at || ' is billed twice' AS message
        FROM (
            SELECT rows.*, max(to_at) OVER (
                PARTITION BY subscription_id, thing ORDER BY from_at, to_at, rows.id
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS billed_until
            FROM ({rows}) AS rows
        ) AS timed
        JOIN billing_subscription subscription ON subscription.id = timed.subscription_id
        WHERE timed.from_at < timed.billed_until AND timed.from_at < timed.to_at
    """


ONCE = books_sql.check(
    name="billed_once",
    title="Each period is billed once",
    proves=(
        "No time of a subscription is billed twice: neither its fee nor its usage nor a single charge, and no event "
        "that is paid in advance and no added units twice. What was given back does not count."
    ),
    looked_at="SELECT (SELECT count(*) FROM billing_billedperiod) + (SELECT count(*) FROM billing_ratedcharge)",
    broken=" UNION ALL ".join(
        (
            _overlaps(
                """SELECT subscription_id, 0::bigint AS thing, id, from_at, to_at FROM billing_billedperiod
                WHERE bills_fee AND released_at IS NULL""",
                "the fee",
            ),
            _overlaps(
                f"""SELECT subscription_id, 0::bigint AS thing, id, charges_from_at AS from_at, charges_to_at AS to_at
                FROM billing_billedperiod WHERE released_at IS NULL AND reason NOT IN ({WITHIN})""",
                "usage",
            ),
            _overlaps(
                """SELECT subscription_id, item_key AS thing, id, from_at, to_at FROM billing_ratedcharge
                WHERE released_at IS NULL AND event_transaction_id IS NULL AND fixed_units_id IS NULL
                    AND NOT is_progressive""",
                "a charge",
            ),
            """SELECT 'billing.subscription', subscription.id, subscription.external_id,
                'the event ' || rated.event_transaction_id || ' is billed ' || count(*) || ' times'
            FROM billing_ratedcharge rated JOIN billing_subscription subscription
                ON subscription.id = rated.subscription_id
            WHERE rated.released_at IS NULL AND rated.event_transaction_id IS NOT NULL
            GROUP BY subscription.id, subscription.external_id, rated.item_key, rated.event_transaction_id
            HAVING count(*) > 1""",
            """SELECT 'billing.subscription', subscription.id, subscription.external_id,
                'the units ' || rated.fixed_units_id || ' are billed ' || count(*) || ' times'
            FROM billing_ratedcharge rated JOIN billing_subscription subscription
                ON subscription.id = rated.subscription_id
            WHERE rated.released_at IS NULL AND rated.fixed_units_id IS NOT NULL
            GROUP BY subscription.id, subscription.external_id, rated.fixed_units_id
            HAVING count(*) > 1""",
        )
    ),
)

RELEASED = books_sql.check(
    name="released",
    title="What was given back stands on no document",
    proves=(
        "Time that may be billed anew is on no draft and no issued invoice, time on a voided draft was given back, and "
        "the charges of a period were given back with it."
    ),
    looked_at="SELECT count(*) FROM billing_billedperiod WHERE invoice_id IS NOT NULL",
    broken=f"""
        SELECT 'invoicing.invoice' AS subject, bill.id, coalesce(bill.number, 'invoice ' || bill.id) AS label,
            part.message
        FROM billing_billedperiod period
        JOIN invoicing_invoice bill ON bill.id = period.invoice_id
        CROSS JOIN LATERAL (VALUES
            ('its time from ' || period.from_at || ' was given back',
                period.released_at IS NOT NULL AND bill.status IN ('draft', 'pending', 'failed', 'open', 'finalized')),
            ('its time from ' || period.from_at || ' was not given back',
                period.released_at IS NULL AND bill.status = 'voided' AND bill.finalized_at IS NULL),
            ('its charges from ' || period.from_at || ' were not given back',
                period.released_at IS NOT NULL AND EXISTS (
                    SELECT 1 FROM billing_ratedcharge rated
                    WHERE rated.period_id = period.id AND rated.released_at IS NULL
                ))
        ) AS part (message, is_broken)
        WHERE part.is_broken AND {books_sql.since("bill.updated_at")}
    """,
)

CHECKS = (ONCE, RELEASED)

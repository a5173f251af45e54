"""Which customers' wallets are to be looked at. Owns these marks: finding whom events came for, and noting whose
invoices or wallets moved. What is seen then is `ongoing_balances`'.

A mark is a row of its own each time, so that writing one never waits: invoices are issued beside a look.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction

from billing.models import WalletCheck, WalletCursor
from billing.services import event_cursors

# Customers that events came for: noted anew though they are noted, as one who looks may not have seen these events.
# And those whose rules waited long enough, or who were not looked at for long: that stays true until they are.
_ENQUEUE = """
WITH arrived AS MATERIALIZED (
    SELECT DISTINCT external_subscription_id FROM billing_usage_event WHERE written_in >= %(since)s
), customers AS (
    SELECT subscription.customer_id
    FROM arrived
    JOIN billing_subscription AS subscription ON subscription.external_id = arrived.external_subscription_id
        AND subscription.status = 'active'
    UNION
    SELECT wallet.customer_id
    FROM invoicing_wallet AS wallet
    LEFT JOIN invoicing_recurringtransactionrule AS rule
        ON rule.wallet_id = wallet.id AND rule.status = 'active' AND rule.trigger = 'threshold'
    WHERE wallet.status = 'active' AND NOT EXISTS (
        SELECT FROM billing_walletcheck AS noted WHERE noted.customer_id = wallet.customer_id
    ) AND (
        wallet.ongoing_refreshed_at IS NULL OR wallet.ongoing_refreshed_at <= %(at)s - interval '1 day'
        OR rule.held_until <= %(at)s
        OR rule.started_at <= %(at)s AND rule.started_at > wallet.ongoing_refreshed_at
    )
)
INSERT INTO billing_walletcheck (uuid, created_at, customer_id, error)
SELECT gen_random_uuid(), %(at)s, customer_id, ''
FROM customers
WHERE customer_id IN (SELECT customer_id FROM invoicing_wallet WHERE status = 'active')
ORDER BY customer_id
"""

_MARK = """
INSERT INTO billing_walletcheck (uuid, created_at, customer_id, error)
SELECT DISTINCT ON (customer_id) gen_random_uuid(), %(at)s, customer_id, ''
FROM invoicing_wallet WHERE status = 'active' AND customer_id = ANY(%(customers)s)
ORDER BY customer_id
"""


@transaction.atomic
def look(*, at: datetime) -> int:
    """Note the customers with wallets that are to be looked at since the last look; return how many. One at a time.

    Which events these are is `event_cursors`'.
    """
    return event_cursors.advance(WalletCursor, statement=_ENQUEUE, at=at)


def mark(*, customer_ids: Collection[int], at: datetime) -> None:
    """Have the wallets of these customers looked at soon, of those that have any. One statement; waits for nobody."""
    with connection.cursor() as statement:
        statement.execute(_MARK, {"at": at, "customers": sorted(customer_ids)})


def take(*, customer_id: int) -> list[int]:
    """Return the marks of a locked customer that are there: give them to `done` once it was looked at."""
    return list(WalletCheck.objects.filter(customer=customer_id).values_list("pk", flat=True))


def done(*, check_ids: Collection[int]) -> None:
    """Say that a customer was looked at: marks that came meanwhile stay."""
    WalletCheck.objects.filter(pk__in=check_ids).delete()


def failed(*, customer_id: int, error: Exception) -> None:
    """Keep why a customer could not be looked at; it is tried again."""
    WalletCheck.objects.filter(customer=customer_id).update(error=str(error) or type(error).__name__)

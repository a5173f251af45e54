"""Which subscriptions are to be looked at because of alerts and spend caps. Owns these marks: finding whom events came
for, and holding one subscription. What is seen then is `alert_checks`'.
"""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from billing.models import AlertCheck, AlertCursor, Subscription
from billing.services import event_cursors
from config.kernel import jobs

# Those that events came for, and those whose period or plan is another one than was seen last.
_ENQUEUE = """
WITH arrived AS MATERIALIZED (
    SELECT DISTINCT external_subscription_id FROM billing_usage_event WHERE written_in >= %(since)s
), watched AS (
    SELECT customer_id, external_subscription_id, subscription_id, period_to_at
    FROM billing_usagealert WHERE deleted_at IS NULL
    UNION ALL
    SELECT customer_id, external_subscription_id, subscription_id, period_to_at FROM billing_spendcap
)
INSERT INTO billing_alertcheck (uuid, created_at, subscription_id, error)
SELECT DISTINCT ON (subscription.id) gen_random_uuid(), %(at)s, subscription.id, ''
FROM watched
JOIN billing_subscription AS subscription ON subscription.external_id = watched.external_subscription_id
    AND subscription.customer_id = watched.customer_id AND subscription.status = 'active'
WHERE watched.subscription_id IS DISTINCT FROM subscription.id OR watched.period_to_at <= %(at)s
    OR watched.external_subscription_id IN (SELECT external_subscription_id FROM arrived)
ORDER BY subscription.id
ON CONFLICT (subscription_id) DO UPDATE SET created_at = excluded.created_at
"""

_HOLD = """
INSERT INTO billing_alertcheck (uuid, created_at, subscription_id, error)
VALUES (gen_random_uuid(), %(at)s, %(subscription)s, '')
ON CONFLICT (subscription_id) DO UPDATE SET created_at = excluded.created_at
"""


@transaction.atomic
def look(*, at: datetime) -> int:
    """Note the subscriptions with alerts or a cap that are to be looked at since the last look; return how many.

    Which events these are is `event_cursors`'.
    """
    return event_cursors.advance(AlertCursor, statement=_ENQUEUE, at=at)


def hold(*, subscription: Subscription, at: datetime) -> None:
    """Keep a subscription's alerts and cap from being looked at until the transaction ends, and have it done then.

    Whoever changes them comes here first: so nobody looks at half a change, and no change is overlooked.
    """
    with connection.cursor() as statement:
        statement.execute(_HOLD, {"at": at, "subscription": subscription.pk})
    jobs.enqueue("billing.tasks.check_alerts")


def release(check: AlertCheck) -> None:
    """Say that a held subscription was looked at."""
    AlertCheck.objects.filter(pk=check.pk).delete()

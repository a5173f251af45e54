"""The periods that were billed before: which invoices billed what runs now, and what usage there was. Never writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

from billing.models import BilledPeriod, Subscription
from invoicing.models import Invoice

_MOST = 20

_PERIODS = """
SELECT p.id, s.customer_id, s.external_id, s.status = %(terminated)s, p.invoice_id, p.billing_date,
       p.charges_from_at < p.charges_to_at, coalesce(v.interval, ''), i.purchase_order_number
FROM billing_subscription s
CROSS JOIN LATERAL (
    SELECT b.id, b.billing_date, b.invoice_id, b.plan_version_id, b.charges_from_at, b.charges_to_at
    FROM billing_billedperiod b
    WHERE b.subscription_id = s.id AND b.released_at IS NULL AND b.reason <> ALL(%(without)s)
    ORDER BY b.billing_date DESC, b.id DESC
    LIMIT %(most)s
) p
LEFT JOIN catalog_planversion v ON v.id = p.plan_version_id
LEFT JOIN invoicing_invoice i ON i.id = p.invoice_id AND i.status <> %(voided)s
WHERE s.customer_id = ANY(%(customers)s)
ORDER BY p.billing_date DESC, p.id DESC"""

_USAGE = """
SELECT r.period_id, l.item_code, max(l.item_name), sum(l.units)
FROM billing_ratedcharge r JOIN invoicing_invoiceline l ON l.id = r.line_id
WHERE r.period_id = ANY(%s) AND r.charge_id IS NOT NULL AND r.released_at IS NULL AND r.true_up_of_id IS NULL
GROUP BY 1, 2"""


@dataclass(frozen=True, slots=True)
class BilledBefore:
    """A billed period of a subscription, by its external id. Without an invoice nothing was to be billed."""

    period_id: int
    customer_id: int
    external_id: str
    is_terminated: bool
    invoice_id: int | None
    billing_date: date
    has_usage_time: bool
    interval: str
    purchase_order_number: str


@dataclass(frozen=True, slots=True)
class UsageOfPeriod:
    """Units of a usage item, by its code and name, that a period billed."""

    item_code: str
    item_name: str
    units: Decimal


Chains = dict[tuple[int, str], list[BilledBefore]]
"""By customer and external id of the subscription, the last billed first."""


def of_customers(*, customer_ids: Collection[int]) -> Chains:
    """Return the last billed periods of all subscriptions of customers. One statement."""
    without = [*BilledPeriod.WITHIN, BilledPeriod.Reason.ELSEWHERE]
    with connection.cursor() as cursor:
        cursor.execute(
            _PERIODS,
            {
                "terminated": Subscription.Status.TERMINATED.value,
                "without": [reason.value for reason in without],
                "voided": Invoice.Status.VOIDED.value,
                "most": _MOST,
                "customers": list(customer_ids),
            },
        )
        rows = cursor.fetchall()
    found: Chains = defaultdict(list)
    for pk, customer_id, external_id, is_over, invoice_id, day, has_usage, interval, order in rows:
        one = BilledBefore(pk, customer_id, external_id, is_over, invoice_id, day, has_usage, interval, order or "")
        found[customer_id, external_id].append(one)
    return dict(found)


def usage(*, period_ids: Collection[int]) -> dict[int, list[UsageOfPeriod]]:
    """Return the usage that periods billed, by their ids. One statement."""
    found: dict[int, list[UsageOfPeriod]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, [list(period_ids)])
        for period_id, code, name, units in cursor.fetchall():
            found[period_id].append(UsageOfPeriod(code, name, units))
    return found

"""What was billed of times whose minimum commitment is settled. Owns its statement.

Every line of the subscription counts where most of its time lies: plan fee, usage (that is billed by event and stands
alone as well) and fixed charges. Late usage counts where it is billed, because its own time is settled already. Net
amounts count as they were billed: coupons, taxes and credit notes change nothing. What was voided, taken back, or
billed of a period before it is over, to be billed anew with it, does not count, and neither do commitments.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from decimal import Decimal

from django.db import connection

from billing.models import BilledPeriod
from config.kernel.dates import Period
from invoicing.models import Invoice, InvoiceLine

_BILLED = """
SELECT w.n, l.kind, sum(coalesce(l.tax_inclusive_amount, l.amount))
FROM unnest(%(numbers)s::int[], %(subscriptions)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
    AS w (n, subscription_id, start_at, end_at)
JOIN billing_ratedcharge AS r ON r.subscription_id = w.subscription_id AND r.released_at IS NULL
JOIN invoicing_invoiceline AS l ON l.id = r.line_id AND l.deleted_at IS NULL AND l.kind <> %(commitment)s
LEFT JOIN invoicing_invoice AS i ON i.id = l.invoice_id
LEFT JOIN billing_billedperiod AS p ON p.id = r.period_id
LEFT JOIN billing_lateusage AS u ON u.line_id = l.id
WHERE (i.id IS NULL OR i.status <> %(voided)s)
    AND (p.id IS NULL OR (p.reason <> %(progressive)s AND p.id <> ALL (%(without)s::bigint[])))
    AND CASE WHEN u.id IS NULL THEN r.from_at + (r.to_at - r.from_at) / 2 ELSE coalesce(i.billed_at, l.created_at) END
        >= w.start_at
    AND CASE WHEN u.id IS NULL THEN r.from_at + (r.to_at - r.from_at) / 2 ELSE coalesce(i.billed_at, l.created_at) END
        < w.end_at
GROUP BY w.n, l.kind"""


def billed(
    *, wanted: Mapping[Hashable, tuple[int, Period]], without_periods: Collection[int] = ()
) -> dict[Hashable, dict[str, Decimal]]:
    """Return what was billed of subscriptions in some times, by the kind of the lines, in major units. One query.

    ``wanted`` names them: subscription and time. What is billed under ``without_periods`` is left out: it is about to
    be computed anew.
    """
    found: dict[Hashable, dict[str, Decimal]] = {name: {} for name in wanted}
    if not wanted:
        return found
    names = list(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            _BILLED,
            {
                "numbers": list(range(len(names))),
                "subscriptions": [wanted[name][0] for name in names],
                "starts": [wanted[name][1].start for name in names],
                "ends": [wanted[name][1].end for name in names],
                "commitment": InvoiceLine.Kind.COMMITMENT.value,
                "voided": Invoice.Status.VOIDED.value,
                "progressive": BilledPeriod.Reason.PROGRESSIVE.value,
                "without": list(without_periods),
            },
        )
        for number, kind, amount in cursor.fetchall():
            found[names[number]][kind] = amount
    return found

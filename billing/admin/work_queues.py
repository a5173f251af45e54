"""The work queues of subscriptions, quotes and runs. Owns their names and words; what waits is
`billing.queries.work_queues`'.
"""

from __future__ import annotations

import functools

from billing.queries import work_queues
from config.kernel import queues
from config.kernel.queues import Queue

HORIZONS = ((-1, 30), (30, 60), (60, 90))
"""Contracts are talked about in steps of days before their end: after so many days, and within so many."""


def _renewals(after_days: int, days: int) -> Queue:
    span = f"in {days} days" if after_days < 0 else f"in {after_days + 1} to {days} days"
    return Queue(
        code=f"renewals_{days}",
        label=f"Contracts ending {span}",
        says="Active contracts whose term ends then: renew them, or let them renew by themselves.",
        icon="contract",
        model="billing.contract",
        permission="billing.view_contract",
        rows=functools.partial(work_queues.renewals, after_days=after_days, days=days),
        is_deadline=True,
    )


QUEUES = (
    Queue(
        code="not_billed",
        label="Customers not billed",
        says="What failed in the newest billing run, or was refused. The next one tries again what failed; rehearse "
        "anew what changed after a sign-off.",
        icon="error",
        model="billing.billingrun",
        permission="billing.view_billingrun",
        rows=work_queues.not_billed,
        is_target=True,
        anchor="failures",
        is_bad=True,
    ),
    Queue(
        code="sign_off",
        label="Rehearsals to sign off",
        says="Rehearsed billing runs that a second person has to agree to.",
        icon="preview",
        model="billing.rehearsal",
        permission="billing.view_rehearsal",
        rows=work_queues.to_sign_off,
    ),
    Queue(
        code="parked",
        label="Parked accounts",
        says="Customers whom no run bills until they are released.",
        icon="local_parking",
        model="billing.parkedaccount",
        permission="billing.view_parkedaccount",
        rows=work_queues.parked,
    ),
    Queue(
        code="late_usage",
        label="Late usage",
        says="Usage that came after its time was billed, with what it comes to net: bill, correct or waive it.",
        icon="history_toggle_off",
        model="billing.lateusage",
        permission="billing.view_lateusage",
        rows=work_queues.late_usage,
    ),
    Queue(
        code="quotes_to_approve",
        label="Quotes to approve",
        says="Quotes that need somebody's consent before they are sent, with their value over the term.",
        icon="rule",
        model="billing.quote",
        permission="billing.view_quote",
        rows=work_queues.quotes_to_approve,
    ),
    Queue(
        code="quotes_expiring",
        label="Quotes about to expire",
        says="Quotes that the customer has, did not answer, and that are valid for a week at most.",
        icon="hourglass_bottom",
        model="billing.quote",
        permission="billing.view_quote",
        rows=work_queues.quotes_expiring,
        is_deadline=True,
    ),
    Queue(
        code="failed_orders",
        label="Orders not carried out",
        says="Signed orders of which contract, subscriptions and invoice could not be made.",
        icon="assignment_late",
        model="billing.order",
        permission="billing.view_order",
        rows=work_queues.failed_orders,
        is_bad=True,
    ),
    *(_renewals(after, days) for after, days in HORIZONS),
)

queues.register(*QUEUES)

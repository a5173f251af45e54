"""The start of a subscription: from which instant it runs, its trial, and its first billing day. Owns these fields.

That a start is billed, and that it is written down, is its callers'.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from billing.domain import dues, states
from billing.domain.states import Verb
from billing.models import Subscription
from billing.queries import advance_events, contracts
from billing.queries import subscriptions as known
from config.kernel import jobs

FIELDS = (
    "status", "started_at", "anchor_date", "usage_from_at", "next_billing_date", "trial_ends_at", "trial_ended_at",
)  # fmt: skip
"""What a start sets."""

_MICROSECONDS = Decimal(24 * 60 * 60 * 1_000_000)


def begin(subscription: Subscription, *, started_at: datetime) -> None:
    """Make a waiting subscription run from an instant on; the caller saves FIELDS.

    Elapsed periods are billed only where the subscription says so; their usage is billable from ``usage_from_at`` on,
    nothing where that is the start. Events that are paid in advance and waited for it are billed after the commit.
    Raises InvalidTransition for one that is over.
    """
    bills_backdated = subscription.backdated_billing == Subscription.BackdatedBilling.BILL
    subscription.status = states.next(state=subscription.status, verb=Verb.ACTIVATE)
    subscription.started_at = started_at
    subscription.anchor_date = contracts.schedule_of(subscription).anchor
    _begin_trial(subscription, started_at, ends_without_a_bill=not bills_backdated)
    where = contracts.standing(subscription)
    subscription.next_billing_date = dues.first_billing_date(
        where.billing_schedule,
        started_at=started_at,
        created_at=subscription.created_at,
        bills_backdated=bills_backdated,
        bills_start=dues.bills_opening(where),
    )
    usage_from = dues.usage_starts(replace(where, next_billing_date=subscription.next_billing_date))
    subscription.usage_from_at = usage_from if usage_from > started_at else None
    if advance_events.waits_for_a_start(external_id=subscription.external_id):
        jobs.enqueue("billing.tasks.bill_advance_events", external_ids=[subscription.external_id])


def _begin_trial(subscription: Subscription, started_at: datetime, *, ends_without_a_bill: bool) -> None:
    """Set the trial: the plan's days, of 24 hours each, from the customer's first start under the external id.

    Another plan, or the same one again, does not begin it anew. A trial that had ended before the subscription was made
    can be taken as dealt with.
    """
    days = subscription.plan_version.trial_period
    if not days:
        return
    first = known.first_started_at(external_id=subscription.external_id, customer_id=subscription.customer_id)
    since = started_at if first is None else min(first, started_at)
    ends_at = since + timedelta(microseconds=int(days * _MICROSECONDS))
    if ends_at <= started_at:
        return
    subscription.trial_ends_at = ends_at
    if ends_without_a_bill and ends_at <= subscription.created_at:
        subscription.trial_ended_at = ends_at

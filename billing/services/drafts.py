"""Drafts in their grace period: computing them anew from the raw events, for whoever shows or issues them.

The draft's time stays what it was; prices are those of the subscription's plan version now, taxes those of the customer
now. Issuing is invoicing's, which asks for this first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from billing.domain.proration import Share
from billing.domain.standing import Due
from billing.models import BilledPeriod, RatedCharge
from billing.queries import contracts, late_usage_marks
from billing.services import adjusted_lines, billing_days, bills, progressive_credits, set_aside, waiting_lines
from billing.services.bills import Bill
from config.kernel.actors import Actor
from config.kernel.dates import Period
from invoicing.models import Invoice
from invoicing.services import invoices


@transaction.atomic
def recompute(*, invoice_ids: Collection[int], actor: Actor, at: datetime) -> int:
    """Replace what drafts charge by what their time comes to now: late events, prices and taxes. Their dates stay.

    Usage is read for all of them at once. Returns how many were computed; invoices that are no drafts, or that bill no
    subscription, are left alone. Idempotent. The caller holds the locks of the invoices. Raises what rating raises.
    """
    held = BilledPeriod.objects.filter(
        invoice_id__in=invoice_ids, invoice__status=Invoice.Status.DRAFT, released_at__isnull=True
    )
    periods = list(held.order_by("pk"))
    if not periods:
        return 0
    known = contracts.of_subscriptions(subscription_ids={period.subscription_id for period in periods})
    by_subscription = {contract.subscription_id: contract for contract in known}
    horizon = late_usage_marks.horizon()
    rated = bills.rate(
        wanted=[
            (replace(by_subscription[period.subscription_id], timezone=period.timezone), _due(period))
            for period in periods
        ],
        without_periods=[period.pk for period in periods],
    )
    set_aside.demand_billable(rated=rated)
    rated = adjusted_lines.applied(rated=rated, periods=periods)
    rated = progressive_credits.applied(rated=rated, without={period.invoice_id for period in periods})
    billed: dict[int, list[tuple[BilledPeriod, Bill]]] = defaultdict(list)
    for period, bill in zip(periods, rated, strict=True):
        billed[period.invoice_id].append((period, bill))
    RatedCharge.objects.filter(period__in=periods).delete()
    waiting_lines.detach(invoice_ids=list(billed), at=at)
    waiting = waiting_lines.of_drafts(invoice_ids=list(billed))
    drafted = []
    for invoice_id, pairs in billed.items():
        lines = [line for _, bill in pairs for line in bills.lines(bill=bill)]
        taken = waiting_lines.placed(waiting=waiting.get(invoice_id, waiting_lines.NOTHING), lines=lines)
        lines += taken.lines
        draft = invoices.recompute(
            invoice_id=invoice_id,
            lines=lines,
            actor=actor,
            at=at,
            progressive=bills.progressive_credits(members=[bill for _, bill in pairs]),
        )
        waiting_lines.record(drafted=[(draft, taken)], at=at)
        drafted.append((draft, pairs))
    billing_days.record_charges(drafted=drafted, at=at)
    for period, bill in zip(periods, rated, strict=True):
        period.plan_version_id, period.usage_horizon = bill.contract.plan_version_id, horizon
    BilledPeriod.objects.bulk_update(periods, ["plan_version", "usage_horizon"])
    return len(drafted)


def _due(period: BilledPeriod) -> Due:
    return Due(
        billing_date=period.billing_date,
        due_at=period.to_at,
        fee=Period(period.from_at, period.to_at),
        charges=Period(period.charges_from_at, period.charges_to_at),
        share=Share(period.days, period.of_days),
        is_last=period.reason == BilledPeriod.Reason.TERMINATING,
        is_first=period.reason == BilledPeriod.Reason.STARTING,
        bills_fee=period.bills_fee,
        fixed=contracts.fixed_times(period),
        commitment=contracts.committed_time(period),
    )

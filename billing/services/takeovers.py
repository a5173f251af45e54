"""Contracts that were billed by another system until now. Owns from which day on a running subscription is billed here,
and the record of the time before it: nothing that was billed elsewhere is billed again.

What was billed elsewhere is a billed period without an invoice, so that the same constraints keep it from being billed
twice. Making the subscription is `subscriptions`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from billing.domain import due_dates, periods, proration
from billing.domain.standing import Standing
from billing.models import BilledPeriod, Subscription
from billing.queries import contracts, usage_thresholds
from billing.services import subscriptions
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.kernel.dates import Period
from config.platform.services import audit


class Since(StrEnum):
    """From when on a subscription that is moved here is billed here.

    NEXT: the running period is the other system's as a whole. RUNNING: the running period is billed here when it ends,
    but for what was paid in advance for it.
    """

    NEXT = "next"
    RUNNING = "running"


class CannotTakeOver(errors.Invalid):
    """The running period cannot be billed here without billing something of it twice."""


@dataclass(frozen=True)
class _Settled:
    """The time that another system billed or bills; nothing stands for none."""

    usage_from: datetime
    fee: Period | None = None
    usage: Period | None = None
    fixed_arrears: Period | None = None
    fixed_advance: Period | None = None
    commitment: Period | None = None


@transaction.atomic
def take_over(*, subscription_id: int, since: Since, actor: Actor, at: datetime) -> Subscription:
    """Decide from when on a running subscription is billed here, and write down what is billed elsewhere.

    For one that was just made here and of which nothing is billed yet; days are local to the customer, ``at`` says in
    which period it is. With NEXT billing starts with the period that begins after this one. Where months are billed
    inside a longer interval, that is the next month if all of the interval is paid in advance, else the next interval.
    With RUNNING the usage of the running period and a fee in arrears are billed here, as a whole, when it is over.
    Raises CannotTakeOver with RUNNING where parts of the running period were billed event by event or at a usage
    threshold, and for one that has billed time already; SubscriptionNotFound.
    """
    subscription = subscriptions.locked(subscription_id)
    if subscription.status != Subscription.Status.ACTIVE:
        raise CannotTakeOver("not_active", "Only a subscription that runs has a period that was billed elsewhere.")
    if BilledPeriod.objects.filter(subscription=subscription).exists():
        raise CannotTakeOver("already_billed", "Something of this subscription is billed here already.")
    if since is Since.RUNNING:
        _demand_nothing_within(subscription)
    where = contracts.standing(subscription)
    settled = _until_the_next(where, subscription, at) if since is Since.NEXT else _in_advance(where, subscription, at)
    day = dates.local_date(at, where.schedule.timezone)
    subscription.next_billing_date = due_dates.next_billing_date(where.billing_schedule, after=day)
    subscription.usage_from_at = settled.usage_from if settled.usage_from > where.started_at else None
    subscription.created_at = subscription.updated_at = at
    subscription.save(update_fields=["next_billing_date", "usage_from_at", "created_at", "updated_at"])
    row = _row(subscription, where, settled, at)
    if row is not None:
        row.save(force_insert=True)
    new = {
        "since": str(since),
        "billed here from": settled.usage_from,
        "next billing day": subscription.next_billing_date,
    }
    audit.record(actor=actor, at=at, verb="take over", instance=subscription, new=new)
    return subscription


def _demand_nothing_within(subscription: Subscription) -> None:
    if subscription.plan_version.charges.filter(pay_in_advance=True).exists():
        raise CannotTakeOver(
            "usage_was_paid_in_advance",
            "Usage of the running period was billed event by event elsewhere: it is taken over with the next period.",
        )
    if usage_thresholds.applicable(subscription) and not subscription.progressive_billing_disabled:
        raise CannotTakeOver(
            "usage_was_billed_at_thresholds",
            "Usage of the running period may have been billed at a threshold elsewhere: it is taken over with the next "
            "period.",
        )


def _until_the_next(where: Standing, subscription: Subscription, at: datetime) -> _Settled:
    interval = periods.period_at(where.schedule, at).period
    usage = periods.period_at(where.usage_schedule, at).period
    fixed = periods.period_at(where.fixed_schedule, at).period
    usage_ends = usage.end if _is_paid_ahead(where, subscription) else interval.end
    return _Settled(
        usage_from=usage_ends,
        fee=interval,
        usage=Period(usage.start, usage_ends),
        fixed_arrears=Period(fixed.start, interval.end),
        fixed_advance=fixed if usage_ends < interval.end else Period(fixed.start, interval.end),
        commitment=interval,
    )


def _is_paid_ahead(where: Standing, subscription: Subscription) -> bool:
    """Say whether nothing of the whole interval is left to be billed at its end."""
    has_minimum = getattr(subscription.plan_version, "minimum_commitment", None) is not None
    whole_arrears = where.has_fixed_arrears and not where.fixed_charges_monthly
    return where.pays_in_advance and where.charges_monthly and not whole_arrears and not has_minimum


def _in_advance(where: Standing, subscription: Subscription, at: datetime) -> _Settled:
    usage_from = periods.period_at(where.usage_schedule, at).period.start
    interval = periods.period_at(where.schedule, at).period if where.pays_in_advance else None
    fixed = periods.period_at(where.fixed_schedule, at).period if where.has_fixed_advance else None
    return _Settled(usage_from=usage_from, fee=interval, fixed_advance=fixed, commitment=interval)


def _row(subscription: Subscription, where: Standing, settled: _Settled, at: datetime) -> BilledPeriod | None:
    if settled.fee is None and settled.usage is None and settled.fixed_advance is None:
        return None
    around = settled.fee or periods.period_at(where.schedule, at).period
    usage = settled.usage or Period(settled.usage_from, settled.usage_from)
    share = None if settled.commitment is None else proration.covered(where.schedule, settled.commitment)
    return BilledPeriod(
        created_at=at,
        subscription=subscription,
        reason=BilledPeriod.Reason.ELSEWHERE,
        timezone=where.schedule.timezone.key,
        billing_date=dates.local_date(around.start, where.schedule.timezone),
        from_at=around.start,
        to_at=around.end,
        bills_fee=settled.fee is not None,
        charges_from_at=usage.start,
        charges_to_at=usage.end,
        **_span("fixed_charges", settled.fixed_arrears if where.has_fixed_arrears else None),
        **_span("fixed_advance", settled.fixed_advance if where.has_fixed_advance else None),
        **_span("commitment", settled.commitment),
        commitment_days=None if share is None else share.days,
        commitment_of_days=None if share is None else share.of_days,
        days=0,
        of_days=_days(where, around),
        plan_version_id=subscription.plan_version_id,
        late_checked=True,
    )


def _span(name: str, time: Period | None) -> dict[str, datetime]:
    return {} if time is None else {f"{name}_from_at": time.start, f"{name}_to_at": time.end}


def _days(where: Standing, time: Period) -> int:
    zone = where.schedule.timezone
    return dates.days_between(dates.local_date(time.start, zone), dates.local_date(time.end, zone))

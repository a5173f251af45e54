"""What people and jobs did with two subscriptions within the last full month: a pause, and bills at usage thresholds.

The API acts now, as everybody does, so these days are played through the services behind it, each at its own instant,
in one transaction for each subscription: the scheduler finds it as it stood at the end of the month, and bills that.
Their usage must be there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from billing.domain.pauses import PauseFee
from billing.models import Subscription
from billing.services import pauses, progressive_billing, subscriptions
from billing.services.subscriptions import NewSubscription
from config.demo import builds
from config.demo.builds import Holder
from config.demo.buyers import Buyer
from config.kernel import actors

_ACTOR = actors.Actor(kind="system", label="sample company")
_PAUSED_ON, _RESUMED_ON = 10, 20
_A_LOOK_LATER = timedelta(minutes=1)


def play(people: Sequence[Buyer], *, month: date) -> None:
    """Play both in the last full month, unless they are there. Raises what the services raise."""
    _pass_thresholds(people, month)
    _pause_and_resume(people, month)


@transaction.atomic
def _pass_thresholds(people: Sequence[Buyer], month: date) -> None:
    """Look at the usage after each build, as the job does every minute."""
    holder = builds.PASSES_THRESHOLDS
    if _is_there(people, holder):
        return
    made = _begin(people, holder, month)
    for day, _ in holder.minutes:
        at = builds.noon(month, day) + _A_LOOK_LATER
        progressive_billing.bill(customer_id=made.customer_id, external_id=made.external_id, as_of=at)


@transaction.atomic
def _pause_and_resume(people: Sequence[Buyer], month: date) -> None:
    """Pause on one day and resume on another: what is built in between is not billed."""
    holder = builds.WAS_PAUSED
    if _is_there(people, holder):
        return
    made = _begin(people, holder, month)
    waiting = pauses.pause(
        subscription_id=made.pk,
        fee=PauseFee.PRORATED,
        reason="The team moves offices.",
        actor=_ACTOR,
        at=_office_hours(month, _PAUSED_ON),
    )
    pauses.resume(subscription_id=waiting.pk, actor=_ACTOR, at=_office_hours(month, _RESUMED_ON))


def _begin(people: Sequence[Buyer], holder: Holder, month: date) -> Subscription:
    buyer = people[holder.rank]
    new = NewSubscription(
        external_customer_id=buyer.external_id,
        plan_code=holder.plan,
        external_id=holder.external_id(people),
        name=builds.NAME,
        consolidate_invoice=False,
    )
    return subscriptions.create(new=new, actor=_ACTOR, at=buyer.seller.start_of(month))


def _is_there(people: Sequence[Buyer], holder: Holder) -> bool:
    return Subscription.objects.filter(external_id=holder.external_id(people)).exists()


def _office_hours(month: date, day: int) -> datetime:
    return builds.noon(month, day) - timedelta(hours=2)

"""Which subscriptions are due, and where they stand, as plain values. Owns reading them for many customers at once.

Which of their time is due is decided by `billing.domain.dues`; nothing here is locked or changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet
from django.db.models.functions import Coalesce

from billing.domain import due_dates, periods
from billing.domain.periods import Schedule
from billing.domain.proration import Share
from billing.domain.standing import Billed, CommittedTime, FixedTimes, Standing
from billing.models import BilledPeriod, Subscription
from billing.queries import parked_accounts
from config.kernel import dates, statements
from config.kernel.dates import Period

_EASTERNMOST = timedelta(hours=14)
# What ended this long before the time that is due can still be its neighbour, when the time zone was changed since.
_NEIGHBOUR = timedelta(days=3)

# Asked with every request for current usage, so it is a text that the server plans once.
_CHARGES_BILLED_UNTIL = """
SELECT max(charges_to_at) FROM billing_billedperiod
WHERE subscription_id = %(subscription)s AND released_at IS NULL AND charges_to_at > charges_from_at
    AND reason <> ALL(%(within)s)"""


@dataclass(frozen=True, slots=True)
class Contract:
    """A subscription that has something to bill, with all that grouping and rating need of it and of its customer.

    ``next_plan_version_id`` is the plan that followed by an upgrade. Different purchase order numbers never share an
    invoice; one that does not share invoices has its own.
    """

    subscription_id: int
    uuid: str
    external_id: str
    name: str
    customer_id: int
    billing_entity_id: int
    grace_days: int
    timezone: str
    plan_version_id: int
    next_billing_date: date
    standing: Standing
    next_plan_version_id: int | None = None
    purchase_order_number: str = ""
    shares_invoices: bool = True
    custom_section_ids: tuple[int, ...] | None = None

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone that its days are counted in."""
        return self.standing.schedule.timezone


def due_customers(
    *,
    as_of: datetime,
    customer_ids: Collection[int] | None = None,
    after: int = 0,
    with_parked: bool = False,
    page: int = 1000,
) -> Iterator[int]:
    """Yield the ids of customers with a subscription whose next billing day, or change of plan, has come, by their ids.

    Days are local to each customer. Accounts that are parked are left out unless asked for ``with_parked``; only ids
    ``after`` one count. Reads page by page, so that memory does not grow with the number of customers.
    """
    wanted = _due(as_of) | _changing(as_of)
    wanted = wanted if with_parked else wanted.filter(~parked_accounts.is_parked())
    wanted = wanted if customer_ids is None else wanted.filter(customer_id__in=customer_ids)
    customers = (
        wanted.values_list("customer_id", "customer__timezone", "customer__billing_entity__timezone")
        .annotate(day=Min(Coalesce("next_billing_date", "change_date")))
        .order_by("customer_id")
    )
    while rows := list(customers.filter(customer_id__gt=after)[:page]):
        for customer_id, own, sellers, day in rows:
            if day <= dates.local_date(as_of, dates.zone(own or sellers)):
                yield customer_id
        after = rows[-1][0]


def of_customers(*, customer_ids: Collection[int], as_of: datetime) -> list[Contract]:
    """Return the due subscriptions of these customers, by customer and then oldest first."""
    found = _due(as_of).filter(customer_id__in=customer_ids)
    return [contract for contract in _contracts(found) if _is_due(contract, as_of)]


def next_days(*, customer_ids: Collection[int], as_of: datetime) -> dict[tuple[int, str], date]:
    """Return the billing days that have come of running subscriptions, by customer and external id. One query."""
    rows = _due(as_of).filter(customer_id__in=customer_ids, status=Subscription.Status.ACTIVE)
    found: dict[tuple[int, str], date] = {}
    for customer_id, external_id, day, own, sellers in rows.values_list(
        "customer_id", "external_id", "next_billing_date", "customer__timezone", "customer__billing_entity__timezone"
    ):
        if day <= dates.local_date(as_of, dates.zone(own or sellers)):
            found[customer_id, external_id] = day
    return found


def of_subscriptions(*, subscription_ids: Collection[int]) -> list[Contract]:
    """Return started subscriptions, whatever is due of them."""
    return _contracts(Subscription.objects.filter(pk__in=subscription_ids, started_at__isnull=False))


def billed(*, contracts: Iterable[Contract]) -> dict[int, list[Billed]]:
    """Return by subscription what invoices cover of the time that may be due, voided drafts included. One query."""
    wanted = list(contracts)
    if not wanted:
        return {}
    since = min(_start_of_due(contract) for contract in wanted) - _NEIGHBOUR
    rows = BilledPeriod.objects.filter(
        subscription_id__in=[contract.subscription_id for contract in wanted], to_at__gt=since
    ).exclude(reason__in=BilledPeriod.WITHIN)
    found: dict[int, list[Billed]] = defaultdict(list)
    for row in rows:
        found[row.subscription_id].append(
            Billed(
                billing_date=row.billing_date,
                fee=Period(row.from_at, row.to_at),
                charges=Period(row.charges_from_at, row.charges_to_at),
                is_released=row.released_at is not None,
                bills_fee=row.bills_fee,
                fixed=fixed_times(row),
                commitment=_time(row.commitment_from_at, row.commitment_to_at),
            )
        )
    return found


def fixed_times(period: BilledPeriod) -> FixedTimes:
    """Return the time of fixed charges that a billed period covers."""
    return FixedTimes(
        arrears=_time(period.fixed_charges_from_at, period.fixed_charges_to_at),
        advance=_time(period.fixed_advance_from_at, period.fixed_advance_to_at),
    )


def committed_time(period: BilledPeriod) -> CommittedTime | None:
    """Return the time whose minimum commitment a billed period settles, with its days."""
    time = _time(period.commitment_from_at, period.commitment_to_at)
    if time is None or period.commitment_days is None or period.commitment_of_days is None:
        return None
    return CommittedTime(time, Share(period.commitment_days, period.commitment_of_days))


def charges_billed_until(subscription: Subscription) -> datetime | None:
    """Return the end of the usage that invoices cover of a subscription, voided drafts left out; nothing before any."""
    ((end,),) = statements.fetch_prepared(
        _CHARGES_BILLED_UNTIL,
        {"subscription": subscription.pk, "within": [reason.value for reason in BilledPeriod.WITHIN]},
    )
    found: datetime | None = end
    return found


def standing(subscription: Subscription, *, in_advance: Collection[bool] | None = None) -> Standing:
    """Return where a started subscription stands.

    Reads its plan version with the fixed charges, and its customer with the billing entity. ``in_advance`` says whether
    the fixed charges are paid in advance, where that is known: they are not read then.
    """
    zone = dates.zone(subscription.customer.applicable_timezone)
    schedule = schedule_of(subscription)
    if in_advance is None:
        in_advance = {charge.pay_in_advance for charge in subscription.plan_version.fixed_charges.all()}
    started_at = subscription.started_at or subscription.subscription_at
    is_terminated = subscription.status == Subscription.Status.TERMINATED
    return Standing(
        schedule=schedule,
        started_at=started_at,
        next_billing_date=subscription.next_billing_date or dates.local_date(started_at, zone),
        ends_at=subscription.terminated_at if is_terminated else subscription.ending_at,
        is_terminated=is_terminated,
        bills_end=bool(subscription.ended_by)
        or subscription.on_termination_invoice == Subscription.OnTermination.GENERATE,
        pays_in_advance=subscription.plan_version.pay_in_advance,
        charges_monthly=subscription.plan_version.bill_charges_monthly,
        fixed_charges_monthly=subscription.plan_version.bill_fixed_charges_monthly,
        has_fixed_arrears=False in in_advance,
        has_fixed_advance=True in in_advance,
        trial_ends_at=subscription.trial_ends_at,
        trial_is_over=subscription.trial_ended_at is not None,
        is_replaced=bool(subscription.ended_by),
        is_upgraded=subscription.ended_by == Subscription.EndedBy.UPGRADE,
        is_paused=subscription.ended_by == Subscription.EndedBy.PAUSE,
        pauses_whole=subscription.ended_by == Subscription.EndedBy.PAUSE
        and subscription.pause_fee == Subscription.PauseFee.WHOLE,
        paused_at=subscription.paused_at,
        fee_from=subscription.fee_from,
        usage_from=subscription.usage_from_at,
        commits_from=_commits_from(subscription, schedule, dates.local_date(started_at, zone)),
    )


def schedule_of(subscription: Subscription) -> Schedule:
    """Return the schedule of a subscription's periods, in its customer's time zone."""
    return periods.schedule(
        interval=subscription.plan_version.interval,
        billing_time=subscription.billing_time,
        subscription_at=subscription.subscription_at,
        timezone=dates.zone(subscription.customer.applicable_timezone),
        anchor=subscription.anchor_date,
    )


def running_period(subscription: Subscription, *, at: datetime) -> Period | None:
    """Return the natural period that an active subscription is in, from its start on; nothing for one that is not."""
    if subscription.status != Subscription.Status.ACTIVE or subscription.started_at is None:
        return None
    natural = periods.period_at(schedule_of(subscription), max(at, subscription.started_at)).period
    return Period(max(natural.start, subscription.started_at), natural.end)


def _commits_from(subscription: Subscription, schedule: Schedule, first_day: date) -> date | None:
    """Return from when on a minimum goes with intervals, where that is not the start: nobody billed the fee in advance
    of the interval that was running when a backdated contract was made.
    """
    if not subscription.plan_version.pay_in_advance:
        return None
    if subscription.backdated_billing == Subscription.BackdatedBilling.BILL:
        return None
    made_on = dates.local_date(subscription.created_at, schedule.timezone)
    if first_day >= made_on:
        return None
    return due_dates.next_billing_date(schedule, after=made_on - timedelta(days=1))


def _time(start: datetime | None, end: datetime | None) -> Period | None:
    return None if start is None or end is None else Period(start, end)


def _due(as_of: datetime) -> QuerySet[Subscription]:
    """Subscriptions whose day may have come somewhere on earth."""
    latest = dates.local_date(as_of + _EASTERNMOST, ZoneInfo("UTC"))
    return Subscription.objects.filter(
        status__in=[Subscription.Status.ACTIVE, Subscription.Status.TERMINATED], next_billing_date__lte=latest
    )


def _changing(as_of: datetime) -> QuerySet[Subscription]:
    """Changes of plan whose day may have come somewhere on earth: on a chosen day nothing else may be due."""
    latest = dates.local_date(as_of + _EASTERNMOST, ZoneInfo("UTC"))
    return Subscription.objects.filter(
        status=Subscription.Status.PENDING, previous__isnull=False, change_date__lte=latest
    )


def _start_of_due(contract: Contract) -> datetime:
    schedule = contract.standing.schedule
    number = periods.number_on(schedule, contract.next_billing_date)
    start = periods.nth_period(schedule, number - 1).period.start
    where = contract.standing
    if where.trial_ends_at is None or where.trial_is_over:
        return start
    return min(start, periods.period_at(schedule, where.trial_ends_at).period.start)


def _is_due(contract: Contract, as_of: datetime) -> bool:
    return contract.next_billing_date <= dates.local_date(as_of, contract.zone)


def _contracts(found: QuerySet[Subscription]) -> list[Contract]:
    rows = found.select_related("customer__billing_entity", "billing_entity", "plan_version")
    rows = rows.order_by("customer_id", "started_at", "id")
    rows = rows.prefetch_related("plan_version__fixed_charges")
    found_rows = list(rows)
    upgraded = [row.pk for row in found_rows if row.ended_by == Subscription.EndedBy.UPGRADE]
    following = (
        dict(
            Subscription.objects.filter(previous_id__in=upgraded)
            .exclude(status=Subscription.Status.CANCELED)
            .values_list("previous_id", "plan_version_id")
        )
        if upgraded
        else {}
    )
    return [_contract(row, following.get(row.pk)) for row in found_rows]


def _contract(row: Subscription, next_plan_version_id: int | None) -> Contract:
    where = standing(row)
    own_grace = row.customer.invoice_grace_period
    return Contract(
        subscription_id=row.pk,
        uuid=str(row.uuid),
        external_id=row.external_id,
        name=row.name,
        customer_id=row.customer_id,
        billing_entity_id=row.seller_id,
        grace_days=row.seller.invoice_grace_period if own_grace is None else own_grace,
        timezone=row.customer.applicable_timezone,
        plan_version_id=row.plan_version_id,
        next_billing_date=where.next_billing_date,
        standing=where,
        next_plan_version_id=next_plan_version_id,
        purchase_order_number=row.purchase_order_number,
        shares_invoices=row.consolidate_invoice,
        custom_section_ids=None if row.custom_section_ids is None else tuple(row.custom_section_ids),
    )

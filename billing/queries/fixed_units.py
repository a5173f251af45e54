"""The units of fixed charges that subscriptions have, read for many of them at once, and what of them is billed.

What counts when is decided by `billing.domain.fixed_units`.
"""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from billing.domain import fixed_charges
from billing.domain import fixed_units as rules
from billing.domain.fixed_charges import PaidBefore
from billing.domain.fixed_units import UnitsWritten
from billing.domain.held_time import HeldTime
from billing.models import FixedChargeUnits, RatedCharge, Subscription
from catalog.domain.pricing import values
from catalog.models import FixedCharge
from config.kernel import money
from config.kernel.dates import Period

# What ends this close to the end of a period belongs to it, also where the time zone was changed in between.
_LARGEST_SHIFT = timedelta(hours=26)

History = Mapping[str, Sequence[UnitsWritten]]
"""The numbers of a subscription by the key of the fixed charge, in the order of writing."""


def histories(*, subscription_ids: Collection[int]) -> dict[int, History]:
    """Return what is written of the units of subscriptions, by subscription and fixed charge. One query."""
    found: dict[int, dict[str, list[UnitsWritten]]] = defaultdict(lambda: defaultdict(list))
    if not subscription_ids:
        return {}
    rows = FixedChargeUnits.objects.filter(subscription_id__in=subscription_ids).order_by("created_at", "id")
    for row in rows:
        found[row.subscription_id][str(row.fixed_charge_key)].append(
            UnitsWritten(row.units, row.effective_at, at_once=row.bills_at_once)
        )
    return {subscription_id: dict(history) for subscription_id, history in found.items()}


def numbers(*, subscription: Subscription, at: datetime) -> dict[str, Decimal]:
    """Return the units that a subscription has at an instant, by fixed charge, where they are written. One query."""
    history = histories(subscription_ids=[subscription.pk]).get(subscription.pk, {})
    moment = at if subscription.started_at is None else max(at, subscription.started_at)
    if subscription.status == Subscription.Status.PENDING:
        moment = max(at, subscription.subscription_at)
    return {key: rules.at(written, moment) for key, written in history.items()}


def overridden(*, subscription_ids: Collection[int]) -> set[tuple[int, str]]:
    """Return of which fixed charges subscriptions agreed on a number of their own. One query."""
    rows = FixedChargeUnits.objects.filter(subscription_id__in=subscription_ids, is_override=True)
    return {(row[0], str(row[1])) for row in rows.values_list("subscription_id", "fixed_charge_key").distinct()}


def billed(*, subscription_id: int, fixed_charge_key: str, ends_at: datetime) -> Decimal:
    """Return the units of a fixed charge paid in advance that are billed of the period that ends then.

    A part of it before a pause counts too.
    """
    own = Subscription.objects.filter(pk=subscription_id)
    paused = Subscription.objects.filter(
        ended_by=Subscription.EndedBy.PAUSE,
        external_id__in=own.values("external_id"),
        customer_id__in=own.values("customer_id"),
    )
    rows = RatedCharge.objects.filter(
        Q(subscription_id=subscription_id) | Q(subscription__in=paused),
        fixed_charge__key=fixed_charge_key,
        released_at__isnull=True,
        to_at__gt=ends_at - _LARGEST_SHIFT,
        to_at__lt=ends_at + _LARGEST_SHIFT,
    )
    total: Decimal | None = rows.aggregate(units=Sum("line__units"))["units"]
    return values.ZERO if total is None else total


def paid_before(*, wanted: Mapping[int, HeldTime]) -> dict[tuple[int, int, str], tuple[PaidBefore, ...]]:
    """Return what was paid in advance, before an upgrade, for the days of the first period after it.

    ``wanted`` has the first periods by subscription; the answer is by subscription, add-on and currency. Amounts are
    those of the lines and of what was taken off them, in major units. Two queries.
    """
    upgraded = Subscription.objects.filter(
        pk__in=wanted, previous__ended_by=Subscription.EndedBy.UPGRADE, started_at__isnull=False
    )
    followers = dict(upgraded.values_list("previous_id", "pk"))
    if not followers:
        return {}
    rows = RatedCharge.objects.filter(
        subscription_id__in=followers, fixed_charge__pay_in_advance=True, released_at__isnull=True
    ).select_related("fixed_charge", "line")
    found: dict[tuple[int, int, str], tuple[PaidBefore, ...]] = defaultdict(tuple)
    for row in rows.order_by("pk"):
        if row.fixed_charge is None:
            continue
        follower = followers[row.subscription_id]
        time = wanted[follower]
        if row.to_at <= time.billed.start:
            continue
        days = Period(row.from_at, row.to_at).days(time.timezone)
        left = (time.last_day - time.first_day).days + 1
        currency = row.line.currency
        # After two upgrades in one period the plan in between was paid by the first one, in part or whole.
        carried = fixed_charges.taken_off(row.trace["inputs"], currency=currency)
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            amount = money.quantize(row.line.agreed_amount.amount + carried, currency=currency)
        found[follower, row.fixed_charge.add_on_id, currency] += (PaidBefore(amount, days, left),)
    return dict(found)


def unbilled(*, subscription_ids: Collection[int] | None = None) -> QuerySet[FixedChargeUnits]:
    """Return the numbers that are to be billed at once and were not, in the order of writing.

    One of a fixed charge that the plan has no more is not billed.
    """
    made = RatedCharge.objects.filter(fixed_units=OuterRef("pk"))
    sold = FixedCharge.objects.filter(
        plan_version=OuterRef("subscription__plan_version"), key=OuterRef("fixed_charge_key")
    )
    rows = FixedChargeUnits.objects.filter(~Exists(made), Exists(sold), bills_at_once=True)
    if subscription_ids is not None:
        rows = rows.filter(subscription_id__in=subscription_ids)
    return rows.order_by("created_at", "id")

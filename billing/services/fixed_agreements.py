"""How many units of fixed charges subscriptions have: written down at the start, by agreement, and when the plan's
number changes. Owns these rows, which are only ever added; billing what a change adds is `fixed_changes`'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing.domain import fixed_dues
from billing.domain import fixed_units as rules
from billing.domain.fixed_units import UnitsWritten
from billing.models import FixedChargeUnits, Subscription
from billing.queries import contracts
from billing.queries import fixed_units as known
from catalog.domain.facts import FixedUnitsChanged
from catalog.models import FixedCharge, PlanVersion
from config.kernel import errors, jobs, money

_BATCH = 1000
_PLACES = 15
MAX_UNITS = 10**15
Status = Subscription.Status


class InvalidUnits(errors.Invalid):
    """The number of units is none that can be agreed on."""


def check(units: Decimal) -> None:
    """Refuse a number of units below nothing, too large or too fine. Raises InvalidUnits (`units`)."""
    if not 0 <= units < MAX_UNITS or money.round_half_up(units, _PLACES) != units:
        raise InvalidUnits(
            "validation_errors", "The units are a decimal of zero or more.", {"units": ["value_is_out_of_range"]}
        )


def agree(*, subscription: Subscription, units: Mapping[str, Decimal], at: datetime) -> None:
    """Write the numbers that a new subscription agreed on, by the ids of the plan's fixed charges.

    The caller has saved the subscription and bills it afterwards. Raises NotFound (`fixed_charge_not_found`) for an id
    that the plan does not have, InvalidUnits.
    """
    found = {str(charge.key): charge for charge in subscription.plan_version.fixed_charges.all()}
    rows = []
    for key, number in units.items():
        if key not in found:
            raise errors.NotFound("fixed_charge_not_found", f"The plan has no fixed charge {key}.")
        check(number)
        rows.append(_row(subscription, key, number, subscription.subscription_at, at, is_override=True))
    FixedChargeUnits.objects.bulk_create(rows)


def begin(*, subscription: Subscription, at: datetime) -> None:
    """Write the units with which a subscription starts, just started and saved: those it agreed on, else the plan's."""
    if subscription.started_at is None:
        return
    charges = list(subscription.plan_version.fixed_charges.all())
    if not charges:
        return
    history = known.histories(subscription_ids=[subscription.pk]).get(subscription.pk, {})
    own = known.overridden(subscription_ids=[subscription.pk])
    rows = []
    for charge in charges:
        key, units = str(charge.key), charge.units
        is_override = (subscription.pk, key) in own
        if is_override:
            units = history[key][-1].units
        rows.append(_row(subscription, key, units, subscription.started_at, at, is_override=is_override))
    FixedChargeUnits.objects.bulk_create(rows)


def write(
    *, subscription: Subscription, charge: FixedCharge, units: Decimal, immediately: bool, at: datetime
) -> FixedChargeUnits | None:
    """Write a number that an active or waiting subscription agreed on for itself, whatever its plan says later.

    It counts from now on, or from its next period on. Returns nothing where that is its number already. The caller
    holds the lock.
    """
    key = str(charge.key)
    history = known.histories(subscription_ids=[subscription.pk]).get(subscription.pk, {}).get(key, ())
    own = (subscription.pk, key) in known.overridden(subscription_ids=[subscription.pk])
    effective_at = _effective_at(subscription, immediately=immediately, at=at)
    # A subscription that was made before it had a history has the plan's number.
    written = history or (UnitsWritten(charge.units, subscription.started_at or subscription.subscription_at),)
    is_same = rules.is_known(written, units=units, moment=effective_at)
    if is_same and own:
        return None
    row = _row(subscription, key, units, effective_at, at, is_override=True)
    row.bills_at_once = not is_same and immediately and charge.pay_in_advance and subscription.status == Status.ACTIVE
    if not history and subscription.started_at is not None:
        _row(subscription, key, charge.units, subscription.started_at, at, is_override=False).save(force_insert=True)
    row.save(force_insert=True)
    return row


@transaction.atomic
def follow_plan(*, version_id: int, changes: Collection[FixedUnitsChanged]) -> int:
    """Give the active subscriptions of a plan version the plan's new numbers of units, now or with their next period.

    Those that agreed on a number of their own keep it. What is paid in advance and changes now is billed by a task,
    once the transaction is committed. Returns how many numbers were written.
    """
    if not changes:
        return 0
    version = PlanVersion.objects.get(pk=version_id)
    charges = {charge.key: charge for charge in version.fixed_charges.all()}
    of_version = Q(plan_version=version) | Q(plan_version__base=version)
    rows = Subscription.objects.filter(of_version, status__in=[Status.ACTIVE, Status.INCOMPLETE]).order_by("pk")
    related = rows.select_related("customer__billing_entity", "plan_version")
    written = 0
    bills = False
    batch: list[Subscription] = []
    for found in related.prefetch_related("plan_version__fixed_charges").iterator(chunk_size=_BATCH):
        batch.append(found)
        if len(batch) == _BATCH:
            count, at_once = _follow(batch, charges, changes, version.created_at)
            written, bills, batch = written + count, bills or at_once, []
    count, at_once = _follow(batch, charges, changes, version.created_at)
    if bills or at_once:
        jobs.enqueue("billing.tasks.bill_fixed_charges")
    return written + count


def follow_versions(*, moved: Sequence[tuple[Subscription, PlanVersion]], at: datetime, anew: bool = False) -> None:
    """Give subscriptions that were moved to other versions their numbers of units, from the next period of each on.

    Each comes with the version that it had before. With ``anew`` the numbers count as if they had been there from the
    start. Numbers that were agreed on for a subscription itself stay. The caller has saved them and holds the locks;
    those that have not begun are left to `begin`. The number of queries is that of the pairs of versions.
    """
    pairs: dict[tuple[int, int], list[Subscription]] = defaultdict(list)
    versions: dict[int, PlanVersion] = {}
    for subscription, before in moved:
        if subscription.status == Status.ACTIVE:
            pairs[before.pk, subscription.plan_version_id].append(subscription)
            versions |= {before.pk: before, subscription.plan_version_id: subscription.plan_version}
    for (before_id, after_id), batch in pairs.items():
        old = {charge.key: charge.units for charge in versions[before_id].fixed_charges.all()}
        charges = {charge.key: charge for charge in versions[after_id].fixed_charges.all()}
        changes = [
            FixedUnitsChanged(key=key, units=charge.units, immediately=False, previous=old.get(key))
            for key, charge in charges.items()
            if old.get(key) != charge.units
        ]
        if changes:
            _follow(batch, charges, changes, at, anew=anew)


def _follow(
    batch: Collection[Subscription],
    charges: Mapping[UUID, FixedCharge],
    changes: Collection[FixedUnitsChanged],
    at: datetime,
    *,
    anew: bool = False,
) -> tuple[int, bool]:
    own = known.overridden(subscription_ids=[found.pk for found in batch])
    rows = []
    for subscription in batch:
        priced = {charge.key: charge.units for charge in subscription.plan_version.fixed_charges.all()}
        for change in changes:
            if change.key not in charges or (subscription.pk, str(change.key)) in own:
                continue
            if priced.get(change.key) != change.units:  # own terms say another number
                continue
            effective_at = _effective_at(subscription, immediately=change.immediately, at=at)
            if anew and subscription.started_at is not None:
                effective_at = subscription.started_at
            row = _row(subscription, str(change.key), change.units, effective_at, at, is_override=False)
            is_running = subscription.status == Status.ACTIVE
            row.bills_at_once = change.immediately and charges[change.key].pay_in_advance and is_running
            rows.append(row)
    FixedChargeUnits.objects.bulk_create(rows, batch_size=_BATCH)
    return len(rows), any(row.bills_at_once for row in rows)


def _effective_at(subscription: Subscription, *, immediately: bool, at: datetime) -> datetime:
    if subscription.status != Status.ACTIVE or subscription.started_at is None:
        return subscription.subscription_at
    now = max(at, subscription.started_at)
    return now if immediately else fixed_dues.running_period(contracts.standing(subscription), now).end


def _row(
    subscription: Subscription, key: str, units: Decimal, effective_at: datetime, at: datetime, **values: Any
) -> FixedChargeUnits:
    return FixedChargeUnits(
        subscription=subscription,
        fixed_charge_key=UUID(key),
        units=units,
        effective_at=effective_at,
        created_at=at,
        **values,
    )

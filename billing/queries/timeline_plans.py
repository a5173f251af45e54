"""What is agreed to come of a subscription: its start, changes of its plan, prices and units, a resume, the end of a
trial or of itself, its contract. Owns reading these as entries of a time line; when they are billed is not told here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from billing.domain import timelines
from billing.domain.timelines import Entry, Kind, Subject
from billing.models import (
    ActivationRule,
    Contract,
    ContractItem,
    ContractPhase,
    FixedChargeUnits,
    PlanMigration,
    PlanMigrationItem,
    Subscription,
)
from billing.queries import sold_contracts
from billing.queries.timelines import priced, subject
from catalog.models import FixedCharge
from config.kernel import dates

Status = Subscription.Status
_LIVING = (Status.PENDING, Status.ACTIVE, Status.PAUSED, Status.INCOMPLETE)
_DAY = timedelta(days=1)


def read(*, rows: Sequence[Subscription], at: datetime) -> tuple[Entry, ...]:
    """Return what is agreed to come after ``at`` of a chain of subscriptions, the soonest first.

    What is due already and was not done yet stands first. The number of queries does not depend on the chain's length.
    """
    living = [row for row in rows if row.status in _LIVING]
    found = [entry for row in living for entry in _of(row)]
    if living:
        found += _units(living, at)
        found += _migrations(living, at)
        item = living[0].contract_item
        if item is not None and item.contract.state == Contract.State.ACTIVE:
            found += _contract(item, living[0], at)
    return timelines.upwards(found)


def _of(row: Subscription) -> Iterator[Entry]:
    own = {"key": row.pk, "name": priced(row.plan_version), "subject": subject(row)}
    zone = dates.zone(row.customer.applicable_timezone)
    if row.status == Status.PENDING and row.previous is None:
        yield Entry(row.subscription_at, Kind.STARTED, amount=row.plan_version.amount, **own)
    if row.status == Status.PENDING and row.previous is not None and row.change_date is not None:
        old = row.previous.plan_version
        kind = Kind.TERMS_CHANGED if old.plan_id == row.plan_version.plan_id else Kind.PLAN_CHANGED
        yield Entry(
            dates.start_of_day(row.change_date, zone),
            kind,
            amount=row.plan_version.amount,
            before=priced(old),
            amount_before=old.amount,
            **own,
        )
        return
    if row.status == Status.PAUSED and row.change_date is not None:
        yield Entry(dates.start_of_day(row.change_date, zone), Kind.RESUMED, amount=row.plan_version.amount, **own)
    if row.status == Status.ACTIVE and row.trial_ends_at is not None and row.trial_ended_at is None:
        yield Entry(row.trial_ends_at, Kind.TRIAL_ENDED, **own)
    if row.ending_at is not None:
        yield Entry(row.ending_at, Kind.ENDED, **own)
    for rule in row.activation_rules.all():
        if rule.status == ActivationRule.Status.PENDING and rule.expires_at is not None:
            yield Entry(rule.expires_at, Kind.PAYMENT_DEADLINE, **own)


def _units(living: Sequence[Subscription], at: datetime) -> Iterator[Entry]:
    ids = [row.pk for row in living if row.status != Status.PENDING]
    rows = list(FixedChargeUnits.objects.filter(subscription_id__in=ids, effective_at__gt=at).order_by("pk"))
    if not rows:
        return
    sold = FixedCharge.objects.filter(key__in={row.fixed_charge_key for row in rows})
    codes = dict(sold.order_by("pk").values_list("key", "code"))
    for row in rows:
        name = f"{row.units.normalize():f} × {codes.get(row.fixed_charge_key, '')}"
        yield Entry(row.effective_at, Kind.UNITS_CHANGED, row.pk, name=name)


def _migrations(living: Sequence[Subscription], at: datetime) -> Iterator[Entry]:
    state = PlanMigration.State
    rows = PlanMigrationItem.objects.filter(
        subscription_id__in=[row.pk for row in living],
        state=PlanMigrationItem.State.WAITING,
        migration__state__in=[state.SUBMITTED, state.APPROVED, state.RUNNING],
    )
    for row in rows.select_related("migration__plan", "migration__to_version", "subscription__customer"):
        migration = row.migration
        zone = dates.zone(row.subscription.customer.applicable_timezone)
        day = migration.change_date
        yield Entry(
            at if day is None else dates.start_of_day(day, zone),
            Kind.VERSION_MIGRATION,
            row.pk,
            name=f"{migration.plan.name}, version {migration.to_version.number}",
            state=str(migration.state),
            reason=migration.get_timing_display() if day is None else "",
            subject=Subject("billing.planmigration", migration.pk, str(migration.uuid), str(migration)),
        )


def _contract(item: ContractItem, row: Subscription, at: datetime) -> Iterator[Entry]:
    contract = item.contract
    zone = dates.zone(row.customer.applicable_timezone)
    about = Subject("billing.contract", contract.pk, str(contract.uuid), str(contract))
    phases = ContractPhase.objects.filter(
        item=item, scheduled_at__isnull=True, starts_on__gt=dates.local_date(at, zone)
    ).select_related("plan_version__plan", "own_version__plan")
    for phase in phases.order_by("starts_on"):
        version = phase.own_version or phase.plan_version
        yield Entry(
            dates.start_of_day(phase.starts_on, zone),
            Kind.CONTRACT_PHASE,
            phase.pk,
            name=version.plan.name,
            amount=None if "amount_cents" in phase.overrides and phase.own_version is None else version.amount,
            subject=about,
        )
    renews = contract.renewal == Contract.Renewal.AUTOMATIC and sold_contracts.notice(contract) is None
    yield Entry(
        dates.start_of_day(contract.ends_on + _DAY, zone),
        Kind.CONTRACT_RENEWED if renews else Kind.CONTRACT_ENDS,
        contract.pk,
        name=contract.number,
        subject=about,
    )

"""What a migration to another plan version does to the next invoice of each subscription. Owns computing it, by the way
that real bills go: due time, stored usage and the prices of both versions.

Nothing is billed. Amounts have no tax, and are rounded as on invoices, once per line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice

from django.db import transaction
from django.db.models import prefetch_related_objects
from moneyed import Money

from billing.domain import dues, plan_changes
from billing.domain import plan_migrations as rules
from billing.domain.plan_migrations import CannotMove
from billing.domain.standing import Billed, Due
from billing.models import PlanMigration, PlanMigrationItem, Subscription
from billing.queries import contracts, price_lists
from billing.queries import plan_migrations as known
from billing.queries.contracts import Contract
from billing.services import bills, fixed_agreements
from catalog.models import PlanVersion
from catalog.services import private_versions
from config.kernel import dates, money
from config.platform.services import outbox

CHUNK = 300
Status = Subscription.Status
State = PlanMigrationItem.State


@dataclass(frozen=True)
class _Side:
    contract: Contract
    dues: tuple[Due, ...]


def items(*, migration: PlanMigration, at: datetime) -> Iterator[PlanMigrationItem]:
    """Yield an unsaved item for each subscription that a migration touches, with its next invoice before and after.

    The next invoice is that of the next billing day, on the usage that is stored by now, by what each has and by the
    version to move to; a migration that waits for the end of a period changes the first invoice after it by as much.
    One that has not begun, or has no billing day before its end, has no amounts. One that cannot be moved is left out,
    with the reason. The number of queries does not depend on the number of subscriptions but for their chunks and
    those with private versions. Raises what rating raises.
    """
    prefetch_related_objects([migration.to_version], "fixed_charges")
    touched = known.touched(migration).prefetch_related("plan_version__fixed_charges", "followers__plan_version__plan")
    rows = touched.iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        yield from _chunk(migration, chunk, at)


def refusal(*, migration: PlanMigration, subscription: Subscription, at: datetime) -> CannotMove | None:
    """Return why a subscription is left out of a migration, if it is."""
    try:
        _check(migration, subscription, at)
    except CannotMove as error:
        return error
    return None


def is_in_place(*, migration: PlanMigration, subscription: Subscription) -> bool:
    """Say whether a subscription is moved at once: where that is wanted, and where it has not begun yet."""
    return migration.timing == PlanMigration.Timing.NOW or subscription.status != Status.ACTIVE


def change_day(*, migration: PlanMigration, subscription: Subscription, at: datetime) -> date:
    """Return the local day on which a running subscription is moved that is not moved at once."""
    if migration.change_date is not None:
        return migration.change_date
    schedule = contracts.schedule_of(subscription)
    return plan_changes.change_date(schedule, at=at, started_at=subscription.started_at or at)


def _check(migration: PlanMigration, row: Subscription, at: datetime) -> None:
    current, wanted = _terms(row.plan_version), _terms(migration.to_version)
    zone = dates.zone(row.customer.applicable_timezone)
    if migration.timing != PlanMigration.Timing.NOW and row.status == Status.INCOMPLETE:
        raise CannotMove("waits_for_payment", "It waits for its first payment; move it once it runs.")
    if migration.change_date is not None and row.status == Status.PAUSED:
        raise CannotMove("paused", "It is paused, and may run on before the date; move it once it runs.")
    if row.status == Status.PENDING:
        begins = row.change_date or dates.local_date(row.subscription_at, zone)
        rules.check_begin(begins=begins, change_date=migration.change_date)
        rules.check_later(current=current, wanted=wanted)
        return
    if is_in_place(migration=migration, subscription=row):
        rules.check_in_place(current=current, wanted=wanted)
        return
    rules.check_later(current=current, wanted=wanted)
    day = change_day(migration=migration, subscription=row, at=at)
    if row.ending_at is not None and row.ending_at <= dates.start_of_day(day, zone):
        raise CannotMove("ends_before", f"It ends before {day.isoformat()}, as agreed.")
    waiting = row.follower
    if waiting is not None and waiting.status == Status.PENDING:
        raise CannotMove("change_waits", f"A change to {waiting.plan_version} waits already.")


def _terms(version: PlanVersion) -> rules.Terms:
    return rules.Terms(
        interval=version.interval,
        currency=version.currency,
        pay_in_advance=version.pay_in_advance,
        charges_monthly=version.bill_charges_monthly,
        fixed_charges_monthly=version.bill_fixed_charges_monthly,
    )


def _chunk(migration: PlanMigration, rows: Sequence[Subscription], at: datetime) -> list[PlanMigrationItem]:
    seen = known.seen(rows)
    refused = {row.pk: refusal(migration=migration, subscription=row, at=at) for row in rows}
    wanted = _terms(migration.to_version)
    runs = [
        row
        for row in rows
        if row.status == Status.ACTIVE and refused[row.pk] is None and _terms(row.plan_version) == wanted
    ]
    amounts = _amounts(migration, runs, at)
    return [_item(migration, row, seen[row.pk], refused[row.pk], amounts.get(row.pk), at) for row in rows]


def _item(
    migration: PlanMigration,
    row: Subscription,
    seen: str,
    refused: CannotMove | None,
    amounts: tuple[Money, Money] | None,
    at: datetime,
) -> PlanMigrationItem:
    item = PlanMigrationItem(
        created_at=at,
        migration=migration,
        subscription=row,
        from_version_id=row.plan_version_id,
        seen=seen,
        currency=migration.to_version.currency,
    )
    if refused is not None:
        item.state, item.reason_code, item.reason = State.SKIPPED, refused.code, refused.message
    elif amounts is not None:
        before, after = amounts
        item.before_amount, item.after_amount, item.difference_amount = before, after, after - before
    return item


def _amounts(migration: PlanMigration, rows: Sequence[Subscription], at: datetime) -> Mapping[int, tuple[Money, Money]]:
    """Return what the next invoices come to, before and after, by subscription.

    Private versions are made for it, and numbers of units written, and undone.
    """
    if not rows:
        return {}
    known_contracts = contracts.of_subscriptions(subscription_ids=[row.pk for row in rows])
    by_id = {contract.subscription_id: contract for contract in known_contracts}
    billed = contracts.billed(contracts=known_contracts)
    with outbox.silence(), transaction.atomic():
        now = [_side(by_id[row.pk], billed.get(row.pk, [])) for row in rows]
        before = _totals(now, migration.to_version.currency)
        own = {row.pk: row.plan_version for row in rows}
        for row in rows:
            row.plan_version = _target(row, migration.to_version, at)
        is_later = migration.timing != PlanMigration.Timing.NOW
        fixed_agreements.follow_versions(moved=[(row, own[row.pk]) for row in rows], at=at, anew=is_later)
        then = [_side(_moved(by_id[row.pk], row), billed.get(row.pk, [])) for row in rows]
        after = _totals(then, migration.to_version.currency)
        for row in rows:
            row.plan_version = own[row.pk]
        transaction.set_rollback(True)
    found = zip(rows, now, before, after, strict=True)
    return {row.pk: (first, second) for row, side, first, second in found if side.dues}


def _target(row: Subscription, version: PlanVersion, at: datetime) -> PlanVersion:
    if row.plan_version.base_id is None:
        return version
    private_versions.lock(plan_ids=[version.plan_id])
    return private_versions.rebase(version=row.plan_version, onto=version, at=at)


def _moved(contract: Contract, row: Subscription) -> Contract:
    """Return the contract on the version that its subscription has by now."""
    return replace(contract, plan_version_id=row.plan_version_id, standing=contracts.standing(row))


def _side(contract: Contract, spans: Sequence[Billed]) -> _Side:
    day = contract.next_billing_date
    as_of = dates.start_of_day(day, contract.zone)
    found = dues.due(contract.standing, as_of=as_of, catch_up=True, billed=spans)
    return _Side(contract, tuple(found))


def _totals(sides: Sequence[_Side], currency: str) -> list[Money]:
    wanted = [(side.contract, due) for side in sides for due in side.dues]
    lists = price_lists.load(version_ids={side.contract.plan_version_id for side in sides})
    rated = iter(bills.rate(wanted=wanted, lists=lists) if wanted else ())
    return [_total([next(rated) for _ in side.dues], currency) for side in sides]


def _total(found: Sequence[bills.Bill], currency: str) -> Money:
    amounts = (item.amount for bill in found for item in bill.items)
    return money.rounded(sum(amounts, start=money.zero(currency)))

"""The phases of a contract's products as their days come: the next one waits as a change of plan, and a subscription
that was paused runs on in the phase of its day.

Owns which phase is next and the plan version that it is billed by. When a change takes effect is `plan_turns`'; who
calls holds the lock of the customer.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from billing.models import ContractItem, ContractPhase, Subscription
from billing.queries import contracts, sold_contracts
from billing.services import contract_prices, waiting_changes
from billing.services.waiting_changes import Wanted
from catalog.models import PlanVersion
from config.kernel import dates, money
from config.kernel.actors import Actor

Status = Subscription.Status
_DAY = timedelta(days=1)


def schedule_next(*, current: Subscription, actor: Actor, at: datetime) -> bool:
    """Let the next phase of the product that an active subscription serves wait for its day; say whether one now does.

    Only one change of a subscription waits at a time. The day may have come: `plan_turns.take_effect` turns it. A phase
    on the prices that it has is no change, and one that was over before the subscription began never was. A
    subscription of no contract is left alone. Raises as `contract_prices.own_version`.
    """
    item = current.contract_item
    if item is None or current.status != Status.ACTIVE or waiting_changes.pending(current) is not None:
        return False
    where = contracts.standing(current)
    first_day, today = where.first_day, dates.local_date(at, where.schedule.timezone)
    for phase in sold_contracts.phases(item):
        if phase.scheduled_at is not None:
            continue
        version = priced(phase, at)
        scheduled(phase, version, at)
        if version.pk == current.plan_version_id or phase.ends_on <= first_day:
            continue
        wanted = Wanted(
            version=version,
            is_version_chosen=True,
            name=current.name,
            reason=f"Contract {item.contract.number}: the phase from {phase.starts_on}.",
        )
        # Where the time before was billed already it began late: the day after is the first with other prices.
        day = max(phase.starts_on, first_day + _DAY) if phase.starts_on < today else phase.starts_on
        waiting_changes.schedule(current=current, wanted=wanted, on=day, actor=actor, at=at)
        return True
    return False


def suspend(*, current: Subscription, on: date, actor: Actor, at: datetime) -> None:
    """Call off the phase that waits for a subscription that is paused on a local day: `run_on` finds the phase then."""
    waiting = waiting_changes.pending(current)
    if current.contract_item is None or waiting is None:
        return
    waiting_changes.cancel(waiting, actor=actor, at=at, reason="The subscription was paused.", is_told=False)
    current.contract_item.phases.filter(starts_on__gt=on).update(scheduled_at=None)


def run_on(*, waiting: Subscription, on: date, at: datetime) -> None:
    """Give a paused subscription the prices of the phase that a local day is in, on which it runs on.

    The caller saves it. A subscription of no contract is left alone.
    """
    item = waiting.contract_item
    if item is None:
        return
    for phase in sold_contracts.phases(item):
        if phase.starts_on <= on:
            waiting.plan_version = priced(phase, at)
            scheduled(phase, waiting.plan_version, at)


def prepare(*, item: ContractItem, at: datetime) -> None:
    """Make the plan versions of all phases of a product that have none yet, so that no plan is locked on their days.

    Needs a transaction; takes the locks of the plans. Raises as `contract_prices.own_version`.
    """
    for phase in sold_contracts.phases(item):
        if phase.own_version is None:
            phase.own_version = priced(phase, at)
            phase.save(update_fields=["own_version"])


def priced(phase: ContractPhase, at: datetime) -> PlanVersion:
    """Return the plan version that a phase is billed by, with the minimum that its product commits to; made if need be.

    Needs a transaction. Saves nothing of the phase.
    """
    committed = sold_contracts.minimum(item=phase.item, day=phase.starts_on)
    minimum: dict[str, Any] | None = None
    if committed is not None:
        minimum = {"amount_cents": money.to_minor(committed.amount)}
        if committed.invoice_name:
            minimum["invoice_display_name"] = committed.invoice_name
    return contract_prices.own_version(phase=phase, minimum=minimum, at=at)


def scheduled(phase: ContractPhase, version: PlanVersion, at: datetime) -> None:
    """Note that a subscription has a phase, or waits for it."""
    phase.own_version, phase.scheduled_at = version, at
    phase.save(update_fields=["own_version", "scheduled_at"])

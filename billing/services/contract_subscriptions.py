"""The subscriptions that serve the products of a contract: beginning them, moving them from phase to phase, ending
them.

Owns which prices a product's subscription has when; how a subscription begins, changes its plan and is billed is
theirs. Whoever calls holds the locks of the customer and of the contract.
"""

from __future__ import annotations

from datetime import date, datetime

from billing.domain import contract_terms
from billing.domain.contract_terms import Span
from billing.models import Contract, ContractCommitment, ContractItem, ContractPhase, Subscription
from billing.queries import sold_contracts
from billing.queries import subscriptions as known
from billing.services import (
    contract_rows,
    contract_turns,
    fixed_agreements,
    plan_changes,
    plan_turns,
    start_bills,
    subscription_notes,
    subscription_updates,
    subscriptions,
)
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, uniqueness

Status = Subscription.Status


def begin(*, contract: Contract, item: ContractItem, actor: Actor, at: datetime) -> Subscription:
    """Begin the subscription of a product on the terms of its first phase, at the start of its first local day.

    One whose day is to come waits. Periods count from the contract's first day where they are anniversaries, so that
    all products are billed on one day and a first period may be a part. Elapsed periods are billed by the next run.
    Raises Invalid (`external_id`) where somebody has it, and what billing raises.
    """
    if known.living(item.external_id) is not None:
        raise errors.Invalid(
            "value_already_exist",
            f"There is a subscription {item.external_id} already.",
            {"external_id": ["value_already_exist"]},
        )
    contract_turns.prepare(item=item, at=at)
    first = sold_contracts.phases(item)[0]
    version = contract_turns.priced(first, at)
    zone = contract_rows.zone(contract)
    by_anniversary = contract.billing_time == Contract.BillingTime.ANNIVERSARY
    subscription = Subscription(
        created_at=at,
        updated_at=at,
        customer=contract.customer,
        plan_version=version,
        external_id=item.external_id,
        name=item.name,
        status=Status.PENDING,
        billing_time=contract.billing_time,
        backdated_billing=Subscription.BackdatedBilling.BILL,
        subscription_at=contract_terms.starts_at(contract.starts_on if by_anniversary else item.starts_on, zone),
        ending_at=_agreed_end(contract, item),
        purchase_order_number=contract.purchase_order_number,
        contract_item=item,
    )
    subscriptions.start_if_due(subscription, at)
    with uniqueness.told(billing_subscription_external_id="external_id"):
        subscription.save(force_insert=True)
    fixed_agreements.agree(subscription=subscription, units={}, at=at)
    audit.record(
        actor=actor,
        at=at,
        verb="create",
        instance=subscription,
        new=subscription_notes.facts(subscription),
        reason=f"Contract {contract.number}.",
    )
    contract_turns.scheduled(first, version, at)
    start_bills.bill(subscription=subscription, actor=actor, at=at)
    return subscription


def advance(*, contract: Contract, item: ContractItem, actor: Actor, at: datetime) -> int:
    """Schedule the next phase of a product, and let phases whose day has come take effect, in their order.

    Only one change of a subscription waits at a time, so the one after it is scheduled when it has taken effect. Days
    that are over are gone through one by one; what they come to is billed by the next run. Returns how many phases were
    scheduled; idempotent.
    """
    current = sold_contracts.living(item)
    if current is None or current.status != Status.ACTIVE:
        return 0
    before = _ahead(item)
    contract_turns.schedule_next(current=subscriptions.locked(current.pk), actor=actor, at=at)
    plan_turns.take_effect(customer_ids=[contract.customer_id], as_of=at, actor=actor, external_id=item.external_id)
    return before - _ahead(item)


def reprice(*, contract: Contract, item: ContractItem, actor: Actor, at: datetime) -> None:
    """Let the phases of a product that are to come be scheduled anew, after they were changed.

    A change that waits is called off; one that waits for its start takes the terms of its first phase.
    """
    current = sold_contracts.living(item)
    if current is None:
        return
    contract_turns.prepare(item=item, at=at)
    current = subscriptions.locked(current.pk)
    if current.status == Status.PENDING:
        first = sold_contracts.phases(item)[0]
        version = contract_turns.priced(first, at)
        contract_turns.scheduled(first, version, at)
        if version.pk != current.plan_version_id:
            current.plan_version, current.updated_at = version, at
            current.save(update_fields=["plan_version", "updated_at"])
        return
    waiting = plan_changes.pending(current)
    if waiting is not None:
        plan_changes.cancel(waiting, actor=actor, at=at, reason=f"Contract {contract.number} was amended.")
    day = contract_rows.today(contract, at)
    ContractPhase.objects.filter(item=item, starts_on__gte=day).exclude(starts_on=item.starts_on).update(
        scheduled_at=None
    )
    advance(contract=contract, item=item, actor=actor, at=at)


def call_off(*, item: ContractItem, actor: Actor, at: datetime) -> None:
    """Cancel the subscription of a product whose first day never comes, and forget its phases."""
    current = sold_contracts.living(item)
    if current is not None and current.status == Status.PENDING:
        plan_changes.cancel(subscriptions.locked(current.pk), actor=actor, at=at, reason="The contract ends before.")
    ContractPhase.objects.filter(item=item).delete()
    item.removed_at = at
    item.save(update_fields=["removed_at"])


def check_minimums(item: ContractItem) -> None:
    """Demand that a commitment for each period begins and ends with phases, which have one minimum each.

    Raises Invalid (`commitment_within_a_phase`).
    """
    rows = ContractCommitment.objects.filter(item=item, kind=ContractCommitment.Kind.PERIOD)
    phases = [Span(phase.starts_on, phase.ends_on) for phase in sold_contracts.phases(item)]
    for row in rows:
        span = Span(row.starts_on, row.ends_on)
        if any(span.overlap(phase) not in (None, phase) for phase in phases):
            raise errors.Invalid(
                "commitment_within_a_phase",
                f"The commitment of {item} has to begin and end with one of its phases.",
                {"commitments": ["commitment_within_a_phase"]},
            )


def set_end(*, contract: Contract, item: ContractItem, last: date | None, actor: Actor, at: datetime) -> None:
    """Let the subscription of a product end with a local day, or go on (None). One that is over stays as it is."""
    current = sold_contracts.living(item)
    if current is None:
        return
    ending_at = None if last is None else contract_terms.ends_at(last, contract_rows.zone(contract))
    changes = {"ending_at": ending_at}
    if current.ending_at != ending_at:
        subscription_updates.update(
            subscription_id=current.pk, changes=changes, amends_contract=True, actor=actor, at=at
        )


def _agreed_end(contract: Contract, item: ContractItem) -> datetime | None:
    is_open = contract.renewal == Contract.Renewal.AUTOMATIC and item.ends_on == contract.ends_on
    if is_open and sold_contracts.notice(contract) is None:
        return None
    return contract_terms.ends_at(item.ends_on, contract_rows.zone(contract))


def _ahead(item: ContractItem) -> int:
    return ContractPhase.objects.filter(item=item, scheduled_at__isnull=True).count()

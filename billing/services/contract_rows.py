"""The rows of a contract under its lock, and what is written of them for history. Owns locking and these notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from billing.models import Contract, ContractAmendment, ContractCommitment, ContractItem, ContractPhase
from billing.queries import sold_contracts
from config.kernel import dates, db, money
from config.kernel.actors import Actor
from customers.models import Customer


def locked(contract_id: int) -> Contract:
    """Lock a contract, its customer first, until the transaction ends. Raises ContractNotFound."""
    customer_id = Contract.objects.filter(pk=contract_id).values_list("customer_id", flat=True).first()
    if customer_id is None:
        raise sold_contracts.ContractNotFound("contract_not_found", "There is no such contract.")
    customer = db.lock_one(Customer.objects.select_related("billing_entity").filter(pk=customer_id))
    contract = db.lock_one(Contract.objects.filter(pk=contract_id))
    contract.customer = customer
    return contract


def zone(contract: Contract) -> ZoneInfo:
    """Return the time zone in which a contract's days are counted: the customer's."""
    return dates.zone(contract.customer.applicable_timezone)


def today(contract: Contract, at: datetime) -> date:
    """Return the local date of an instant."""
    return dates.local_date(at, zone(contract))


def items(contract: Contract) -> list[ContractItem]:
    """Return the products of a contract, in the order in which they were agreed on."""
    rows = list(ContractItem.objects.filter(contract=contract).order_by("pk"))
    for row in rows:
        row.contract = contract
    return rows


def facts(contract: Contract) -> dict[str, Any]:
    """Return what the audit trail keeps of a contract."""
    return {
        "number": contract.number,
        "state": contract.state,
        "starts_on": contract.starts_on,
        "ends_on": contract.ends_on,
        "renewal": contract.renewal,
        "notice_days": contract.notice_days,
        "uplift_rate": str(contract.uplift_rate),
    }


def noted_phase(phase: ContractPhase) -> dict[str, Any]:
    """Return a phase as amendments keep it."""
    return {
        "starts_on": phase.starts_on.isoformat(),
        "ends_on": phase.ends_on.isoformat(),
        "plan": phase.plan_version.plan.code,
        "plan_version": phase.plan_version.number,
        "overrides": phase.overrides,
    }


def noted_item(item: ContractItem) -> dict[str, Any]:
    """Return a product with its phases as amendments keep it."""
    return {
        "external_id": item.external_id,
        "starts_on": item.starts_on.isoformat(),
        "ends_on": item.ends_on.isoformat(),
        "phases": [noted_phase(phase) for phase in sold_contracts.phases(item)],
    }


def noted_commitment(commitment: ContractCommitment) -> dict[str, Any]:
    """Return a commitment as amendments keep it."""
    return {
        "kind": commitment.kind,
        "product": None if commitment.item is None else commitment.item.external_id,
        "amount_cents": money.to_minor(commitment.amount),
        "starts_on": commitment.starts_on.isoformat(),
        "ends_on": (commitment.cut_on or commitment.ends_on).isoformat(),
    }


def amend(
    *,
    contract: Contract,
    kind: str,
    effective_on: date,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    actor: Actor,
    at: datetime,
) -> ContractAmendment:
    """Write an amendment under the contract's lock. Numbers follow each other without a gap."""
    number = contract.amendments.count() + 1
    return ContractAmendment.objects.create(
        created_at=at,
        contract=contract,
        number=number,
        kind=kind,
        effective_on=effective_on,
        made_by=actor.label,
        reason=reason,
        before=before,
        after=after,
    )

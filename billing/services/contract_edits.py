"""Editing a draft: terms of a product from a day on, another product, another commitment. Owns changing what was not
agreed on yet; it leaves no amendment behind, only the audit trail.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from billing.domain import contract_states, ramps
from billing.domain.contract_states import Verb
from billing.domain.contract_terms import Span
from billing.domain.ramps import Phase
from billing.models import Contract, ContractItem
from billing.services import contract_drafts, contract_phases, contract_rows
from billing.services.contract_drafts import InvalidContract, NewCommitment, NewItem, NewPhase
from billing.services.contract_phases import Terms
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit


@transaction.atomic
def set_phase(
    *, contract_id: int, external_id: str, phase: NewPhase, actor: Actor, at: datetime, until: date | None = None
) -> Contract:
    """Give a product of a draft a phase from a day on, until another or its end; phases in the way are cut or replaced.

    Raises ContractNotFound, InvalidContractState, InvalidContract for a day that the product does not have, and what
    own terms raise.
    """
    contract = _draft(contract_id)
    item = ContractItem.objects.filter(contract=contract, external_id=external_id).first()
    if item is None:
        raise errors.NotFound("contract_item_not_found", f"The contract does not sell {external_id}.")
    first = phase.starts_on or item.starts_on
    last = min(until or item.ends_on, item.ends_on)
    if not item.starts_on <= first <= last:
        raise InvalidContract(
            "outside_of_the_product", f"{item} is not sold on {first}.", {"starts_on": ["outside_of_the_product"]}
        )
    version = contract_drafts.version_of(*phase.prices)
    _demand_currency(contract, version.currency)
    overrides = contract_drafts.agreed_terms(version=version, phase=phase, at=at)
    new = Phase(Span(first, last), Terms(version, overrides))
    contract_phases.write(item=item, phases=ramps.overlaid(phases=contract_phases.of(item), new=new), at=at)
    return _noted(contract, actor, at)


@transaction.atomic
def add_product(*, contract_id: int, item: NewItem, actor: Actor, at: datetime) -> Contract:
    """Put another product into a draft. Raises as `contract_drafts.create`."""
    contract = _draft(contract_id)
    versions = {phase.prices: contract_drafts.version_of(*phase.prices) for phase in item.phases}
    for version in versions.values():
        _demand_currency(contract, version.currency)
    contract_drafts.add_item(contract=contract, item=item, versions=versions, at=at)
    return _noted(contract, actor, at)


@transaction.atomic
def add_commitment(*, contract_id: int, commitment: NewCommitment, actor: Actor, at: datetime) -> Contract:
    """Put another commitment into a draft. Raises as `contract_drafts.create`."""
    contract = _draft(contract_id)
    within = Span(contract.starts_on, contract.ends_on)
    contract_drafts.add_commitment(contract=contract, commitment=commitment, within=within, at=at)
    return _noted(contract, actor, at)


def _draft(contract_id: int) -> Contract:
    contract = contract_rows.locked(contract_id)
    contract_states.after(state=contract.state, verb=Verb.EDIT)
    return contract


def _demand_currency(contract: Contract, currency: str) -> None:
    if currency != contract.currency:
        raise InvalidContract(
            "currencies_does_not_match",
            f"The contract is in {contract.currency}.",
            {"plan_code": ["currencies_does_not_match"]},
        )


def _noted(contract: Contract, actor: Actor, at: datetime) -> Contract:
    contract.updated_at = at
    contract.save(update_fields=["updated_at"])
    noted = {
        "items": [contract_rows.noted_item(item) for item in contract_rows.items(contract)],
        "commitments": [contract_rows.noted_commitment(row) for row in contract.commitments.select_related("item")],
    }
    audit.record(actor=actor, at=at, verb="edit", instance=contract, new=noted)
    return contract

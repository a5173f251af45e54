"""Activating a contract: a signed draft begins to be served and billed, as a whole or not at all."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from billing.domain import contract_states
from billing.domain.contract_states import Verb
from billing.models import Contract
from billing.services import contract_rows, contract_subscriptions, prepaid_commitments, webhook_types
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


class UnableToActivate(errors.Invalid):
    """The contract cannot begin: its time is over."""


@transaction.atomic
@tellings.gathered
def activate(*, contract_id: int, actor: Actor, at: datetime) -> Contract:
    """Begin a drafted contract: a subscription for each product, on the terms of its first phase.

    Those whose first day is to come wait for it; elapsed days are billed by the next run, phase by phase. Plans that
    are paid in advance and start today are billed at once; before them, what is prepaid. The next phase of each product
    is scheduled. Prices are those that were on sale when the contract was drafted. The customer's currency becomes the
    contract's if it had none. Raises ContractNotFound, InvalidContractState, UnableToActivate where the term is over,
    Invalid where a subscription has one of the ids, and what billing raises.
    """
    contract = contract_rows.locked(contract_id)
    old = {"state": contract.state}
    contract.state = contract_states.after(state=contract.state, verb=Verb.ACTIVATE).value
    if contract.ends_on < contract_rows.today(contract, at):
        raise UnableToActivate(
            "term_is_over", "The term of the contract is over already.", {"starts_on": ["term_is_over"]}
        )
    contract.activated_at = contract.updated_at = at
    contract.save(update_fields=["state", "activated_at", "updated_at"])
    customer = contract.customer
    if not customer.currency:
        customer.currency, customer.updated_at = contract.currency, at
        customer.save(update_fields=["currency", "updated_at"])
    if customer.currency != contract.currency:
        raise UnableToActivate(
            "currencies_does_not_match",
            f"The customer is billed in {customer.currency} by now.",
            {"currency": ["currencies_does_not_match"]},
        )
    prepaid_commitments.invoice_due(contract=contract, actor=actor, at=at)
    for item in contract_rows.items(contract):
        contract_subscriptions.check_minimums(item)
        contract_subscriptions.begin(contract=contract, item=item, actor=actor, at=at)
        contract_subscriptions.advance(contract=contract, item=item, actor=actor, at=at)
    audit.record(actor=actor, at=at, verb="activate", instance=contract, old=old, new=contract_rows.facts(contract))
    tellings.tell(webhook_types.CONTRACT_ACTIVATED, contract, at=at)
    return contract

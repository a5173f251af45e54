"""Notice that a contract is not to be renewed, and taking it back. Owns writing both; by when notice has to be given is
`billing.domain.renewals`', what comes of it at the end of the term `contract_next_terms`'.
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from billing.domain import contract_states, renewals
from billing.domain.contract_states import Verb
from billing.models import (
    Contract,
    ContractItem,
    ContractNotice,
)
from billing.queries import sold_contracts
from billing.services import contract_rows, contract_subscriptions, webhook_types
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings


@transaction.atomic
@tellings.gathered
def give_notice(
    *,
    contract_id: int,
    given_on: date | None = None,
    given_by: str,
    reason: str = "",
    actor: Actor,
    at: datetime,
) -> ContractNotice:
    """Record that a contract is not to be renewed: its subscriptions end with the last day of the term.

    ``given_on`` is the local day on which notice was given, today unless told otherwise; ``given_by`` says by whom.
    Notice that stands already is returned. Raises ContractNotFound, InvalidContractState, InvalidNotice where it comes
    too late, NotAllowed where nothing is renewed anyway.
    """
    contract = contract_rows.locked(contract_id)
    contract_states.after(state=contract.state, verb=Verb.AMEND)
    if contract.renewal != Contract.Renewal.AUTOMATIC:
        raise errors.NotAllowed("contract_does_not_renew", "The contract ends with its term: no notice is needed.")
    standing = sold_contracts.notice(contract)
    if standing is not None:
        return standing
    today = contract_rows.today(contract, at)
    renewals.check_notice(
        given_on=given_on or today, ends_on=contract.ends_on, notice_days=contract.notice_days, today=today
    )
    notice = ContractNotice.objects.create(
        created_at=at,
        contract=contract,
        term_number=contract.terms.count(),
        given_on=given_on or today,
        given_by=given_by,
        recorded_by=actor.label,
        reason=reason,
    )
    for item in _until_the_end(contract):
        contract_subscriptions.set_end(contract=contract, item=item, last=contract.ends_on, actor=actor, at=at)
    new = {"given_on": notice.given_on, "given_by": given_by, "ends_on": contract.ends_on}
    audit.record(actor=actor, at=at, verb="give_notice", instance=contract, new=new, reason=reason)
    tellings.tell(webhook_types.CONTRACT_AMENDED, contract, at=at)
    return notice


@transaction.atomic
@tellings.gathered
def withdraw_notice(*, contract_id: int, actor: Actor, at: datetime, reason: str = "") -> Contract:
    """Take notice back before the term ends: the contract renews after all, and its subscriptions go on.

    Raises ContractNotFound, InvalidContractState, NotAllowed (`no_notice`).
    """
    contract = contract_rows.locked(contract_id)
    contract_states.after(state=contract.state, verb=Verb.AMEND)
    notice = sold_contracts.notice(contract)
    if notice is None:
        raise errors.NotAllowed("no_notice", "No notice was given.")
    if contract_rows.today(contract, at) > contract.ends_on:
        raise errors.NotAllowed("term_is_over", "The term is over: the contract has ended.")
    notice.withdrawn_at = at
    notice.save(update_fields=["withdrawn_at"])
    for item in _until_the_end(contract):
        contract_subscriptions.set_end(contract=contract, item=item, last=None, actor=actor, at=at)
    audit.record(actor=actor, at=at, verb="withdraw_notice", instance=contract, reason=reason)
    tellings.tell(webhook_types.CONTRACT_AMENDED, contract, at=at)
    return contract


def _until_the_end(contract: Contract) -> list[ContractItem]:
    """Return the products that the contract still has at its end: those that were removed before are not renewed."""
    return [item for item in contract_rows.items(contract) if item.ends_on == contract.ends_on]

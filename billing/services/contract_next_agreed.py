"""The next term of a contract as it was agreed on: its products at prices of their own, instead of an uplift.

Owns writing such a term ahead of the end of the one that runs. What happens where nobody agrees on anything is
`contract_next_terms`'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from billing.domain import contract_states, contract_terms, ramps, renewals, uplifts
from billing.domain.contract_states import Verb
from billing.domain.contract_terms import Span
from billing.domain.ramps import Phase
from billing.domain.renewals import Renewal
from billing.models import Contract, ContractAmendment, ContractItem, ContractTerm
from billing.queries import sold_contracts
from billing.services import (
    contract_drafts,
    contract_phases,
    contract_renewals,
    contract_rows,
    contract_subscriptions,
    contract_turns,
    prepaid_commitments,
    webhook_types,
)
from billing.services.contract_amendments import ContractChanged, state_of
from billing.services.contract_drafts import NewCommitment, NewItem
from billing.services.contract_phases import Terms
from catalog.models import PlanVersion
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

_DAY = timedelta(days=1)


class UnableToRenew(errors.NotAllowed):
    """The contract has no next term to agree on."""


@dataclass(frozen=True)
class NextTerm:
    """The term after the one that runs: its months, and all products and commitments of it.

    A product that the contract has goes on under its external id; one that is not named ends with the term that runs.
    First days of products and later phases are days of the new term. ``seen`` is `state_of` the contract when it was
    agreed on; None takes it as it is.
    """

    months: int
    items: Sequence[NewItem]
    commitments: Sequence[NewCommitment] = ()
    renewal: str = Contract.Renewal.NONE
    renewal_months: int | None = None
    notice_days: int = 0
    uplift_rate: Decimal = Decimal(0)
    uplift_scope: str = Contract.UpliftScope.FEE
    reason: str = ""
    seen: str | None = None


def span_of(contract: Contract, months: int) -> Span:
    """Return the days of the next term: so many months from the day after the end. Raises InvalidTerm."""
    terms = list(contract.terms.order_by("number"))
    counted = [term.months for term in terms]
    if any(one is None for one in counted):
        return contract_terms.term(starts_on=Span(contract.ends_on, contract.ends_on).after, months=months)
    elapsed = sum(one for one in counted if one is not None)
    return contract_terms.following(
        anchor=contract.starts_on, elapsed_months=elapsed, last=contract.ends_on, months=months
    )


@transaction.atomic
@tellings.gathered
def agree(*, contract_id: int, wanted: NextTerm, actor: Actor, at: datetime) -> ContractAmendment:
    """Give a contract that runs its next term, on its own prices. Notice that stands is taken back.

    Subscriptions change at the start of the new term; until then nothing is different. Raises ContractNotFound,
    InvalidContractState, ContractChanged, UnableToRenew (`term_is_over`), InvalidContract and what own terms raise.
    """
    contract = contract_rows.locked(contract_id)
    if wanted.seen and wanted.seen != state_of(contract):
        raise ContractChanged("contract_changed", f"The contract {contract.number} was changed by somebody else.")
    contract_states.after(state=contract.state, verb=Verb.RENEW)
    if contract_rows.today(contract, at) > contract.ends_on:
        raise UnableToRenew("term_is_over", "The term is over: make a new contract.")
    renewals.check(renewal=Renewal(wanted.renewal), notice_days=wanted.notice_days)
    uplifts.check(wanted.uplift_rate)
    if sold_contracts.notice(contract) is not None:
        contract_renewals.withdraw_notice(
            contract_id=contract.pk, actor=actor, at=at, reason="Another term was agreed on."
        )
        contract.refresh_from_db()
    span = span_of(contract, wanted.months)
    before = {"ends_on": contract.ends_on.isoformat(), **_noted(contract)}
    old = contract_rows.facts(contract)
    last = contract.ends_on
    going_on = {item.external_id: item for item in contract_rows.items(contract) if item.ends_on == last}
    ContractTerm.objects.create(
        created_at=at,
        contract=contract,
        number=contract.terms.count() + 1,
        starts_on=span.first,
        ends_on=span.last,
        months=wanted.months,
    )
    _take(contract, wanted, span, at)
    versions = {
        phase.prices: contract_drafts.version_of(*phase.prices) for item in wanted.items for phase in item.phases
    }
    if any(version.currency != contract.currency for version in versions.values()):
        raise errors.Invalid("currencies_does_not_match", f"The contract is in {contract.currency}.")
    kept, new = [], []
    for item in wanted.items:
        row = going_on.pop(item.external_id, None)
        if row is None:
            added = replace(item, starts_on=item.starts_on or span.first)
            new.append(contract_drafts.add_item(contract=contract, item=added, versions=versions, at=at))
        else:
            _continue(row, item, span, versions, at)
            kept.append(row)
    for commitment in wanted.commitments:
        contract_drafts.add_commitment(contract=contract, commitment=commitment, within=span, at=at)
    _serve(contract, kept, new, list(going_on.values()), last, actor, at)
    after = {"ends_on": span.last.isoformat(), **_noted(contract)}
    audit.record(
        actor=actor,
        at=at,
        verb="renew",
        instance=contract,
        old=old,
        new=contract_rows.facts(contract),
        reason=wanted.reason,
    )
    tellings.tell(webhook_types.CONTRACT_RENEWED, contract, at=at)
    return contract_rows.amend(
        contract=contract,
        kind=ContractAmendment.Kind.RENEWAL,
        effective_on=span.first,
        before=before,
        after=after,
        reason=wanted.reason,
        actor=actor,
        at=at,
    )


def _noted(contract: Contract) -> dict[str, object]:
    return {"items": [contract_rows.noted_item(item) for item in contract_rows.items(contract)]}


def _take(contract: Contract, wanted: NextTerm, span: Span, at: datetime) -> None:
    contract.ends_on, contract.updated_at = span.last, at
    contract.renewal, contract.notice_days = wanted.renewal, wanted.notice_days
    contract.renewal_months = wanted.renewal_months or wanted.months
    contract.uplift_rate, contract.uplift_scope = wanted.uplift_rate, wanted.uplift_scope
    contract.save(
        update_fields=[
            "ends_on",
            "updated_at",
            "renewal",
            "notice_days",
            "renewal_months",
            "uplift_rate",
            "uplift_scope",
        ]
    )


def _continue(
    row: ContractItem,
    item: NewItem,
    span: Span,
    versions: Mapping[tuple[str, int | None], PlanVersion],
    at: datetime,
) -> None:
    """Give a product that goes on its phases of the new term; before the first of them it stays what it is."""
    starts_on = item.starts_on or span.first
    first = item.phases[0].starts_on or starts_on
    spans = ramps.stepped(starts=[phase.starts_on or first for phase in item.phases], last=span.last)
    phases = ramps.extended(phases=contract_phases.of(row), last=first - _DAY)
    for one, phase in zip(spans, item.phases, strict=True):
        version = versions[phase.prices]
        overrides = contract_drafts.agreed_terms(version=version, phase=phase, at=at)
        phases.append(Phase(one, Terms(version, overrides)))
    contract_phases.write(item=row, phases=phases, at=at)
    row.ends_on = span.last
    row.name = item.name or row.name
    row.save(update_fields=["ends_on", "name"])


def _serve(
    contract: Contract,
    kept: list[ContractItem],
    new: list[ContractItem],
    gone: list[ContractItem],
    last: date,
    actor: Actor,
    at: datetime,
) -> None:
    ends = contract.renewal == Contract.Renewal.NONE
    for row in kept:
        row.contract = contract
        contract_subscriptions.check_minimums(row)
        contract_turns.prepare(item=row, at=at)
        contract_subscriptions.set_end(
            contract=contract, item=row, last=contract.ends_on if ends else None, actor=actor, at=at
        )
        contract_subscriptions.advance(contract=contract, item=row, actor=actor, at=at)
    if new:
        prepaid_commitments.cover(contract=contract, actor=actor, at=at)
    for row in new:
        row.contract = contract
        contract_subscriptions.check_minimums(row)
        contract_subscriptions.begin(contract=contract, item=row, actor=actor, at=at)
    for row in gone:
        row.contract = contract
        contract_subscriptions.set_end(contract=contract, item=row, last=last, actor=actor, at=at)

"""Amending a contract that runs: other terms of a product, a product more or less, a longer term, another commitment.

Owns what an amendment does to the rows and to the subscriptions, from its day on; what was served before it stays, and
so does every issued invoice. The history is append-only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from moneyed import Money

from billing.domain import contract_states, contract_terms, ramps, term_commitments
from billing.domain.contract_states import Verb
from billing.domain.contract_terms import Span
from billing.domain.ramps import Phase
from billing.models import Contract, ContractAmendment, ContractCommitment, ContractItem
from billing.queries import sold_contracts
from billing.services import (
    contract_drafts,
    contract_phases,
    contract_prices,
    contract_rows,
    contract_subscriptions,
    prepaid_commitments,
    webhook_types,
)
from billing.services.contract_drafts import InvalidContract, NewCommitment, NewItem
from billing.services.contract_phases import Terms
from catalog.services import private_terms
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import audit, tellings

Kind = ContractAmendment.Kind
_DAY = timedelta(days=1)


class ContractChanged(errors.Conflict):
    """Somebody else changed the contract since it was looked at."""


@dataclass(frozen=True)
class Change:
    """What every amendment has: its day, local to the customer, who agreed and why.

    ``seen`` is `state_of` the contract when it was decided; None decides by what it is now.
    """

    effective_on: date
    reason: str = ""
    seen: str | None = None


@dataclass(frozen=True)
class NewTerms:
    """Other terms of a product, until a last day or its end. Without ``plan_code`` the plan stays and ``overrides``
    and ``units`` come on top of the terms that it has on that day; another plan is agreed on from nothing, on its
    current prices or those of its version ``plan_version``.
    """

    external_id: str
    plan_code: str = ""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Decimal] = field(default_factory=dict)
    until: date | None = None
    plan_version: int | None = None


def state_of(contract: Contract) -> str:
    """Return what a person sees of a contract before changing it: another answer later means a conflict."""
    return f"{contract.state}:{contract.updated_at.isoformat()}"


def blended(*, commitment: ContractCommitment, amount: Money, day: date) -> Money:
    """Return what the whole term commits to when the amount changes on a day, rounded half up once."""
    whole = Span(commitment.starts_on, commitment.ends_on)
    if day == whole.first:
        return amount
    ahead = Span(day, whole.last).days
    old = term_commitments.by_days(amount=commitment.amount.amount, days=whole.days - ahead, of_days=whole.days)
    new = term_commitments.by_days(amount=amount.amount, days=ahead, of_days=whole.days)
    return money.rounded(Money(old + new, commitment.currency))


@transaction.atomic
@tellings.gathered
def change_terms(*, contract_id: int, terms: NewTerms, change: Change, actor: Actor, at: datetime) -> ContractAmendment:
    """Let a product have other terms from a day on: price, quantity or plan. Phases in the way are cut or replaced.

    From today on at the earliest; the subscription changes at the start of that day, its unused time is credited as
    with any change of plan. Raises ContractNotFound, InvalidContractState, ContractChanged, InvalidContract for a day
    or product that does not fit, and what own terms and billing raise.
    """
    contract = _begun(contract_id, change, at)
    item = _item(contract, terms.external_id)
    span = Span(change.effective_on, min(terms.until or item.ends_on, item.ends_on))
    phases = contract_phases.of(item)
    running = ramps.at(phases=phases, day=change.effective_on)
    if running is None:
        raise _refused("effective_on", "outside_of_the_product", f"{item} is not sold on {change.effective_on}.")
    before = contract_rows.noted_item(item)
    version = running.terms.version
    asked = contract_prices.with_units(terms=terms.overrides, units=terms.units)
    if terms.plan_code and terms.plan_code != version.plan.code:
        version = contract_drafts.version_of(terms.plan_code, terms.plan_version)
        if version.currency != contract.currency:
            raise _refused("plan_code", "currencies_does_not_match", f"The contract is in {contract.currency}.")
        overrides = contract_prices.agreed(version=version, terms=asked, at=at)
    else:
        kept = contract_prices.agreed(version=version, terms=asked, at=at)
        overrides = private_terms.merged(running.terms.overrides, kept)
        overrides = {name: value for name, value in overrides.items() if value or name not in private_terms.ROWS}
    new = Phase(span, Terms(version, overrides))
    contract_phases.write(item=item, phases=ramps.overlaid(phases=phases, new=new), at=at)
    contract_subscriptions.check_minimums(item)
    contract_subscriptions.reprice(contract=contract, item=item, actor=actor, at=at)
    return _written(contract, Kind.CHANGE_TERMS, change, before, contract_rows.noted_item(item), actor, at)


@transaction.atomic
@tellings.gathered
def add_product(*, contract_id: int, item: NewItem, change: Change, actor: Actor, at: datetime) -> ContractAmendment:
    """Sell another product from a day on; it ends with the contract.

    Its periods are those of the contract, so the first one may be a part. Raises as `change_terms`, and Invalid where
    its subscription's id is taken.
    """
    contract = _begun(contract_id, change, at)
    if change.effective_on > contract.ends_on:
        raise _refused("effective_on", "outside_of_the_term", f"The contract ends on {contract.ends_on}.")
    versions = {phase.prices: contract_drafts.version_of(*phase.prices) for phase in item.phases}
    if any(version.currency != contract.currency for version in versions.values()):
        raise _refused("plan_code", "currencies_does_not_match", f"The contract is in {contract.currency}.")
    row = contract_drafts.add_item(
        contract=contract, item=replace(item, starts_on=change.effective_on), versions=versions, at=at
    )
    row.contract = contract
    prepaid_commitments.cover(contract=contract, actor=actor, at=at)
    contract_subscriptions.begin(contract=contract, item=row, actor=actor, at=at)
    contract_subscriptions.advance(contract=contract, item=row, actor=actor, at=at)
    return _written(contract, Kind.ADD_PRODUCT, change, {}, contract_rows.noted_item(row), actor, at)


@transaction.atomic
@tellings.gathered
def remove_product(
    *, contract_id: int, external_id: str, change: Change, actor: Actor, at: datetime
) -> ContractAmendment:
    """Stop selling a product: the day before the amendment's is its last one. The last product stays: end the contract.

    Its subscription ends as agreed, with its last invoice. Raises as `change_terms`.
    """
    contract = _begun(contract_id, change, at)
    item = _item(contract, external_id)
    last = change.effective_on - _DAY
    if last < contract_rows.today(contract, at) or last < item.starts_on or last >= item.ends_on:
        raise _refused("effective_on", "outside_of_the_product", "A product ends on a later day that it is sold on.")
    if not any(other.ends_on > last for other in contract_rows.items(contract) if other.pk != item.pk):
        raise InvalidContract(
            "last_product", "It is the last product: end the contract.", {"external_id": ["last_product"]}
        )
    before = contract_rows.noted_item(item)
    contract_phases.cut(item=item, last=last, at=at)
    item.removed_at = at
    item.save(update_fields=["removed_at"])
    contract_subscriptions.set_end(contract=contract, item=item, last=last, actor=actor, at=at)
    contract_subscriptions.reprice(contract=contract, item=item, actor=actor, at=at)
    return _written(contract, Kind.REMOVE_PRODUCT, change, before, contract_rows.noted_item(item), actor, at)


@transaction.atomic
@tellings.gathered
def extend_term(*, contract_id: int, ends_on: date, change: Change, actor: Actor, at: datetime) -> ContractAmendment:
    """Let the running term, and all products that go on to its end, last until a later day, on their last terms.

    Commitments over the term stay what they are, those for each period go on. Raises as `change_terms`.
    """
    contract = _begun(contract_id, change, at)
    contract_terms.check_day(ends_on)
    if ends_on <= contract.ends_on:
        raise _refused("ends_on", "must_be_after_end", f"The contract ends on {contract.ends_on} already.")
    if contract_rows.today(contract, at) > contract.ends_on:
        raise _refused("ends_on", "term_is_over", "The term is over.")
    before = {"ends_on": contract.ends_on.isoformat()}
    going_on = [item for item in contract_rows.items(contract) if item.ends_on == contract.ends_on]
    term = contract.terms.order_by("-number")[0]
    term.ends_on, term.months = ends_on, None
    term.save(update_fields=["ends_on", "months"])
    contract.ends_on = ends_on
    contract.save(update_fields=["ends_on"])
    ContractCommitment.objects.filter(
        contract=contract, kind=ContractCommitment.Kind.PERIOD, ends_on=before["ends_on"]
    ).update(ends_on=ends_on)
    ends = contract.renewal == Contract.Renewal.NONE or sold_contracts.notice(contract) is not None
    for item in going_on:
        contract_phases.extend(item=item, last=ends_on, at=at)
        if ends:
            contract_subscriptions.set_end(contract=contract, item=item, last=ends_on, actor=actor, at=at)
    return _written(contract, Kind.EXTEND_TERM, change, before, {"ends_on": ends_on.isoformat()}, actor, at)


@transaction.atomic
@tellings.gathered
def change_commitment(
    *, contract_id: int, commitment_id: int | None, wanted: NewCommitment, change: Change, actor: Actor, at: datetime
) -> ContractAmendment:
    """Commit to another amount from a day on, or to one more (no ``commitment_id``).

    Over the term the days before the amendment count by the old amount and those from it on by the new one, both for
    the whole term: 12,000.00, and 18,000.00 from the middle on, are 15,000.00. For each period the new amount is that
    of the periods from the day on. Raises as `change_terms`, and NotAllowed for one that is settled.
    """
    contract = _begun(contract_id, change, at)
    if commitment_id is None:
        within = Span(change.effective_on, contract.ends_on)
        row = contract_drafts.add_commitment(contract=contract, commitment=wanted, within=within, at=at)
        _reprice_of(contract, row, change.effective_on, actor, at)
        return _written(contract, Kind.CHANGE_COMMITMENT, change, {}, contract_rows.noted_commitment(row), actor, at)
    found = ContractCommitment.objects.filter(contract=contract, pk=commitment_id).select_related("item").first()
    if found is None:
        raise errors.NotFound("commitment_not_found", "The contract has no such commitment.")
    if found.settled_at is not None or found.cut_on is not None:
        raise errors.NotAllowed("commitment_is_settled", "The commitment is settled, or ended early.")
    if found.kind == ContractCommitment.Kind.PREPAID:
        raise errors.NotAllowed("commitment_is_prepaid", "A prepaid commitment stays as it is: add another one.")
    if not found.starts_on <= change.effective_on <= found.ends_on or wanted.amount_cents <= 0:
        raise _refused("effective_on", "outside_of_the_commitment", "The commitment is not for that day.")
    before = contract_rows.noted_commitment(found)
    amount = money.from_minor(wanted.amount_cents, contract.currency)
    if found.kind == ContractCommitment.Kind.TERM or change.effective_on == found.starts_on:
        found.amount = blended(commitment=found, amount=amount, day=change.effective_on)
        found.save(update_fields=["amount"])
        row = found
    else:
        row = _split(found, amount, change.effective_on, at)
    _reprice_of(contract, row, change.effective_on, actor, at)
    return _written(contract, Kind.CHANGE_COMMITMENT, change, before, contract_rows.noted_commitment(row), actor, at)


def _begun(contract_id: int, change: Change, at: datetime) -> Contract:
    contract = contract_rows.locked(contract_id)
    if change.seen is not None and change.seen != state_of(contract):
        raise ContractChanged(
            "contract_changed", f"The contract {contract.number} was changed by somebody else. Look at it again."
        )
    contract_states.after(state=contract.state, verb=Verb.AMEND)
    if change.effective_on < contract_rows.today(contract, at):
        raise _refused("effective_on", "invalid_date", "An amendment takes effect today or later.")
    return contract


def _item(contract: Contract, external_id: str) -> ContractItem:
    found = next((row for row in contract_rows.items(contract) if row.external_id == external_id), None)
    if found is None:
        raise errors.NotFound("contract_item_not_found", f"The contract does not sell {external_id}.")
    return found


def _written(
    contract: Contract,
    kind: Kind,
    change: Change,
    before: dict[str, Any],
    after: dict[str, Any],
    actor: Actor,
    at: datetime,
) -> ContractAmendment:
    contract.updated_at = at
    contract.save(update_fields=["updated_at"])
    audit.record(
        actor=actor,
        at=at,
        verb="amend",
        instance=contract,
        old=before,
        new={**after, "effective_on": change.effective_on},
        reason=change.reason,
    )
    tellings.tell(webhook_types.CONTRACT_AMENDED, contract, at=at)
    return contract_rows.amend(
        contract=contract,
        kind=kind.value,
        effective_on=change.effective_on,
        before=before,
        after=after,
        reason=change.reason,
        actor=actor,
        at=at,
    )


def _split(commitment: ContractCommitment, amount: Money, day: date, at: datetime) -> ContractCommitment:
    row = ContractCommitment.objects.create(
        created_at=at,
        contract=commitment.contract,
        kind=commitment.kind,
        item=commitment.item,
        starts_on=day,
        ends_on=commitment.ends_on,
        renews=commitment.renews,
        invoice_name=commitment.invoice_name,
        currency=commitment.currency,
        amount=amount,
    )
    row.taxes.set(commitment.taxes.all())
    commitment.ends_on = day - _DAY
    commitment.save(update_fields=["ends_on"])
    return row


def _reprice_of(contract: Contract, commitment: ContractCommitment, day: date, actor: Actor, at: datetime) -> None:
    """Give the periods of a product from a day on their new minimum: a phase of its own, on the terms it has."""
    item = commitment.item
    if item is None:
        return
    item.contract = contract
    phases = contract_phases.of(item)
    ahead = [
        Phase(Span(max(phase.span.first, day), phase.span.last), Terms(phase.terms.version, phase.terms.overrides))
        for phase in phases
        if phase.span.last >= day
    ]
    for phase in ahead:
        phases = ramps.overlaid(phases=phases, new=phase)
    contract_phases.write(item=item, phases=phases, at=at)
    contract_subscriptions.check_minimums(item)
    contract_subscriptions.reprice(contract=contract, item=item, actor=actor, at=at)


def _refused(field_name: str, code: str, message: str) -> InvalidContract:
    return InvalidContract(code, message, {field_name: [code]})

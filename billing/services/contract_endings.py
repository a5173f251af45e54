"""Ending a contract before its term is over, and looking at what a verb would do. Owns both; the last invoices are the
subscriptions'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from billing.domain import contract_states, contract_terms
from billing.domain.contract_states import Verb
from billing.models import Contract, ContractCommitment
from billing.queries import sold_contracts
from billing.services import (
    billing_days,
    contract_days,
    contract_phases,
    contract_rows,
    contract_subscriptions,
    contract_turns,
    webhook_types,
)
from billing.services.contract_amendments import ContractChanged, state_of
from billing.services.contract_drafts import InvalidContract
from config.kernel.actors import Actor
from config.platform.services import audit, outbox, tellings
from invoicing.models import CreditNote, Invoice


@dataclass(frozen=True)
class PhaseShown:
    """A phase as it would be: product, days, plan and fee."""

    product: str
    starts_on: date
    ends_on: date
    plan: str
    fee: object


@dataclass(frozen=True)
class Preview:
    """What a verb would make by a day: the phases then, and the invoices with their lines and the credit notes.

    The rows exist no more. ``contract`` is as the verb left it.
    """

    contract: Contract
    phases: tuple[PhaseShown, ...]
    invoices: tuple[Invoice, ...]
    credit_notes: tuple[CreditNote, ...]


class _Undo(Exception):
    """Ends a rehearsal, so that nothing of it stays."""


@transaction.atomic
@tellings.gathered
def end(
    *,
    contract_id: int,
    ends_on: date,
    is_whole: bool = False,
    reason: str = "",
    seen: str | None = None,
    actor: Actor,
    at: datetime,
) -> Contract:
    """Let a contract end on a local day before its term does, today at the earliest. It is not renewed.

    Its subscriptions end with that day, with their last invoices; commitments over the term are owed by their days, or
    all of them with ``is_whole``. Raises ContractNotFound, InvalidContractState, ContractChanged, InvalidContract for a
    day that is over or not before the end.
    """
    contract = contract_rows.locked(contract_id)
    contract_states.after(state=contract.state, verb=Verb.END)
    if seen is not None and seen != state_of(contract):
        raise ContractChanged("contract_changed", f"The contract {contract.number} was changed by somebody else.")
    if not contract_rows.today(contract, at) <= ends_on < contract.ends_on or ends_on < contract.starts_on:
        raise InvalidContract(
            "invalid_date",
            f"A contract ends early on a day from today on and before {contract.ends_on}.",
            {"ends_on": ["invalid_date"]},
        )
    old = contract_rows.facts(contract)
    for term in contract.terms.filter(ends_on__gt=ends_on):
        if term.starts_on > ends_on:
            term.delete()
        else:
            term.ends_on, term.months = ends_on, None
            term.save(update_fields=["ends_on", "months"])
    contract.ends_on, contract.renewal, contract.updated_at = ends_on, Contract.Renewal.NONE, at
    contract.save(update_fields=["ends_on", "renewal", "updated_at"])
    for item in contract_rows.items(contract):
        if item.ends_on > ends_on and item.starts_on <= ends_on:
            contract_phases.cut(item=item, last=ends_on, at=at)
            contract_subscriptions.set_end(contract=contract, item=item, last=ends_on, actor=actor, at=at)
            contract_subscriptions.reprice(contract=contract, item=item, actor=actor, at=at)
        elif item.starts_on > ends_on:
            contract_subscriptions.call_off(item=item, actor=actor, at=at)
    _cut_commitments(contract, ends_on, is_whole=is_whole)
    new = contract_rows.facts(contract)
    audit.record(actor=actor, at=at, verb="end_early", instance=contract, old=old, new=new, reason=reason)
    tellings.tell(webhook_types.CONTRACT_AMENDED, contract, at=at)
    return contract


@transaction.atomic
@tellings.gathered
def end_all_of_customer(*, customer_id: int, actor: Actor, at: datetime) -> int:
    """End what a retired customer has signed, today, and throw drafts away. Returns how many contracts that were.

    The subscriptions are ended by whoever calls. Commitments over the term are owed by the days until today.
    """
    rows = Contract.objects.filter(customer_id=customer_id, state__in=[Contract.State.DRAFT, Contract.State.ACTIVE])
    found = list(rows.order_by("pk").values_list("pk", flat=True))
    for contract_id in found:
        contract = contract_rows.locked(contract_id)
        old = {"state": contract.state}
        if contract.state == Contract.State.DRAFT:
            contract.state, contract.canceled_at = Contract.State.CANCELED, at
        else:
            contract.state, contract.ended_at = Contract.State.ENDED, at
            _cut_commitments(contract, contract_rows.today(contract, at), is_whole=False)
        contract.updated_at = at
        contract.save(update_fields=["state", "canceled_at", "ended_at", "updated_at"])
        new = {"state": contract.state}
        audit.record(
            actor=actor, at=at, verb="end", instance=contract, old=old, new=new, reason="The customer was deleted."
        )
        was_draft = contract.state == Contract.State.CANCELED
        tellings.tell(webhook_types.CONTRACT_CANCELED if was_draft else webhook_types.CONTRACT_ENDED, contract, at=at)
    return len(found)


def preview(*, contract: Contract, verb: Callable[[], object], on: date, actor: Actor, at: datetime) -> Preview:
    """Do a verb on a contract, play on to the start of a local day, and undo it all, to see what it would make.

    The same code without a trace of it; nothing is numbered, sent or stored. Raises InvalidContract for a day after the
    end of the contract, and what the verb and billing raise.
    """
    found: list[Preview] = []
    of_customer = {"customer_id": contract.customer_id}
    try:
        with outbox.silence(), transaction.atomic():
            last_invoice, last_note = _last(Invoice, of_customer), _last(CreditNote, of_customer)
            verb()
            _demand_within(contract, on)
            clock = max(at, contract_terms.starts_at(on, contract_rows.zone(contract)))
            contract_days.move_on(contract_id=contract.pk, actor=actor, at=clock)
            billing_days.bill_customers(
                customer_ids=[contract.customer_id], as_of=clock, catch_up=settings.BILLING_CATCH_UP, actor=actor
            )
            invoices = Invoice.objects.filter(pk__gt=last_invoice, **of_customer).order_by("pk")
            notes = CreditNote.objects.filter(pk__gt=last_note, **of_customer).order_by("pk")
            after = sold_contracts.with_content(Contract.objects.filter(pk=contract.pk)).get()
            shown = _phases(after, clock)
            found.append(Preview(after, shown, tuple(invoices.prefetch_related("lines")), tuple(notes)))
            raise _Undo
    except _Undo:
        return found[0]


def _phases(contract: Contract, at: datetime) -> tuple[PhaseShown, ...]:
    found = []
    for item in contract_rows.items(contract):
        for phase in sold_contracts.phases(item):
            version = contract_turns.priced(phase, at)
            plan = phase.plan_version.plan.name
            found.append(PhaseShown(str(item), phase.starts_on, phase.ends_on, plan, version.amount))
    return tuple(found)


def _demand_within(contract: Contract, on: date) -> None:
    ends_on = Contract.objects.values_list("ends_on", flat=True).get(pk=contract.pk)
    if on > ends_on:
        raise InvalidContract(
            "outside_of_the_term", f"The contract ends on {ends_on}.", {"effective_on": ["outside_of_the_term"]}
        )


def _cut_commitments(contract: Contract, last: date, *, is_whole: bool) -> None:
    open_ones = ContractCommitment.objects.filter(contract=contract, settled_at__isnull=True, ends_on__gt=last)
    open_ones.filter(starts_on__gt=last).delete()
    open_ones.filter(kind=ContractCommitment.Kind.PERIOD).update(ends_on=last)
    over_the_term = [ContractCommitment.Kind.TERM, ContractCommitment.Kind.PREPAID]
    open_ones.filter(kind__in=over_the_term).update(cut_on=last, is_whole=is_whole)


def _last(model: type[Invoice | CreditNote], of_customer: dict[str, int]) -> int:
    found: int | None = model.objects.filter(**of_customer).order_by("-pk").values_list("pk", flat=True).first()
    return found or 0

"""The contract that terms of a quote lead to: a new one that is activated, amendments of one, or its next term.

Owns the step from `quote_values` to what the contract services take. Needs a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from billing.domain import quote_completeness
from billing.domain.quote_values import ChangeKind, QuoteChange, QuoteCommitment, QuoteItem, QuotePhase, QuoteTerms
from billing.models import Contract, ContractAmendment, ContractCommitment, Quote, Subscription
from billing.services import (
    contract_activation,
    contract_amendments,
    contract_drafts,
    contract_next_agreed,
    contract_rows,
    quote_change_prices,
    quote_phase_prices,
)
from billing.services.contract_amendments import Change, ContractChanged, NewTerms, state_of
from billing.services.contract_drafts import NewCommitment, NewContract, NewItem, NewPhase
from billing.services.contract_next_agreed import NextTerm
from config.kernel import dates, errors
from config.kernel.actors import Actor
from customers.models import Customer

_MOST_NAME = 255


def make(
    *,
    quote: Quote,
    customer: Customer,
    terms: QuoteTerms,
    seen: str,
    purchase_order_number: str,
    actor: Actor,
    at: datetime,
) -> tuple[Contract | None, list[int]]:
    """Make the contract of a quote, or change the one that it is about; return it with the numbers of amendments.

    Raises ContractChanged where the contract is not as it was seen, and what the contract services raise.
    """
    if quote.kind == Quote.Kind.NEW:
        return _new(quote, customer, terms, purchase_order_number, actor, at), []
    if quote.contract_id is None:
        return None, []
    contract = contract_rows.locked(quote.contract_id)
    if seen and seen != state_of(contract):
        raise ContractChanged(
            "contract_changed",
            f"The contract {contract.number} was changed since it was quoted. Quote it again.",
        )
    if quote.kind == Quote.Kind.RENEWAL:
        made = [_renewed(quote, contract, terms, actor, at)]
    else:
        today = contract_rows.today(contract, at)
        made = [_changed(contract, change, quote, today, actor, at) for change in terms.changes]
    return contract_rows.locked(contract.pk), [row.number for row in made]


def _new(
    quote: Quote, customer: Customer, terms: QuoteTerms, order_number: str, actor: Actor, at: datetime
) -> Contract:
    if terms.term_months is None:
        raise errors.Invalid("validation_errors", "", {"term_months": ["value_is_mandatory"]})
    starts_on = terms.starts_on or dates.local_date(at, dates.zone(customer.applicable_timezone))
    items = named(items=terms.items, customer=customer)
    new = NewContract(
        external_customer_id=customer.external_id,
        name=quote.name,
        starts_on=starts_on,
        term_months=terms.term_months,
        items=[_item(number, item, starts_on, at) for number, item in enumerate(items)],
        commitments=[_commitment(row, terms.items, items) for row in terms.commitments],
        renewal=terms.renewal,
        renewal_months=terms.renewal_months,
        notice_days=terms.notice_days,
        uplift_rate=terms.uplift_rate,
        uplift_scope=terms.uplift_scope,
        billing_time=terms.billing_time,
        purchase_order_number=order_number,
        terms_text=terms.terms_text,
    )
    drafted = contract_drafts.create(new=new, actor=actor, at=at)
    return contract_activation.activate(contract_id=drafted.pk, actor=actor, at=at)


def _renewed(quote: Quote, contract: Contract, terms: QuoteTerms, actor: Actor, at: datetime) -> ContractAmendment:
    if terms.term_months is None:
        raise errors.Invalid("validation_errors", "", {"term_months": ["value_is_mandatory"]})
    starts_on = contract_next_agreed.span_of(contract, terms.term_months).first
    items = named(items=terms.items, customer=contract.customer)
    wanted = NextTerm(
        months=terms.term_months,
        items=[_item(number, item, starts_on, at) for number, item in enumerate(items)],
        commitments=[_commitment(row, terms.items, items) for row in terms.commitments],
        renewal=terms.renewal,
        renewal_months=terms.renewal_months,
        notice_days=terms.notice_days,
        uplift_rate=terms.uplift_rate,
        uplift_scope=terms.uplift_scope,
        reason=f"Quote {quote.number}.",
    )
    return contract_next_agreed.agree(contract_id=contract.pk, wanted=wanted, actor=actor, at=at)


def _changed(
    contract: Contract, change: QuoteChange, quote: Quote, today: date, actor: Actor, at: datetime
) -> ContractAmendment:
    day = change.effective_on or today
    made = Change(effective_on=day, reason=f"Quote {quote.number}.")
    match ChangeKind(change.kind):
        case ChangeKind.CHANGE_TERMS:
            terms = _terms(contract, change, day, at)
            return contract_amendments.change_terms(
                contract_id=contract.pk, terms=terms, change=made, actor=actor, at=at
            )
        case ChangeKind.ADD_PRODUCT:
            sold = QuoteItem(phases=change.phases, external_id=change.external_id, name=change.name)
            (item,) = named(items=[sold], customer=contract.customer)
            return contract_amendments.add_product(
                contract_id=contract.pk, item=_item(0, item, day, at), change=made, actor=actor, at=at
            )
        case ChangeKind.REMOVE_PRODUCT:
            return contract_amendments.remove_product(
                contract_id=contract.pk, external_id=change.external_id, change=made, actor=actor, at=at
            )
        case ChangeKind.EXTEND_TERM:
            return contract_amendments.extend_term(
                contract_id=contract.pk, ends_on=change.ends_on or day, change=made, actor=actor, at=at
            )
        case ChangeKind.CHANGE_COMMITMENT:
            return _recommitted(contract, change, made, actor, at)


def _terms(contract: Contract, change: QuoteChange, day: date, at: datetime) -> NewTerms:
    phase = change.phases[0]
    _, running = quote_change_prices.terms_on(contract=contract, external_id=change.external_id, day=day)
    prices = quote_phase_prices.of(phase=phase, currency=contract.currency, at=at, running=running)
    return NewTerms(
        external_id=change.external_id,
        plan_code=phase.plan_code,
        plan_version=phase.plan_version,
        overrides=prices.overrides,
        until=change.until,
    )


def _recommitted(
    contract: Contract, change: QuoteChange, made: Change, actor: Actor, at: datetime
) -> ContractAmendment:
    commitment_id = None
    if change.commitment_id is not None:
        row = ContractCommitment.objects.filter(contract=contract, uuid=change.commitment_id).first()
        if row is None:
            raise errors.NotFound("commitment_not_found", "The contract has no such commitment.")
        commitment_id = row.pk
    if change.commitment is None:
        raise errors.Invalid("validation_errors", "", {"commitment": ["value_is_mandatory"]})
    return contract_amendments.change_commitment(
        contract_id=contract.pk,
        commitment_id=commitment_id,
        wanted=_commitment(change.commitment, (), ()),
        change=made,
        actor=actor,
        at=at,
    )


def named(*, items: Sequence[QuoteItem], customer: Customer) -> list[QuoteItem]:
    """Return products that all have an external id: of one without it ``<customer>-<plan>``, with the first number
    that is free.
    """
    taken = {item.external_id for item in items if item.external_id}
    found = []
    for item in items:
        if item.external_id:
            found.append(item)
            continue
        external_id = _free(f"{customer.external_id}-{item.phases[0].plan_code}"[: _MOST_NAME - 8], taken)
        taken.add(external_id)
        found.append(replace(item, external_id=external_id))
    return found


def _free(wanted: str, taken: set[str]) -> str:
    rows = Subscription.objects.filter(external_id__startswith=wanted).values_list("external_id", flat=True)
    used = taken | set(rows)
    number, found = 1, wanted
    while found in used:
        number += 1
        found = f"{wanted}-{number}"
    return found


def _item(number: int, item: QuoteItem, starts_on: date, at: datetime) -> NewItem:
    first = dates.add_months(starts_on, item.starts_after_months)
    return NewItem(
        external_id=item.external_id,
        name=item.name,
        starts_on=first,
        phases=[
            _phase(f"items.{number}.phases.{place}", phase, starts_on, item.starts_after_months, at)
            for place, phase in enumerate(item.phases)
        ],
    )


def _phase(path: str, phase: QuotePhase, starts_on: date, offset: int, at: datetime) -> NewPhase:
    """Return a phase on the prices that were quoted: its own terms have the discount in them."""
    version = contract_drafts.version_of(phase.plan_code, phase.plan_version)
    with quote_phase_prices.under(path):
        prices = quote_phase_prices.of(phase=phase, currency=version.currency, at=at)
    return NewPhase(
        plan_code=phase.plan_code,
        plan_version=phase.plan_version,
        starts_on=dates.add_months(starts_on, offset + phase.after_months),
        overrides=prices.overrides,
    )


def _commitment(row: QuoteCommitment, asked: Sequence[QuoteItem], items: Sequence[QuoteItem]) -> NewCommitment:
    external_id = row.external_id
    if row.kind == ContractCommitment.Kind.PERIOD and asked:
        place = quote_completeness.product(items=asked, external_id=row.external_id)
        external_id = row.external_id if place is None else items[place].external_id
    return NewCommitment(
        amount_cents=row.amount_cents,
        kind=row.kind,
        external_id=external_id,
        invoice_name=row.invoice_name,
        tax_codes=row.tax_codes,
        renews=row.renews,
        instalments=row.instalments,
        grant_on=row.grant_on,
        rolls_over=row.rolls_over,
    )

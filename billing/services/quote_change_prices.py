"""What the changes of an amendment come to: the contract's prices as they are, and as they are quoted.

Owns reading these from a contract; writes nothing. Months are those from a change's day to the end of its product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from moneyed import Money

from billing.domain import quote_totals, ramps
from billing.domain.contract_terms import Span
from billing.domain.quote_figures import ChangeFigures, PricedCommitment, PricedPhase
from billing.domain.quote_prices import PlanPrices
from billing.domain.quote_values import ChangeKind, QuoteChange
from billing.models import Contract, ContractCommitment, ContractItem
from billing.services import (
    contract_amendments,
    contract_phases,
    contract_rows,
    quote_change_plays,
    quote_phase_prices,
)
from billing.services.contract_phases import Terms
from billing.services.quote_phase_prices import under
from config.kernel import errors, money


@dataclass(frozen=True, slots=True)
class Priced:
    """The phases and figures that changes make, and the months that are left of the contract from the first of them."""

    phases: tuple[PricedPhase, ...] = ()
    changes: tuple[ChangeFigures, ...] = ()
    commitments: tuple[PricedCommitment, ...] = ()
    months: Decimal = Decimal(0)


def of(*, changes: Sequence[QuoteChange], contract: Contract, today: date, at: datetime) -> Priced:
    """Return what changes of a contract come to, from their days on (today where none is said).

    Each is held against what the ones before it leave of the contract, as they are made. Raises InvalidTerms with the
    path of a change that names what the contract does not have.
    """
    first = min((change.effective_on or today for change in changes), default=today)
    played = quote_change_plays.begin(contract)
    told, committed = [], []
    for number, change in enumerate(changes):
        day = change.effective_on or today
        with under(f"changes.{number}"):
            kind = ChangeKind(change.kind) if change.kind else ChangeKind.CHANGE_TERMS
            if kind is ChangeKind.EXTEND_TERM:
                told.append(_extended(number, change, contract, played.last, day))
                played.extend(number, change, at)
            elif kind is ChangeKind.CHANGE_COMMITMENT:
                figures, row = _committed(number, change, contract, day)
                told.append(figures)
                committed.append(row)
            else:
                played.sell(number, change, kind, day, at)
                told.append(ChangeFigures(number, kind.value, change.name or change.external_id, change.effective_on))
    months = Decimal(0)
    if first <= played.last:
        months = quote_totals.months_between(first=first, after=Span(played.last, played.last).after)
    return Priced(tuple(played.pieces(first)), tuple(told), tuple(committed), months)


def at_the_end(*, contract: Contract | None, at: datetime) -> dict[str, PlanPrices]:
    """Return the prices that the products of a contract have at its end, by external id."""
    if contract is None:
        return {}
    found = {}
    for item in contract_rows.items(contract):
        if item.ends_on == contract.ends_on:
            last = contract_phases.of(item)[-1].terms
            found[item.external_id] = quote_phase_prices.running(last, at=at)
    return found


def terms_on(*, contract: Contract, external_id: str, day: date) -> tuple[ContractItem, Terms]:
    """Return a product of a contract and the terms that it has on a day. Raises Invalid (`external_id`)."""
    item = next((row for row in contract_rows.items(contract) if row.external_id == external_id), None)
    if item is None:
        raise errors.Invalid(
            "contract_item_not_found",
            f"The contract does not sell {external_id}.",
            {"external_id": ["contract_item_not_found"]},
        )
    phase = ramps.at(phases=contract_phases.of(item), day=day)
    if phase is None:
        raise errors.Invalid(
            "outside_of_the_product",
            f"{item} is not sold on {day}.",
            {"effective_on": ["outside_of_the_product"]},
        )
    return item, phase.terms


def _extended(number: int, change: QuoteChange, contract: Contract, last: date, day: date) -> ChangeFigures:
    return ChangeFigures(
        number=number,
        kind=ChangeKind.EXTEND_TERM.value,
        label=contract.name,
        effective_on=change.effective_on,
        before_day=last,
        after_day=change.ends_on or day,
    )


def _committed(
    number: int, change: QuoteChange, contract: Contract, day: date
) -> tuple[ChangeFigures, PricedCommitment]:
    wanted = change.commitment
    if wanted is None:
        raise errors.Invalid("value_is_mandatory", "Say the commitment.", {"commitment": ["value_is_mandatory"]})
    before, row = None, None
    if change.commitment_id is not None:
        row = ContractCommitment.objects.filter(contract=contract, uuid=change.commitment_id).first()
        if row is None:
            raise errors.Invalid(
                "commitment_not_found",
                "The contract has no such commitment.",
                {"commitment_id": ["commitment_not_found"]},
            )
        before = row.amount.amount
    after = money.from_minor(wanted.amount_cents, contract.currency).amount
    whole = after
    if row is not None and row.kind == ContractCommitment.Kind.TERM and row.starts_on <= day <= row.ends_on:
        whole = contract_amendments.blended(commitment=row, amount=Money(after, contract.currency), day=day).amount
    figures = ChangeFigures(
        number=number,
        kind=ChangeKind.CHANGE_COMMITMENT.value,
        label=wanted.invoice_name or "Commitment",
        effective_on=change.effective_on or day,
        before_amount=before,
        after_amount=after,
    )
    told = PricedCommitment(
        wanted.kind, wanted.invoice_name, wanted.external_id, whole, wanted.instalments, is_change=before is not None
    )
    return figures, told

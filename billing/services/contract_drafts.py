"""Drafting a contract: what was negotiated, checked as a whole and written down. Owns making drafts and throwing them
away; nothing is sold before `contract_activation`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from billing.domain import contract_states, contract_terms, ramps, renewals, uplifts
from billing.domain import terms as subscription_terms
from billing.domain.contract_states import Verb
from billing.domain.contract_terms import Span
from billing.domain.renewals import Renewal
from billing.models import Contract, ContractCommitment, ContractItem, ContractPhase, ContractTerm
from billing.queries import subscriptions as known
from billing.services import contract_prices, contract_rows, webhook_types
from catalog.models import PlanVersion
from catalog.queries import taxes
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.services import audit, numbers, tellings
from customers.models import Customer

SCOPE = "contract"


class InvalidContract(errors.Invalid):
    """The parts of a contract do not fit together."""


@dataclass(frozen=True)
class NewPhase:
    """A phase of a product: from ``starts_on`` (the first one: with the product) until the next one or the end.

    ``overrides`` are own terms as a subscription's ``plan_overrides`` take them, ``units`` numbers of fixed charges by
    their codes. The prices are the plan's current ones, or those of the version with the number ``plan_version``.
    """

    plan_code: str
    starts_on: date | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Decimal] = field(default_factory=dict)
    plan_version: int | None = None

    @property
    def prices(self) -> tuple[str, int | None]:
        """Return which prices it is agreed on."""
        return self.plan_code, self.plan_version


@dataclass(frozen=True)
class NewItem:
    """A product: the subscription that serves it, and its phases. It starts with the contract unless told otherwise."""

    external_id: str
    phases: Sequence[NewPhase]
    name: str = ""
    starts_on: date | None = None


@dataclass(frozen=True)
class NewCommitment:
    """A commitment in minor units: over the days given (else the whole term), or for each period of a product.

    One that is prepaid is invoiced in ``instalments``, grants its credit as ``grant_on`` says, and what is left of it
    ``rolls_over`` into a renewed term or expires.
    """

    amount_cents: int
    kind: str = ContractCommitment.Kind.TERM
    external_id: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    invoice_name: str = ""
    tax_codes: Sequence[str] = ()
    renews: bool = True
    instalments: str = ContractCommitment.Instalments.WHOLE
    grant_on: str = ContractCommitment.GrantOn.PAYMENT
    rolls_over: bool = False


@dataclass(frozen=True)
class NewContract:
    """What is agreed with a customer. Without ``renewal_months`` a renewed term is as long as the first one."""

    external_customer_id: str
    name: str
    starts_on: date
    term_months: int
    items: Sequence[NewItem]
    commitments: Sequence[NewCommitment] = ()
    renewal: str = Contract.Renewal.NONE
    renewal_months: int | None = None
    notice_days: int = 0
    uplift_rate: Decimal = Decimal(0)
    uplift_scope: str = Contract.UpliftScope.FEE
    billing_time: str = Contract.BillingTime.ANNIVERSARY
    purchase_order_number: str = ""
    terms_text: str = ""


@transaction.atomic
def create(*, new: NewContract, actor: Actor, at: datetime) -> Contract:
    """Write a contract down as a draft, which bills nothing. Its number is the installation's next one.

    Days are local to the customer. Raises NotFound (customer, plan), InvalidTerm, InvalidRamp, InvalidNotice,
    InvalidUplift, InvalidContract, and what own terms raise.
    """
    customer = known.customer(new.external_customer_id)
    span = contract_terms.term(starts_on=new.starts_on, months=new.term_months)
    renewal_months = new.term_months if new.renewal_months is None else new.renewal_months
    contract_terms.term(starts_on=new.starts_on, months=renewal_months)
    renewals.check(renewal=Renewal(new.renewal), notice_days=new.notice_days)
    uplifts.check(new.uplift_rate)
    if not new.items:
        raise InvalidContract("value_is_mandatory", "A contract sells a product.", {"items": ["value_is_mandatory"]})
    versions = _versions(new, customer)
    (number,) = numbers.take(scope=SCOPE)
    contract = Contract.objects.create(
        created_at=at,
        updated_at=at,
        number=f"CT-{number:06d}",
        customer=customer,
        name=new.name,
        currency=next(iter(versions.values())).currency,
        starts_on=span.first,
        ends_on=span.last,
        term_months=new.term_months,
        renewal=new.renewal,
        renewal_months=renewal_months,
        notice_days=new.notice_days,
        uplift_rate=new.uplift_rate,
        uplift_scope=new.uplift_scope,
        billing_time=new.billing_time,
        purchase_order_number=new.purchase_order_number,
        terms_text=new.terms_text,
    )
    ContractTerm.objects.create(
        created_at=at, contract=contract, number=1, starts_on=span.first, ends_on=span.last, months=new.term_months
    )
    for item in new.items:
        add_item(contract=contract, item=item, versions=versions, at=at)
    for commitment in new.commitments:
        add_commitment(contract=contract, commitment=commitment, within=span, at=at)
    audit.record(actor=actor, at=at, verb="create", instance=contract, new=contract_rows.facts(contract))
    return contract


@transaction.atomic
def cancel(*, contract_id: int, actor: Actor, at: datetime, reason: str = "") -> Contract:
    """Throw a draft away. Nothing was sold. Raises ContractNotFound, InvalidContractState."""
    contract = contract_rows.locked(contract_id)
    old = {"state": contract.state}
    contract.state = contract_states.after(state=contract.state, verb=Verb.CANCEL).value
    contract.canceled_at = contract.updated_at = at
    contract.save(update_fields=["state", "canceled_at", "updated_at"])
    audit.record(
        actor=actor, at=at, verb="cancel", instance=contract, old=old, new={"state": contract.state}, reason=reason
    )
    tellings.tell(webhook_types.CONTRACT_CANCELED, contract, at=at)
    return contract


def add_item(
    *, contract: Contract, item: NewItem, versions: Mapping[tuple[str, int | None], PlanVersion], at: datetime
) -> ContractItem:
    """Write a product with its phases under a contract, until the contract's end. Needs a transaction.

    ``versions`` are the plan versions by the phases' ``prices``.

    Raises InvalidContract (`external_id`), InvalidRamp, and what own terms raise.
    """
    subscription_terms.check_external_id(item.external_id)
    whole = Span(item.starts_on or contract.starts_on, contract.ends_on)
    if whole.first < contract.starts_on:
        raise InvalidContract(
            "invalid_date", "A product cannot start before its contract.", {"starts_on": ["invalid_date"]}
        )
    if ContractItem.objects.filter(contract=contract, external_id=item.external_id).exists():
        raise InvalidContract(
            "value_already_exist",
            f"The contract sells {item.external_id} already.",
            {"external_id": ["value_already_exist"]},
        )
    row = ContractItem.objects.create(
        created_at=at,
        contract=contract,
        external_id=item.external_id,
        name=item.name,
        starts_on=whole.first,
        ends_on=whole.last,
    )
    given = list(item.phases)
    if any(phase.starts_on is None for phase in given[1:]):
        raise InvalidContract(
            "value_is_mandatory", "A later phase needs its first day.", {"phases": ["value_is_mandatory"]}
        )
    spans = ramps.stepped(starts=[phase.starts_on or whole.first for phase in given], last=whole.last)
    ramps.check(phases=[ramps.Phase(span, phase) for span, phase in zip(spans, given, strict=True)], within=whole)
    for span, phase in zip(spans, given, strict=True):
        version = versions[phase.prices]
        ContractPhase.objects.create(
            created_at=at,
            item=row,
            starts_on=span.first,
            ends_on=span.last,
            plan_version=version,
            overrides=agreed_terms(version=version, phase=phase, at=at),
        )
    return row


def agreed_terms(*, version: PlanVersion, phase: NewPhase, at: datetime) -> dict[str, Any]:
    """Return the own terms of a new phase as they are kept."""
    terms = contract_prices.with_units(terms=phase.overrides, units=phase.units)
    return contract_prices.agreed(version=version, terms=terms, at=at)


def add_commitment(*, contract: Contract, commitment: NewCommitment, within: Span, at: datetime) -> ContractCommitment:
    """Write a commitment for days that lie in the term. Raises InvalidContract, InvalidTerm, NotFound (tax)."""
    span = Span(commitment.starts_on or within.first, commitment.ends_on or within.last)
    if span.first < within.first or span.last > within.last:
        raise InvalidContract(
            "invalid_date", "A commitment lies within its term.", {"commitments": ["outside_of_the_term"]}
        )
    if commitment.amount_cents <= 0:
        raise InvalidContract(
            "value_is_out_of_range",
            "A commitment is more than nothing.",
            {"commitments": ["value_is_out_of_range"]},
        )
    if commitment.kind == ContractCommitment.Kind.PREPAID and commitment.tax_codes:
        raise InvalidContract(
            "taxes_not_allowed",
            "What is prepaid is taxed when it is used.",
            {"commitments": ["taxes_not_allowed"]},
        )
    item = None
    if commitment.kind == ContractCommitment.Kind.PERIOD:
        item = ContractItem.objects.filter(contract=contract, external_id=commitment.external_id).first()
        if item is None:
            raise InvalidContract(
                "value_is_mandatory",
                "A commitment for each period names the product that it is for.",
                {"commitments": ["external_id_is_mandatory"]},
            )
    row = ContractCommitment.objects.create(
        created_at=at,
        contract=contract,
        kind=commitment.kind,
        item=item,
        starts_on=span.first,
        ends_on=span.last,
        renews=commitment.renews,
        instalments=commitment.instalments,
        grant_on=commitment.grant_on,
        rolls_over=commitment.rolls_over,
        invoice_name=commitment.invoice_name,
        currency=contract.currency,
        amount=money.from_minor(commitment.amount_cents, contract.currency),
    )
    row.taxes.set(taxes.by_codes(codes=commitment.tax_codes) if commitment.tax_codes else ())
    return row


def version_of(plan_code: str, number: int | None = None) -> PlanVersion:
    """Return the prices that a phase is agreed on: what is on sale under a plan's code now, or its version of a number.

    Raises NotFound (`plan_not_found`, `plan_version_not_found`).
    """
    current = known.current_version(plan_code)
    if number is None or current.number == number:
        return current
    version = PlanVersion.objects.filter(plan=current.plan, number=number, base__isnull=True).first()
    if version is None:
        raise errors.NotFound("plan_version_not_found", f"The plan {plan_code} has no version {number}.")
    version.plan = current.plan
    return version


def _versions(new: NewContract, customer: Customer) -> dict[tuple[str, int | None], PlanVersion]:
    wanted = {phase.prices: phase for item in new.items for phase in item.phases}
    if not wanted:
        raise InvalidContract("value_is_mandatory", "A product needs a phase.", {"phases": ["value_is_mandatory"]})
    found = {key: version_of(*key) for key in sorted(wanted, key=str)}
    currencies = {version.currency for version in found.values()} | ({customer.currency} - {""})
    if len(currencies) > 1:
        raise InvalidContract(
            "currencies_does_not_match",
            "The plans of a contract, and its customer, have one currency.",
            {"currency": ["currencies_does_not_match"]},
        )
    return found

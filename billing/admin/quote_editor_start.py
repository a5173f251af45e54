"""What the editor of a quote starts from: nothing, a version that exists, another quote, or a contract that runs.

A renewal starts with what the contract sells in its last days, its prices after the uplift that was agreed; a change
with nothing but the contract.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from billing.admin import quote_editor_forms as forms
from billing.admin import quote_editor_prices as prices
from billing.admin import quote_editor_rows as rows
from billing.admin import quote_editor_terms as terms
from billing.admin.quote_editor_prices import PriceLists
from billing.admin.quote_editor_rows import Typed
from billing.domain.uplifts import Scope
from billing.models import Contract, ContractPhase, Quote, QuoteVersion
from billing.queries import sold_contracts
from billing.services import contract_prices
from catalog.models import PlanVersion
from catalog.queries import plans
from config.kernel import dates, money

UNITS = frozenset({"units", "apply_units_immediately"})


@dataclass
class Start:
    """What the page opens with: the fields of the head, the rows, and the price lists that they are about."""

    head: dict[str, Any] = field(default_factory=dict)
    typed: Typed = field(default_factory=Typed)
    lists: PriceLists = field(default_factory=PriceLists)
    contract: Contract | None = None


def fresh(*, at: datetime, zone: Any, kind: str, customer: str = "", plan: str = "") -> Start:
    """An empty quote, with a product to begin with."""
    head = forms.initial(at=at, zone=zone) | {"kind": kind}
    if customer:
        head["customer"] = customer
    start = Start(head=head)
    name = "one_offs" if kind == Quote.Kind.ONE_OFF else "items"
    row = rows.new(name)
    if plan and row.phases:
        row.phases[0].values["plan_code"] = plan
    start.typed.lists[name].append(row)
    start.lists = lists_of(start.typed, contract=None, day=at.date())
    return start


def of_version(version: QuoteVersion, *, at: datetime) -> Start:
    """A version as it is."""
    quote = version.quote
    head = {
        **forms.of_terms(version.terms),
        **forms.of_prospect(quote.prospect),
        "kind": quote.kind,
        "contract": quote.contract_id,
        "customer": quote.customer_id,
        "whom": "customer" if quote.customer_id else "prospect",
        "name": quote.name,
        "billing_entity": quote.billing_entity_id,
        "currency": version.currency,
        "valid_until": version.valid_until,
        "owner": quote.owner_id,
        "introduction": version.introduction,
    }
    contract = None if quote.contract_id is None else with_content(quote.contract_id)
    return _of_terms(version.terms, head, version.currency, contract, at)


def copied(quote: Quote, version: QuoteVersion, *, at: datetime, zone: Any) -> Start:
    """A new quote that offers what another one does: of its newest version, at the prices on sale now."""
    start = of_version(version, at=at)
    start.head |= {"valid_until": forms.initial(at=at, zone=zone)["valid_until"], "owner": None}
    for _, phase in start.typed.phases():
        phase.values[prices.KEPT_VERSION] = ""
    if quote.kind in (Quote.Kind.NEW, Quote.Kind.ONE_OFF):
        start.head["starts_on"] = None
    start.lists = lists_of(start.typed, contract=start.contract, day=at.date())
    return start


def of_contract(contract: Contract, *, kind: str, at: datetime, zone: Any) -> Start:
    """A change of a contract, or its renewal."""
    head = forms.initial(at=at, zone=zone)
    title = "Renewal" if kind == Quote.Kind.RENEWAL else "Change"
    head |= {
        "kind": kind,
        "contract": contract.pk,
        "customer": contract.customer_id,
        "name": f"{title} of {contract.name}"[:255],
        "billing_entity": contract.customer.billing_entity_id,
        "currency": contract.currency,
    }
    if kind != Quote.Kind.RENEWAL:
        return _of_terms({}, head, contract.currency, contract, at)
    renewed = _renewal(contract, at=at)
    return _of_terms(renewed, head | forms.of_terms(renewed), contract.currency, contract, at)


def with_content(contract_id: int) -> Contract:
    """Fetch a contract with its products and their phases."""
    return sold_contracts.with_content(Contract.objects.filter(pk=contract_id)).get()


def lists_of(typed: Typed, *, contract: Contract | None, day: date) -> PriceLists:
    """Fetch the price lists that rows are about. A fixed number of statements."""
    wanted = {(phase.values.get("plan_code", ""), prices.pinned(phase)) for _, phase in typed.phases()}
    return PriceLists(prices.fetched(wanted), {} if contract is None else running(contract, day=day))


def running(contract: Contract, *, day: date) -> dict[str, PlanVersion]:
    """The prices that the products of a contract have on a day, own terms and agreed units in them, by their ids."""
    found: dict[str, ContractPhase] = {}
    for item in contract.items.all():
        phases = sorted(item.phases.all(), key=lambda one: one.starts_on)
        living = [one for one in phases if one.starts_on <= day] or phases[:1]
        if living:
            found[item.external_id] = living[-1]
    ids = {one.own_version_id or one.plan_version_id for one in found.values()}
    versions = {one.pk: one for one in plans.with_content(PlanVersion.objects.filter(pk__in=ids))}
    return {key: _with_units(versions[one.own_version_id or one.plan_version_id], one) for key, one in found.items()}


def _of_terms(
    content: Mapping[str, Any], head: dict[str, Any], currency: str, contract: Contract | None, at: datetime
) -> Start:
    phases = [
        phase
        for name in rows.PHASED
        for row in content.get(name) or ()
        for phase in row.get("phases") or ()
        if phase.get("plan_code")
    ]
    pinned = {(str(one["plan_code"]), one.get("plan_version")) for one in phases}
    day = at.date() if contract is None else dates.local_date(at, dates.zone(contract.customer.applicable_timezone))
    lists = PriceLists(prices.fetched(pinned), {} if contract is None else running(contract, day=day))
    return Start(head, terms.typed(content, currency=currency, lists=lists), lists, contract)


def _renewal(contract: Contract, *, at: datetime) -> dict[str, Any]:
    """The next term as it would be without a word: the same products on their last terms, after the uplift."""
    items = []
    for item in contract.items.all():
        phases = sorted(item.phases.all(), key=lambda one: one.starts_on)
        if item.removed_at is not None or not phases or item.ends_on < contract.ends_on:
            continue
        items.append(
            {"external_id": item.external_id, "name": item.name, "phases": [_renewed(contract, phases[-1], at)]}
        )
    commitments = [
        {
            "kind": one.kind,
            "amount_cents": money.to_minor(one.amount),
            "external_id": "" if one.item is None else one.item.external_id,
            "invoice_name": one.invoice_name,
            "tax_codes": [tax.code for tax in one.taxes.all()],
            "renews": one.renews,
            "instalments": one.instalments,
            "grant_on": one.grant_on,
            "rolls_over": one.rolls_over,
        }
        for one in contract.commitments.all()
        if one.renews and one.cut_on is None and one.ends_on == contract.ends_on
    ]
    return {
        "term_months": contract.renewal_months,
        "renewal": contract.renewal,
        "renewal_months": contract.renewal_months,
        "notice_days": contract.notice_days,
        "uplift_rate": str(contract.uplift_rate),
        "uplift_scope": contract.uplift_scope,
        "purchase_order_number": contract.purchase_order_number,
        "terms_text": contract.terms_text,
        "items": items,
        "commitments": commitments,
    }


def _renewed(contract: Contract, phase: ContractPhase, at: datetime) -> dict[str, Any]:
    agreed = dict(phase.overrides)
    if contract.uplift_rate:
        agreed = contract_prices.uplifted(
            phase=phase,
            version=phase.own_version or phase.plan_version,
            rate=contract.uplift_rate,
            scope=Scope(contract.uplift_scope),
            at=at,
        )
    fixed = [dict(row) for row in agreed.get("fixed_charges", ())]
    units = {str(row["code"]): str(row["units"]) for row in fixed if row.get("code") and "units" in row}
    kept = [{key: value for key, value in row.items() if key not in UNITS} for row in fixed]
    agreed["fixed_charges"] = [row for row in kept if set(row) - {"id", "code"}]
    return {
        "plan_code": phase.plan_version.plan.code,
        "plan_version": phase.plan_version.number,
        "overrides": {key: value for key, value in agreed.items() if value not in ([], {}, None)},
        "units": units,
    }


def _with_units(version: PlanVersion, phase: ContractPhase) -> PlanVersion:
    """Put the units of a phase's own into its prices, in memory: a contract keeps them beside its prices."""
    agreed = {str(row.get("id")): row["units"] for row in phase.overrides.get("fixed_charges", ()) if "units" in row}
    version = copy.deepcopy(version)  # two products may share one
    for charge in version.fixed_charges.all():
        if str(charge.key) in agreed:
            charge.units = type(charge.units)(agreed[str(charge.key)])
    return version

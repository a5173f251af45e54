"""Amending a contract in the admin: other terms, products more and less, a longer term, another commitment. The same
verbs edit a draft, which leaves no amendment behind.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from billing.admin import contract_forms, contract_verbs
from billing.admin.contract_verbs import Weighed
from billing.models import Contract, ContractCommitment
from billing.queries import sold_contracts
from billing.services import contract_amendments, contract_edits, contract_rows
from billing.services.contract_amendments import Change, NewTerms
from billing.services.contract_drafts import NewCommitment, NewItem, NewPhase
from config.kernel.actors import Actor
from config.platform.admin.forms import VerbForm

State = Contract.State


class ChangeTerms(Weighed):
    """Agree on other terms of a product."""

    name = "change_terms"
    label = "Terms"
    icon = "tune"
    states = (State.DRAFT, State.ACTIVE)
    explanation = (
        "A phase of the product begins on the day: another fee, other units, or another plan. Phases in its way are "
        "cut. What was billed before stays."
    )
    confirm = "Change the terms"
    form_class = contract_forms.TermsForm

    def form(self, *, data: Any, instance: Contract, at: datetime) -> VerbForm:
        """The products of this contract."""
        form = super().form(data=data, instance=instance, at=at)
        form.offer(instance)  # type: ignore[attr-defined]
        return form

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Change them: a draft is edited, a contract amended."""
        own, units = contract_forms.own_terms(values, instance.currency), contract_forms.units(values)
        code = "" if values["plan"] is None else values["plan"].code
        if instance.state == State.DRAFT:
            phase = NewPhase(code or _plan_of(instance, values["product"]), values["effective_on"], own, units)
            verb: Callable[[], object] = functools.partial(
                contract_edits.set_phase,
                contract_id=instance.pk,
                external_id=values["product"],
                phase=phase,
                until=values["until"],
                actor=actor,
                at=at,
            )
            return verb, contract_rows.today(instance, at)
        terms = NewTerms(values["product"], code, own, units, values["until"])
        verb = functools.partial(
            contract_amendments.change_terms,
            contract_id=instance.pk,
            terms=terms,
            change=_change(values),
            actor=actor,
            at=at,
        )
        return verb, values["effective_on"]


class AddProduct(Weighed):
    """Sell another product."""

    name = "add_product"
    label = "Add product"
    icon = "add_shopping_cart"
    states = (State.DRAFT, State.ACTIVE)
    explanation = "It ends with the contract. Its periods are the contract's, so the first one may be a part."
    confirm = "Add the product"
    form_class = contract_forms.ProductForm

    def initial(self, *, instance: Contract, at: datetime) -> Mapping[str, Any]:
        """A draft's product begins with it."""
        seen = super().initial(instance=instance, at=at)
        return {**seen, "effective_on": instance.starts_on} if instance.state == State.DRAFT else seen

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Add it: a draft is edited, a contract amended."""
        own, units = contract_forms.own_terms(values, instance.currency), contract_forms.units(values)
        phase = NewPhase(values["plan"].code, None, own, units)
        item = NewItem(values["external_id"], (phase,), values["name"], values["effective_on"])
        if instance.state == State.DRAFT:
            edit = functools.partial(contract_edits.add_product, contract_id=instance.pk, item=item, actor=actor, at=at)
            return edit, contract_rows.today(instance, at)
        amend = functools.partial(
            contract_amendments.add_product,
            contract_id=instance.pk,
            item=item,
            change=_change(values),
            actor=actor,
            at=at,
        )
        return amend, values["effective_on"]


class RemoveProduct(Weighed):
    """Stop selling a product."""

    name = "remove_product"
    label = "Remove product"
    icon = "remove_shopping_cart"
    explanation = "The day before is its last one: its subscription ends then, with its last invoice."
    confirm = "Remove the product"
    form_class = contract_forms.RemoveForm

    def form(self, *, data: Any, instance: Contract, at: datetime) -> VerbForm:
        """The products of this contract."""
        form = super().form(data=data, instance=instance, at=at)
        form.offer(instance)  # type: ignore[attr-defined]
        return form

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Remove it."""
        verb = functools.partial(
            contract_amendments.remove_product,
            contract_id=instance.pk,
            external_id=values["product"],
            change=_change(values),
            actor=actor,
            at=at,
        )
        return verb, values["effective_on"]


class ExtendTerm(Weighed):
    """Let the running term last longer."""

    name = "extend_term"
    label = "Extend"
    icon = "date_range"
    explanation = "All products go on until the new last day on the terms of their last phases."
    confirm = "Extend the term"
    form_class = contract_forms.ExtendForm

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Extend it."""
        today = contract_rows.today(instance, at)
        verb = functools.partial(
            contract_amendments.extend_term,
            contract_id=instance.pk,
            ends_on=values["ends_on"],
            change=Change(today, values["reason"], values["seen"]),
            actor=actor,
            at=at,
        )
        return verb, today


class ChangeCommitment(Weighed):
    """Agree on another commitment."""

    name = "change_commitment"
    label = "Commitment"
    icon = "flag"
    states = (State.DRAFT, State.ACTIVE)
    explanation = (
        "Over the term, the days before count by the old amount and those from the day on by the new one. Without a "
        "choice it is one more, from the day to the end of the contract."
    )
    confirm = "Change the commitment"
    form_class = contract_forms.CommitmentForm

    def initial(self, *, instance: Contract, at: datetime) -> Mapping[str, Any]:
        """From today on, or for all of a draft."""
        first = instance.starts_on if instance.state == State.DRAFT else contract_rows.today(instance, at)
        return {**super().initial(instance=instance, at=at), "effective_on": first}

    def form(self, *, data: Any, instance: Contract, at: datetime) -> VerbForm:
        """The commitments of this contract that are open."""
        form = super().form(data=data, instance=instance, at=at)
        rows = ContractCommitment.objects.filter(contract=instance, settled_at__isnull=True, cut_on__isnull=True)
        rows = rows.select_related("contract")  # which names it
        form.fields["commitment"].queryset = rows if instance.state == State.ACTIVE else rows.none()
        return form

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Change it: a draft gets one more, a contract is amended."""
        cents = contract_verbs.cents(values["amount"], instance.currency)
        agreed = {"invoice_name": values["invoice_name"], **contract_forms.prepaid(values)}
        if instance.state == State.DRAFT:
            new = NewCommitment(cents, starts_on=values["effective_on"], **agreed)
            edit = functools.partial(
                contract_edits.add_commitment, contract_id=instance.pk, commitment=new, actor=actor, at=at
            )
            return edit, contract_rows.today(instance, at)
        chosen = values["commitment"]
        amend = functools.partial(
            contract_amendments.change_commitment,
            contract_id=instance.pk,
            commitment_id=None if chosen is None else chosen.pk,
            wanted=NewCommitment(cents, **agreed),
            change=_change(values),
            actor=actor,
            at=at,
        )
        return amend, values["effective_on"]


def _change(values: Mapping[str, Any]) -> Change:
    return Change(values["effective_on"], values["reason"], values["seen"])


def _plan_of(contract: Contract, external_id: str) -> str:
    item = contract.items.get(external_id=external_id)
    return sold_contracts.phases(item)[-1].plan_version.plan.code

"""Verbs on contracts in the admin: drafting, activating, amending, notice, ends. Each shows first what it would do."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from billing.admin import contract_blocks, contract_forms
from billing.models import Contract
from billing.queries import sold_contracts
from billing.services import (
    contract_activation,
    contract_amendments,
    contract_drafts,
    contract_endings,
    contract_renewals,
    contract_rows,
)
from billing.services.contract_drafts import NewCommitment, NewContract, NewItem, NewPhase
from config.kernel import errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome

State = Contract.State
_HUNDRED = Decimal(100)


class CreateContract(ListVerb):
    """Draft a contract."""

    name = "create"
    label = "New contract"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.add_contract"
    explanation = "A draft sells nothing. Add phases, products and commitments to it, then activate it."
    confirm = "Make the draft"
    form_class = contract_forms.NewContractForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        currency = contract_drafts.version_of(values["plan"].code).currency
        phase = NewPhase(
            plan_code=values["plan"].code,
            overrides=contract_forms.own_terms(values, currency),
            units=contract_forms.units(values),
        )
        committed = values["commitment"]
        new = NewContract(
            external_customer_id=values["customer"].external_id,
            name=values["name"],
            starts_on=values["starts_on"],
            term_months=values["term_months"],
            items=(NewItem(values["external_id"], (phase,)),),
            commitments=(NewCommitment(cents(committed, currency)),) if committed else (),
            renewal=values["renewal"],
            notice_days=values["notice_days"],
            uplift_rate=values["uplift"] / _HUNDRED,
            uplift_scope=values["uplift_scope"],
            billing_time=values["billing_time"],
            purchase_order_number=values["purchase_order_number"],
            terms_text=values["terms_text"],
        )
        made = contract_drafts.create(new=new, actor=actor, at=at)
        return Outcome(f"The draft {made.number} was made.", cells.page_url(made))


class ContractVerb(ObjectVerb):
    """What verbs of a contract share: the state that allows it, and the contract as it is now."""

    permission = "billing.activate_contract"
    states: tuple[str, ...] = (State.ACTIVE,)

    def check(self, *, instance: Contract, at: datetime) -> None:
        """The state has to allow it."""
        if instance.state not in self.states:
            raise errors.NotAllowed(
                "invalid_contract_state", f"A contract that is {instance.get_state_display()} does not allow it."
            )

    def initial(self, *, instance: Contract, at: datetime) -> Mapping[str, Any]:
        """What the contract is now."""
        return {"seen": contract_amendments.state_of(instance)}

    def preview(self, *, instance: Contract, at: datetime) -> Sequence[Block]:
        """What it is about."""
        return (contract_blocks.summary(instance),)


class Weighed(ContractVerb):
    """A verb that shows the phases and what would be billed before it is done."""

    weighs = True

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """The service call, and the day whose bills it is looked at by."""
        raise AssertionError(f"{type(self).__name__} does nothing")

    def weigh(self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What it would do: done, played on to its day, and undone."""
        verb, on = self.call(instance=instance, values=values, actor=actor, at=at)
        if instance.state == State.DRAFT and self.name != "activate":
            verb = functools.partial(_then_activate, verb, instance, actor, at)
        found = contract_endings.preview(contract=instance, verb=verb, on=on, actor=actor, at=at)
        return (contract_blocks.summary(instance), *contract_blocks.would_be(found))

    def perform(self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Do it."""
        verb, _ = self.call(instance=instance, values=values, actor=actor, at=at)
        verb()
        return Outcome(f"{self.button}: done.", cells.page_url(instance))


class Activate(Weighed):
    """Begin what a draft says."""

    name = "activate"
    label = "Activate"
    icon = "play_arrow"
    variant = theme.ActionVariant.PRIMARY
    states = (State.DRAFT,)
    explanation = (
        "A subscription begins for each product on its first day; elapsed days are billed by the next run, phase by "
        "phase. From then on the contract changes by amendments."
    )
    confirm = "Activate the contract"

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """Activate it, as seen today."""
        verb = functools.partial(contract_activation.activate, contract_id=instance.pk, actor=actor, at=at)
        return verb, contract_rows.today(instance, at)


class GiveNotice(ContractVerb):
    """Record that a contract is not renewed."""

    name = "give_notice"
    label = "Notice"
    icon = "notifications_off"
    explanation = "The contract is not renewed: its subscriptions end with the last day of the term."
    confirm = "Record the notice"
    form_class = contract_forms.NoticeForm

    def check(self, *, instance: Contract, at: datetime) -> None:
        """There has to be a renewal to call off."""
        super().check(instance=instance, at=at)
        if instance.renewal != Contract.Renewal.AUTOMATIC or sold_contracts.notice(instance) is not None:
            raise errors.NotAllowed("contract_does_not_renew", "The contract ends with its term.")

    def perform(self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it."""
        contract_renewals.give_notice(
            contract_id=instance.pk,
            given_by=values["given_by"],
            given_on=values["given_on"],
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome(f"The contract ends on {cells.day_text(instance.ends_on)}.")


class WithdrawNotice(ContractVerb):
    """Take notice back."""

    name = "withdraw_notice"
    label = "Withdraw notice"
    icon = "notifications_active"
    explanation = "The contract renews after all, and its subscriptions go on."
    confirm = "Withdraw the notice"
    form_class = ReasonForm

    def check(self, *, instance: Contract, at: datetime) -> None:
        """There has to be one."""
        super().check(instance=instance, at=at)
        if sold_contracts.notice(instance) is None:
            raise errors.NotAllowed("no_notice", "No notice was given.")

    def perform(self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Take it back."""
        contract_renewals.withdraw_notice(contract_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The contract renews.")


class EndEarly(Weighed):
    """End a contract before its term is over."""

    name = "end"
    label = "End early"
    icon = "cancel"
    variant = theme.ActionVariant.DANGER
    explanation = (
        "Its subscriptions end with that day, with their last invoices, and it is not renewed. A commitment over the "
        "term is owed by its days, or all of it."
    )
    confirm = "End the contract"
    form_class = contract_forms.EndForm

    def call(
        self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> tuple[Callable[[], object], date]:
        """End it."""
        verb = functools.partial(
            contract_endings.end,
            contract_id=instance.pk,
            ends_on=values["ends_on"],
            is_whole=values["is_whole"],
            reason=values["reason"],
            seen=values["seen"],
            actor=actor,
            at=at,
        )
        return verb, contract_rows.today(instance, at)


class CancelDraft(ContractVerb):
    """Throw a draft away."""

    name = "cancel"
    label = "Cancel draft"
    icon = "delete"
    states = (State.DRAFT,)
    explanation = "Nothing was sold. The draft stays to be read."
    confirm = "Cancel the draft"
    form_class = ReasonForm

    def perform(self, *, instance: Contract, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Throw it away."""
        contract_drafts.cancel(contract_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The draft was canceled.")


def cents(amount: Decimal, currency: str) -> int:
    """Return an amount of a form in minor units. Raises Invalid for one that is finer than the currency."""
    return money.to_minor(Money(amount, currency))


def _then_activate(verb: Callable[[], object], contract: Contract, actor: Actor, at: datetime) -> None:
    """Look at a draft as if it were signed at once."""
    verb()
    contract_activation.activate(contract_id=contract.pk, actor=actor, at=at)

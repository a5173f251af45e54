"""Deciding about late usage in the admin: one entry or many, and the policies that decide by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.domain import late_usage as rules
from billing.domain.late_usage import Decision
from billing.models import LateUsage, Subscription
from billing.services import late_usage
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import Installation
from config.platform.queries import installation as installations
from config.platform.services import installation


class Decide(ObjectVerb):
    """What the three decisions share."""

    permission = "billing.decide_lateusage"
    form_class = ReasonForm
    decision: Decision
    done = ""

    def check(self, *, instance: LateUsage, at: datetime) -> None:
        """Each entry is decided once; while it waits for an invoice another way may be taken."""
        rules.after(state=instance.state, decision=self.decision, is_billed=instance.line_id is not None)

    def preview(self, *, instance: LateUsage, at: datetime) -> Sequence[Block]:
        """What it is about."""
        return (
            Facts(
                str(instance),
                (
                    Fact("Customer", instance.subscription.customer.display_name),
                    Fact("Time", period(instance)),
                    Fact("Billed or decided before", cells.money_text(instance.settled_amount)),
                    Fact("All usage comes to", cells.money_text(instance.total_amount)),
                    Fact("Open", cells.money_text(instance.amount)),
                ),
            ),
        )

    def perform(self, *, instance: LateUsage, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Decide."""
        row = late_usage.decide(
            entry_id=instance.pk, decision=self.decision, reason=values["reason"], actor=actor, at=at
        )
        return Outcome(f"{cells.money_text(row.amount)} {self.done}.")


class Bill(Decide):
    """Bill with the next invoice."""

    name = "bill"
    label = "Bill with the next invoice"
    icon = "receipt_long"
    variant = theme.ActionVariant.PRIMARY
    explanation = (
        "It goes on the customer's next invoice as a line of its own, which names the time that it is for. What is the "
        "customer's is taken off there, as far as the invoice goes; the rest waits for another one."
    )
    confirm = "Bill it"
    decision = Decision.BILL
    done = "will be on the next invoice"


class Correct(Decide):
    """Correct now."""

    name = "correct"
    label = "Correct now"
    icon = "published_with_changes"
    explanation = "What is owed is invoiced at once, by an invoice of its own. What is the customer's is credited."
    confirm = "Correct it now"
    decision = Decision.CORRECT
    done = "was corrected"


class Waive(Decide):
    """Waive."""

    name = "waive"
    label = "Waive"
    icon = "money_off"
    variant = theme.ActionVariant.DANGER
    explanation = "It is never billed, and never credited. More late usage of the same time makes another entry."
    confirm = "Waive it"
    decision = Decision.WAIVE
    done = "was waived"


class PolicyForm(VerbForm):
    """What happens by itself."""

    late_usage_policy = forms.ChoiceField(label="Late usage is", choices=Installation.LateUsagePolicy.choices)
    late_usage_waive_below = forms.DecimalField(
        label="Waived below",
        required=False,
        max_digits=20,
        decimal_places=4,
        help_text="Net, for a charge in a period, in the currency of the plan. Only with the policy that waives; what "
        "comes to as much or more is held.",
    )


class SubscriptionPolicyForm(PolicyForm):
    """What happens by itself on one subscription."""

    late_usage_policy = forms.ChoiceField(
        label="Late usage is", choices=Subscription.LateUsagePolicy.choices, required=False
    )


class SetPolicy(ListVerb):
    """The policy of the installation."""

    name = "policy"
    label = "Policy"
    icon = "policy"
    permission = "billing.set_lateusage_policy"
    explanation = "It goes for subscriptions without a policy of their own, and for what is found from now on."
    confirm = "Set the policy"
    form_class = PolicyForm

    def initial(self, *, at: datetime) -> Mapping[str, Any]:
        """What goes now."""
        policy, below = installations.late_usage_policy()
        return {"late_usage_policy": policy, "late_usage_waive_below": below}

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        row = installation.set_late_usage_policy(
            policy=values["late_usage_policy"], waive_below=values["late_usage_waive_below"], actor=actor, at=at
        )
        return Outcome(f"Late usage: {row.get_late_usage_policy_display()}.")


class SetSubscriptionPolicy(ObjectVerb):
    """The policy of one subscription."""

    name = "late_usage_policy"
    label = "Late usage"
    icon = "history_toggle_off"
    permission = "billing.set_lateusage_policy"
    explanation = "What happens to usage that comes after its time was billed. What is held already stays held."
    confirm = "Set the policy"
    form_class = SubscriptionPolicyForm

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What goes now."""
        return {
            "late_usage_policy": instance.late_usage_policy,
            "late_usage_waive_below": instance.late_usage_waive_below,
        }

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        row = late_usage.set_policy(
            subscription_id=instance.pk,
            policy=values["late_usage_policy"],
            waive_below=values["late_usage_waive_below"],
            actor=actor,
            at=at,
        )
        return Outcome(f"Late usage: {row.get_late_usage_policy_display()}.")


def period(row: LateUsage) -> str:
    """The days whose usage it is."""
    return cells.period_text(row.period.charges_from_at, row.period.charges_to_at, row.period.timezone)

"""Agreeing on own terms of a subscription in the admin, and going back to the plan's, with the next invoice before and
after. The form is `own_terms_forms`'; what it does not offer is agreed through the API.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.admin import own_terms_blocks, own_terms_forms
from billing.models import Subscription
from billing.services import own_terms, plan_changes
from catalog.models import PlanVersion
from catalog.queries import plans
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin.blocks import Block
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome


class AgreeTerms(ObjectVerb):
    """Agree on prices for one subscription alone."""

    name = "agree_terms"
    label = "Agree own terms"
    icon = "handshake"
    permission = "billing.change_plan"
    explanation = (
        "The subscription gets prices of its own; the plan and everybody else's stay as they are. They count for all "
        "that is not billed yet, the running period included."
    )
    confirm = "Agree on these terms"
    form_class = own_terms_forms.AgreeTermsForm
    weighs = True

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """What is over has no terms to agree on."""
        if instance.status not in own_terms.LIVING:
            raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """The terms as they are."""
        version = plans.with_content(PlanVersion.objects.all()).get(pk=instance.plan_version_id)
        return own_terms_forms.of_version(data, version=version, seen=plan_changes.state_of(instance))

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has for itself."""
        return (own_terms_blocks.table(instance.plan_version),)

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """The terms as they would be, and the next invoice before and after: done and undone."""
        verb = functools.partial(_agree, instance, values, actor, at)
        return own_terms_blocks.next_invoice(instance, verb=verb, at=at)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Agree; refused where somebody else changed the subscription since the page was shown."""
        _agree(instance, values, actor, at)
        return Outcome("The own terms count from now on.")


class EndTermsForm(ReasonForm):
    """Which own terms end."""

    sections = (("", ("terms", "reason")),)

    terms = forms.MultipleChoiceField(label="Own terms that end", widget=forms.CheckboxSelectMultiple)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class EndTerms(ObjectVerb):
    """Go back to the plan's terms."""

    name = "end_terms"
    label = "Back to the plan's prices"
    icon = "undo"
    permission = "billing.change_plan"
    explanation = (
        "What is chosen ends, and the plan's terms count for all that is not billed yet. Numbers of units that were "
        "agreed on stay."
    )
    confirm = "End these terms"
    form_class = EndTermsForm
    weighs = True

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """There have to be some, on what is not over."""
        if instance.status not in own_terms.LIVING:
            raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")
        if instance.plan_version.base_id is None:
            raise errors.NotAllowed("no_own_terms", "The subscription has no own terms.")

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """All that it has."""
        titles = own_terms_blocks.titles(instance.plan_version)
        initial = {"terms": [name for name, _ in titles], "seen": plan_changes.state_of(instance)}
        form = EndTermsForm(data, initial=initial)
        form.fields["terms"].choices = titles
        return form

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has for itself."""
        return (own_terms_blocks.table(instance.plan_version),)

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """What is left, and the next invoice before and after: done and undone."""
        verb = functools.partial(_end, instance, values, actor, at)
        return own_terms_blocks.next_invoice(instance, verb=verb, at=at)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End them; refused where somebody else changed the subscription since the page was shown."""
        _end(instance, values, actor, at)
        return Outcome("The plan's terms count again.")


def _agree(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return own_terms.agree(
        subscription_id=instance.pk,
        terms=values["terms"],
        seen=values["seen"],
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _end(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    titles = {name for name, _ in own_terms_blocks.titles(instance.plan_version)}
    chosen = set(values["terms"])
    return own_terms.end(
        subscription_id=instance.pk,
        # All of them: the plan's, as others have it by now.
        terms=None if chosen >= titles else chosen,
        seen=values["seen"],
        reason=values["reason"],
        actor=actor,
        at=at,
    )

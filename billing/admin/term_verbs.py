"""Changing what is agreed for a subscription beside its plan in the admin: name, purchase order, no end after all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.domain.states import State
from billing.models import Subscription
from billing.services import plan_changes, subscription_updates, terminations
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.models import BillingEntity, InvoiceCustomSection

_TERMS = ("name", "purchase_order_number", "consolidate_invoice")
_CHOICES = ("billing_entity", "texts", "skips_texts")
_LIVING = (State.PENDING, State.ACTIVE, State.PAUSED)


class TermsForm(ReasonForm):
    """What is agreed. ``seen`` is what the subscription was when the page was shown."""

    sections = (("", (*_TERMS, *_CHOICES, "reason")),)
    aliases = {"billing_entity_code": "billing_entity", "invoice_custom_section_codes": "texts"}

    name = forms.CharField(max_length=255, required=False, help_text="As invoices head its lines; empty: the plan's.")
    purchase_order_number = forms.CharField(
        max_length=255, required=False, help_text="On invoices that are not made yet. Different ones never share one."
    )
    consolidate_invoice = forms.BooleanField(
        label="Share invoices", required=False, help_text="With the customer's other subscriptions of the same number."
    )
    billing_entity = forms.ModelChoiceField(
        BillingEntity.objects.order_by("-is_default", "name"),
        label="Billed by",
        empty_label="the customer's billing entity",
        required=False,
        help_text="Goes for what is billed from now on. The days stay those of the customer.",
    )
    texts = forms.ModelMultipleChoiceField(
        InvoiceCustomSection.objects.filter(deleted_at__isnull=True),
        label="Custom sections",
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Of its invoices. None chosen: the customer's.",
    )
    skips_texts = forms.BooleanField(label="No custom sections at all", required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ChangeTerms(ObjectVerb):
    """Change the name, how it is invoiced, and who bills it."""

    name = "change_terms"
    label = "Change terms"
    icon = "edit_note"
    permission = "billing.change_subscription"
    explanation = "It goes for invoices that are not made yet. A change of plan that waits takes it over."
    confirm = "Change the terms"
    form_class = TermsForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """What is over stays as it is."""
        if instance.status not in _LIVING:
            raise errors.NotAllowed("subscription_not_active", "A subscription that is over cannot be changed.")

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What was agreed."""
        return {
            "name": instance.name,
            "purchase_order_number": instance.purchase_order_number,
            "consolidate_invoice": instance.consolidate_invoice,
            "billing_entity": instance.billing_entity_id,
            "texts": instance.custom_section_ids or [],
            "skips_texts": instance.custom_section_ids == [],
            "seen": plan_changes.state_of(instance),
        }

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change them; refused where somebody else changed the subscription since the page was shown."""
        subscription_updates.update(
            subscription_id=instance.pk,
            changes={**{name: values[name] for name in _TERMS}, **_chosen(values)},
            seen=values["seen"] or None,
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome("The terms were changed.")


def _chosen(values: Mapping[str, Any]) -> dict[str, Any]:
    seller, texts = values["billing_entity"], [section.code for section in values["texts"]]
    return {
        "billing_entity_code": "" if seller is None else seller.code,
        "custom_section_codes": [] if values["skips_texts"] else texts or None,
    }


class CallOffForm(ReasonForm):
    """Why it runs on. ``seen`` is what the subscription was when the page was shown."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class CallOffEnd(ObjectVerb):
    """Let a subscription run on that was to end."""

    name = "call_off_end"
    label = "Call off the end"
    icon = "event_repeat"
    permission = "billing.terminate_subscription"
    explanation = "The subscription runs on without an agreed end. Nothing was billed for it."
    confirm = "Call off the end"
    form_class = CallOffForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """There has to be one that has not come."""
        if instance.status != State.ACTIVE or instance.ending_at is None or instance.ending_at <= at:
            raise errors.NotAllowed("no_agreed_end", "It has no agreed end that could be called off.")

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What the subscription is now."""
        return {"seen": plan_changes.state_of(instance)}

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What is called off."""
        zone = instance.customer.applicable_timezone
        return (
            Facts(
                str(instance),
                (
                    Fact("Customer", instance.customer.display_name),
                    Fact("Agreed end", cells.local_day(instance.ending_at, zone)),
                ),
            ),
        )

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Call it off."""
        terminations.call_off(
            subscription_id=instance.pk, seen=values["seen"] or None, reason=values["reason"], actor=actor, at=at
        )
        return Outcome("The subscription runs on.")

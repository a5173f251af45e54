"""Beginning and ending subscriptions in the admin."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django import forms

from billing.admin import change_blocks, chosen_time_fields
from billing.admin.chosen_time_fields import ChosenTimeForm
from billing.domain import chosen_times, states
from billing.domain.activation import MAX_TIMEOUT_HOURS, Rule
from billing.domain.states import Verb
from billing.models import Subscription
from billing.services import change_previews, plan_changes, subscriptions, terminations
from billing.services.subscriptions import NewSubscription
from catalog.models import Plan
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import SearchWidget, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.models import BillingEntity, Customer


class NewSubscriptionForm(VerbForm):
    """Who takes what, from when."""

    sections = (
        ("Contract", ("customer", "plan", "external_id", "name", "purchase_order_number", "billing_entity")),
        ("Billing", ("start", "billing_time", "backdated_billing")),
        ("Activation", ("waits_for_payment", "payment_hours")),
    )
    aliases = {
        "external_customer_id": "customer",
        "plan_code": "plan",
        "subscription_at": "start",
        "billing_entity_code": "billing_entity",
        "activation_rules.timeout_hours": "payment_hours",
    }

    customer = forms.ModelChoiceField(
        Customer.objects.filter(deleted_at__isnull=True),
        widget=SearchWidget(Subscription._meta.get_field("customer")),
        help_text="Search by name, e-mail or external id.",
        error_messages={"invalid_choice": "There is no such customer, or it was retired."},
    )
    plan = forms.ModelChoiceField(Plan.objects.filter(deleted_at__isnull=True).order_by("name"))
    external_id = forms.CharField(
        label="Subscription id", max_length=255, help_text="Usage events name it. It must be free."
    )
    name = forms.CharField(max_length=255, required=False, help_text="As invoices head its lines; empty: the plan's.")
    start = forms.DateField(label="First day", required=False, help_text="In the customer's time zone. Empty: now.")
    purchase_order_number = forms.CharField(
        max_length=255, required=False, help_text="On its invoices. Different numbers never share an invoice."
    )
    billing_entity = forms.ModelChoiceField(
        BillingEntity.objects.order_by("-is_default", "name"),
        label="Billed by",
        empty_label="the customer's billing entity",
        required=False,
    )
    billing_time = forms.ChoiceField(
        label="Periods", choices=[("calendar", "calendar months and years"), ("anniversary", "from the first day on")]
    )
    backdated_billing = forms.ChoiceField(
        label="With a first day in the past, bill", choices=Subscription.BackdatedBilling.choices
    )
    waits_for_payment = forms.BooleanField(
        label="Runs once its first invoice is paid",
        required=False,
        help_text="Where the plan is paid in advance. Until then the invoice has no number and is in no books.",
    )
    payment_hours = forms.IntegerField(
        label="Canceled when not paid within hours",
        required=False,
        min_value=1,
        max_value=MAX_TIMEOUT_HOURS,
        help_text="Empty: the payment may come at any time.",
    )


class CreateSubscription(ListVerb):
    """Begin a subscription."""

    name = "create"
    label = "New subscription"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.add_subscription"
    explanation = "It is billed at the end of each period of its plan: the fee, and the usage of the period."
    confirm = "Begin the subscription"
    form_class = NewSubscriptionForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Begin it; an id that is taken is refused here, where a repeat would be welcome through the API."""
        over = (Subscription.Status.TERMINATED, Subscription.Status.CANCELED)
        if Subscription.objects.filter(external_id=values["external_id"]).exclude(status__in=over).exists():
            raise errors.Invalid("validation_errors", "", {"external_id": ["value_already_exist"]})
        new = NewSubscription(
            external_customer_id=values["customer"].external_id,
            plan_code=values["plan"].code,
            external_id=values["external_id"],
            name=values["name"],
            purchase_order_number=values["purchase_order_number"],
            billing_entity_code="" if values["billing_entity"] is None else values["billing_entity"].code,
            billing_time=values["billing_time"],
            backdated_billing=values["backdated_billing"],
            subscription_at=_start(values["customer"], values["start"]),
            activation_rules=[Rule(timeout_hours=values["payment_hours"])] if values["waits_for_payment"] else [],
        )
        subscription = subscriptions.create(new=new, actor=actor, at=at)
        return Outcome(f"The subscription {subscription} was made.", cells.page_url(subscription))


class TerminateForm(ChosenTimeForm):
    """When it ends, whether a last invoice is made, and why it ends."""

    sections = (("", ("when", "day", "on_termination_invoice", "on_termination_credit_note", "reason")),)
    aliases = {"terminate_at": "day"}
    day_text = "with the end of a day"

    on_termination_invoice = forms.ChoiceField(label="Last invoice", choices=Subscription.OnTermination.choices)
    on_termination_credit_note = forms.ChoiceField(
        label="Unused time",
        choices=[("", "as agreed, else credit it"), *Subscription.UnusedTime.choices],
        required=False,
        help_text="Of a plan that was paid in advance: the days after the last one.",
    )


class Terminate(ObjectVerb):
    """End a subscription now, or agree that it ends."""

    name = "terminate"
    label = "Terminate"
    icon = "cancel"
    variant = theme.ActionVariant.DANGER
    permission = "billing.terminate_subscription"
    explanation = (
        "It ends now, with its period, or with a day that is used still. The last invoice has the fee for the days "
        "used and the usage up to there; days that were paid in advance and are not used are credited. One that has "
        "not begun yet is canceled instead."
    )
    weighs = True
    confirm = "Terminate the subscription"
    form_class = TerminateForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """What is over cannot end again."""
        if not states.allows(state=instance.status, verb=Verb.CANCEL):
            states.next(state=instance.status, verb=Verb.TERMINATE)

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What was agreed."""
        return {
            "seen": plan_changes.state_of(instance),
            "when": chosen_times.Timing.NOW.value,
            "on_termination_invoice": instance.on_termination_invoice,
            "on_termination_credit_note": instance.on_termination_credit_note,
        }

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What ends."""
        version = instance.plan_version
        facts = Facts(
            str(instance),
            (
                Fact("Customer", instance.customer.display_name),
                Fact("Plan", str(version)),
                Fact("Fee", f"{cells.money_text(version.amount)} {version.get_interval_display()}"),
                Fact("Started", cells.local_day(instance.started_at, instance.customer.applicable_timezone)),
                Fact("Next billing", cells.day(instance.next_billing_date)),
            ),
        )
        late = instance.next_billing_date is not None and instance.next_billing_date < dates.local_date(
            at, dates.zone(instance.customer.applicable_timezone)
        )
        made = change_blocks.ends(instance, at=at)
        if not late:
            return (facts, *made)
        text = "Billing days are still open: they are billed first, by invoices of their own."
        return (facts, *made, Note(text, Tone.WARN))

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """What the end would bill and credit when it is chosen for: done and undone."""
        played = change_previews.of_end(
            subscription=instance, verb=functools.partial(_end, instance, values, actor, at), at=at
        )
        if played.subscription.status == Subscription.Status.CANCELED:
            return (Note("It has not begun, so it is canceled: nothing is billed."),)
        return change_blocks.played(played)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it, or agree on that."""
        ended = _end(instance, values, actor, at)
        if ended.status == Subscription.Status.ACTIVE:
            ends = cells.local_day(ended.ending_at, ended.customer.applicable_timezone)
            return Outcome(f"The subscription ends: {ends}.")
        return Outcome(f"The subscription is {ended.get_status_display()}.")


def _end(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return terminations.schedule(
        subscription_id=instance.pk,
        when=chosen_time_fields.chosen(values) or chosen_times.NOW,
        on_termination_invoice=values["on_termination_invoice"],
        on_termination_credit_note=values["on_termination_credit_note"] or None,
        seen=values["seen"] or None,
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _start(customer: Customer, day: date | None) -> datetime | None:
    """The first instant of a local day of the customer."""
    return None if day is None else dates.start_of_day(day, dates.zone(customer.applicable_timezone))

"""Changing the plan of a subscription in the admin: at once or for the end of its period, and calling that off."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.admin import change_blocks
from billing.models import Subscription
from billing.services import plan_changes, subscription_plans
from catalog.models import Plan
from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

Status = Subscription.Status


class ChangePlanForm(ReasonForm):
    """Which plan comes next. ``seen`` is what the subscription was when the page was shown."""

    sections = (("", ("plan", "reason")),)
    aliases = {"plan_code": "plan"}

    plan = forms.ModelChoiceField(Plan.objects.filter(deleted_at__isnull=True).order_by("name"))
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ChangePlan(ObjectVerb):
    """Move a running subscription to another plan."""

    name = "change_plan"
    label = "Change plan"
    icon = "swap_vert"
    permission = "billing.change_plan"
    explanation = (
        "A plan that costs as much or more in a year begins now: days paid in advance are credited, and both plans are "
        "billed together. A cheaper one follows when the running period is over."
    )
    confirm = "Change the plan"
    form_class = ChangePlanForm
    weighs = True

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """Only what runs has a plan to change."""
        if instance.status != Status.ACTIVE:
            raise errors.NotAllowed(
                "subscription_not_active", "Only the plan of an active subscription can be changed."
            )

    def form(self, *, data: Any, instance: Subscription, at: datetime) -> VerbForm:
        """The plans to choose from are all others."""
        form = super().form(data=data, instance=instance, at=at)
        plans = Plan.objects.filter(deleted_at__isnull=True).exclude(pk=instance.plan_version.plan_id)
        form.fields["plan"].queryset = plans.order_by("name")
        return form

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What the subscription is now."""
        return {"seen": plan_changes.state_of(instance)}

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has."""
        return _now(instance)

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """Which way the change goes, when, and what it bills and credits now: done and undone."""
        after = subscription_plans.preview(
            subscription=instance, verb=functools.partial(_change, instance, values, actor, at)
        )
        name = values["plan"].name
        if after.subscription.pk == instance.pk:
            day = after.change_day
            when = "" if day is None else f" on {cells.day_text(day)}, when the running period is over"
            text = f"This is a downgrade: {name} follows{when}. Until then nothing changes."
            return (*_now(instance), Note(text), *(change_blocks.made(after) if after.invoices else ()))
        return (
            *_now(instance),
            Note(f"This is an upgrade: {name} begins now."),
            *change_blocks.made(after),
        )

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it, or schedule that; refused where somebody else changed it since the page was shown."""
        running = _change(instance, values, actor, at)
        if running.pk == instance.pk:
            return Outcome(f"The plan {values['plan'].name} follows at the end of the period.")
        return Outcome(f"The plan is {values['plan'].name} now.", cells.page_url(running))


class CancelChange(ObjectVerb):
    """Call off a change of plan that waits."""

    name = "cancel_change"
    label = "Cancel scheduled change"
    icon = "event_busy"
    permission = "billing.change_plan"
    explanation = "The subscription keeps its plan. Nothing was billed for the change."
    confirm = "Cancel the change"
    form_class = ReasonForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """There has to be one."""
        if instance.status != Status.ACTIVE or plan_changes.pending(instance) is None:
            raise errors.NotAllowed("no_pending_change", "No change of plan is scheduled.")

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What is called off."""
        return _now(instance)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Call it off."""
        subscription_plans.cancel_change(subscription_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The change of plan was called off.")


def _change(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return subscription_plans.change_plan(
        subscription_id=instance.pk,
        plan_code=values["plan"].code,
        seen=values["seen"],
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _now(subscription: Subscription) -> tuple[Block, ...]:
    version = subscription.plan_version
    facts = Facts(
        str(subscription),
        (
            Fact("Customer", subscription.customer.display_name),
            Fact("Plan", str(version)),
            Fact("Fee", f"{cells.money_text(version.amount)} {version.get_interval_display()}"),
            Fact("Paid", "in advance" if version.pay_in_advance else "in arrears"),
            Fact("Next billing", cells.day(subscription.next_billing_date)),
        ),
    )
    waiting = plan_changes.pending(subscription)
    if waiting is None or waiting.change_date is None:
        return (facts,)
    text = f"{waiting.plan_version.plan.name} is to follow on {cells.day_text(waiting.change_date)}."
    return (facts, Note(text, Tone.WARN))

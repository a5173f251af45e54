"""Changing the plan of a subscription in the admin: when the prices decide or somebody chose, and calling that off."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.admin import change_blocks, chosen_time_fields
from billing.admin.chosen_time_fields import AUTOMATIC, NOW, ChosenTimeForm
from billing.domain import plan_changes as rules
from billing.models import Subscription
from billing.queries import contracts
from billing.services import change_previews, plan_changes, subscription_plans
from billing.services.change_previews import Played
from catalog.models import Plan, PlanVersion
from config.kernel import dates, errors
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome

Status = Subscription.Status
_WAYS = {"upgrade": "This is an upgrade", "downgrade": "This is a downgrade"}


class ChangePlanForm(ChosenTimeForm):
    """Which plan comes next, and when."""

    sections = (("", ("plan", "when", "day", "reason")),)
    aliases = {"plan_code": "plan", "change_at": "day"}
    day_text = "from a day on"
    first_choices = (AUTOMATIC, NOW)

    plan = forms.ModelChoiceField(Plan.objects.filter(deleted_at__isnull=True).order_by("name"))


class CancelChangeForm(ReasonForm):
    """Why it is called off. ``seen`` is what the subscription was when the page was shown."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class ChangePlan(ObjectVerb):
    """Move a running subscription to another plan."""

    name = "change_plan"
    label = "Change plan"
    icon = "swap_vert"
    permission = "billing.change_plan"
    explanation = (
        "A plan that costs as much or more in a year begins now: days paid in advance are credited, and both plans are "
        "billed together. A cheaper one follows when the running period is over. Or choose when: a day inside the "
        "period cuts it there, as an upgrade does."
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
        played = change_previews.of_change(
            subscription=instance, verb=functools.partial(_change, instance, values, actor, at), at=at
        )
        return (*_now(instance), Note(_told(instance, values["plan"], played, at)), *change_blocks.played(played))

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it, or schedule that; refused where somebody else changed it since the page was shown."""
        running = _change(instance, values, actor, at)
        day = running.change_day
        if running.pk == instance.pk and day is not None:
            return Outcome(f"The plan {values['plan'].name} follows on {cells.day_text(day)}.")
        return Outcome(f"The plan is {values['plan'].name} now.", cells.page_url(running))


class CancelChange(ObjectVerb):
    """Call off a change of plan that waits."""

    name = "cancel_change"
    label = "Cancel scheduled change"
    icon = "event_busy"
    permission = "billing.change_plan"
    explanation = "The subscription keeps its plan. Nothing was billed for the change."
    confirm = "Cancel the change"
    form_class = CancelChangeForm

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What the subscription is now."""
        return {"seen": plan_changes.state_of(instance)}

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """There has to be one."""
        if instance.status != Status.ACTIVE or plan_changes.pending(instance) is None:
            raise errors.NotAllowed("no_pending_change", "No change of plan is scheduled.")

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What is called off."""
        return _now(instance)

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Call it off."""
        subscription_plans.cancel_change(
            subscription_id=instance.pk, seen=values["seen"] or None, reason=values["reason"], actor=actor, at=at
        )
        return Outcome("The change of plan was called off.")


def _change(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return subscription_plans.change_plan(
        subscription_id=instance.pk,
        plan_code=values["plan"].code,
        seen=values["seen"],
        change_at=chosen_time_fields.chosen(values),
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _told(instance: Subscription, plan: Plan, played: Played, at: datetime) -> str:
    wanted = PlanVersion.objects.get(plan=plan, is_current=True)
    way = plan_changes.kind_of(instance.plan_version, wanted).value
    if played.takes_effect_at <= at:
        return f"This is an {way}: {plan.name} begins now." if way == "upgrade" else f"{plan.name} begins now."
    zone = dates.zone(instance.customer.applicable_timezone)
    schedule = contracts.schedule_of(instance)
    day = dates.local_date(played.takes_effect_at, zone)
    when = f" on {cells.day_text(day)}"
    when += ", inside a period" if rules.cuts(schedule, day=day) else ", when a period is over"
    return f"{_WAYS[way]}: {plan.name} follows{when}. Until then nothing changes."


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

"""Pausing and resuming a subscription in the admin, with what either would bill and credit shown before."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms

from billing.admin import change_blocks
from billing.domain import states
from billing.domain.states import Verb
from billing.models import Subscription
from billing.services import pauses, plan_changes, subscription_plans
from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts
from config.platform.admin.forms import ReasonForm
from config.platform.admin.verbs import ObjectVerb, Outcome


class PauseForm(ReasonForm):
    """What becomes of the fee, and until when. ``seen`` is what the subscription was when the page was shown."""

    sections = (("", ("fee", "resume_on", "reason")),)

    fee = forms.ChoiceField(
        label="Plan fee",
        choices=Subscription.PauseFee.choices,
        help_text="By days: today is the last one paid, unused days paid in advance are credited. Whole periods: one "
        "in which it ran is paid as a whole, once.",
    )
    resume_on = forms.DateField(
        label="Resumes on", required=False, help_text="In the customer's time zone. Empty: when somebody resumes it."
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class Pause(ObjectVerb):
    """Let a running subscription wait."""

    name = "pause"
    label = "Pause"
    icon = "pause_circle"
    permission = "billing.pause_subscription"
    explanation = (
        "It waits from now on. Its fee and its usage so far are billed. Usage that comes while it is paused is kept, "
        "but not billed."
    )
    confirm = "Pause the subscription"
    form_class = PauseForm
    weighs = True

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """Only what runs can be paused."""
        states.next(state=instance.status, verb=Verb.PAUSE)

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What the subscription is now."""
        return {"seen": plan_changes.state_of(instance)}

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has."""
        return (_now(instance),)

    def weigh(
        self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime
    ) -> Sequence[Block]:
        """What it bills and credits now: done and undone."""
        made = subscription_plans.preview(
            subscription=instance, verb=functools.partial(_pause, instance, values, actor, at)
        )
        return (_now(instance), *change_blocks.made(made))

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Pause it; refused where somebody else changed it since the page was shown."""
        waiting = _pause(instance, values, actor, at)
        return Outcome(f"The subscription {waiting} is paused.", cells.page_url(waiting))


class ResumeForm(ReasonForm):
    """Why it goes on. ``seen`` is what the subscription was when the page was shown."""

    sections = (("", ("reason",)),)

    seen = forms.CharField(widget=forms.HiddenInput, required=False)


class Resume(ObjectVerb):
    """Let a paused subscription run on."""

    name = "resume"
    label = "Resume"
    icon = "play_circle"
    permission = "billing.pause_subscription"
    explanation = (
        "It runs on from now, also where another day was agreed. Days that were paid already are not paid again."
    )
    confirm = "Resume the subscription"
    form_class = ResumeForm

    def check(self, *, instance: Subscription, at: datetime) -> None:
        """Only what waits can be resumed."""
        states.next(state=instance.status, verb=Verb.RESUME)

    def initial(self, *, instance: Subscription, at: datetime) -> Mapping[str, Any]:
        """What the subscription is now."""
        return {"seen": plan_changes.state_of(instance)}

    def preview(self, *, instance: Subscription, at: datetime) -> Sequence[Block]:
        """What it has, and what is billed as it runs on: done and undone."""
        values = {"seen": plan_changes.state_of(instance), "reason": ""}
        actor = Actor(kind="system", label="preview")
        made = subscription_plans.preview(
            subscription=instance, verb=functools.partial(_resume, instance, values, actor, at)
        )
        return (_now(instance), *change_blocks.made(made))

    def perform(self, *, instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Resume it; refused where somebody else changed it since the page was shown."""
        running = _resume(instance, values, actor, at)
        return Outcome(f"The subscription {running} runs again.")


def _pause(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return pauses.pause(
        subscription_id=instance.pk,
        fee=values["fee"],
        resume_on=values["resume_on"],
        seen=values["seen"],
        reason=values["reason"],
        actor=actor,
        at=at,
    )


def _resume(instance: Subscription, values: Mapping[str, Any], actor: Actor, at: datetime) -> Subscription:
    return pauses.resume(subscription_id=instance.pk, seen=values["seen"], reason=values["reason"], actor=actor, at=at)


def _now(subscription: Subscription) -> Facts:
    version, zone = subscription.plan_version, subscription.customer.applicable_timezone
    is_paused = subscription.status == Subscription.Status.PAUSED
    life = (
        (
            Fact("Paused since", cells.local_day(subscription.paused_at, zone)),
            Fact("Fee in the pause", subscription.get_pause_fee_display()),
            Fact("Resumes on", cells.day(subscription.change_date)),
        )
        if is_paused
        else (
            Fact("Started", cells.local_day(subscription.started_at, zone)),
            Fact("Next billing", cells.day(subscription.next_billing_date)),
        )
    )
    return Facts(
        str(subscription),
        (
            Fact("Customer", subscription.customer.display_name),
            Fact("Plan", str(version)),
            Fact("Fee", f"{cells.money_text(version.amount)} {version.get_interval_display()}"),
            Fact("Paid", "in advance" if version.pay_in_advance else "in arrears"),
            *life,
        ),
    )

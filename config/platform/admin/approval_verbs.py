"""Deciding about requests for a second person: approve, reject, take back, and close what cannot be done any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import acting, approval_asking, approval_previews, cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm, told
from config.platform.admin.verbs import ObjectVerb, Outcome
from config.platform.models import ApprovalRequest
from config.platform.queries import approvals as known
from config.platform.services import approvals

Status = ApprovalRequest.Status


class Decision(ObjectVerb):
    """What decisions share: the request must wait, and what it would do is shown."""

    permission = "platform.decide_approvalrequest"

    def offered(self, request: HttpRequest, instance: ApprovalRequest, *, at: datetime) -> bool:
        """Only to whoever may decide this one: not to the one who asked."""
        return self.possible(instance=instance, at=at) and may_decide(instance, acting.actor(request))

    def check(self, *, instance: ApprovalRequest, at: datetime) -> None:
        """Only what waits is decided."""
        if instance.status != Status.WAITING:
            raise approvals.UnableToDecide(
                "request_decided", f"The request is decided: {instance.get_status_display()}."
            )

    def preview(self, *, instance: ApprovalRequest, at: datetime) -> Sequence[Block]:
        """Who asked for what and why, and what was shown then beside what it would do now."""
        found: list[Block] = [_summary(instance)]
        try:
            now = _now(instance, at)
        except errors.DomainError as refusal:
            return (*found, Note(f"It cannot be done any more: {told(refusal)}", Tone.BAD))
        if approval_previews.digest(now) != approval_previews.digest(instance.shown):
            found.append(Note("It is not as it was when it was asked. Look at what changed.", Tone.WARN))
        return (*found, *approval_previews.beside(instance.shown, now))


class ApproveForm(VerbForm):
    """What the person saw, and a remark. What changed since it was asked needs a word of its own."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    remark = forms.CharField(required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
    is_stale = False

    def clean(self) -> dict[str, Any]:
        """What is approved is what was seen."""
        values: dict[str, Any] = super().clean() or {}
        if self.is_stale:
            raise forms.ValidationError("It changed since you looked. Look again, then approve it as it is now.")
        return values


class ChangedForm(ApproveForm):
    """The same of a request that would not do any more what it would have done when it was asked."""

    accepts_change = forms.BooleanField(
        label="I have seen what changed since it was asked", help_text="It is done as it would be now."
    )


class Approve(Decision):
    """Approve what somebody else asked for, and have it done."""

    name = "approve"
    label = "Approve"
    icon = "task_alt"
    variant = theme.ActionVariant.PRIMARY
    explanation = (
        "It is done at once, with what was typed then. The audit trail names who asked and who approved. Only another "
        "person than the one who asked may, of the groups named, with the right to do it."
    )
    confirm = "Approve and do it"

    def form(self, *, data: Any, instance: ApprovalRequest, at: datetime) -> VerbForm:
        """The form of a request as it was asked, or of one that would do something else by now."""
        try:
            now = approval_previews.digest(_now(instance, at))
        except errors.DomainError:
            now = ""
        form_class = ApproveForm if now in ("", approval_previews.digest(instance.shown)) else ChangedForm
        if data is None:
            return form_class(initial={"seen": now})
        is_stale = bool(now) and data.get("seen") != now
        if is_stale:
            data = data.copy()
            data["seen"] = now
        form = form_class(data)
        form.is_stale = is_stale
        return form

    def perform(self, *, instance: ApprovalRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Do it, in one transaction with the decision."""
        approvals.require(instance, actor=actor)

        def perform(both: Actor) -> Any:
            found = approval_asking.prepare(request=known.one(instance.pk), actor=both, at=at)
            if values.get("seen") != approval_previews.digest(found.now):
                raise approvals.Stale("approval_changed", "It changed at this moment. Look again.")
            return found.perform(both, at)

        done = approvals.approve(
            request_id=instance.pk, perform=perform, actor=actor, at=at, remark=values.get("remark", "")
        )
        if done.outcome is None:
            return Outcome(f"Nothing was done: {done.request.remark} The request is closed.")
        return Outcome(done.outcome.message, done.outcome.url, done.outcome.blocks)


class Reject(Decision):
    """Reject what somebody else asked for."""

    name = "reject"
    label = "Reject"
    icon = "thumb_down"
    variant = theme.ActionVariant.DANGER
    explanation = "Nothing is done. Whoever asked sees the reason and may ask again."
    confirm = "Reject it"
    form_class = ReasonForm

    def perform(self, *, instance: ApprovalRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Reject it."""
        approvals.reject(request_id=instance.pk, remark=values["reason"], actor=actor, at=at)
        return Outcome("The request was rejected.")


class Close(Decision):
    """Close a request that cannot be done any more, as the object changed."""

    name = "close"
    label = "Close"
    icon = "event_busy"
    explanation = "What was asked for cannot be done any more. The request is closed with the reason."
    confirm = "Close the request"

    def check(self, *, instance: ApprovalRequest, at: datetime) -> None:
        """Only what waits and cannot be done."""
        super().check(instance=instance, at=at)
        if _refusal(instance, at) is None:
            raise approvals.UnableToDecide("still_possible", "It can still be done: approve or reject it.")

    def perform(self, *, instance: ApprovalRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Close it."""
        approvals.fail(request_id=instance.pk, why=_refusal(instance, at) or "", actor=actor, at=at)
        return Outcome("The request is closed.")


class Withdraw(ObjectVerb):
    """Take an own request back."""

    name = "withdraw"
    label = "Withdraw"
    icon = "undo"
    permission = "platform.change_approvalrequest"
    explanation = "Nothing is done, and nobody has to decide any more. Only whoever asked may."
    confirm = "Withdraw it"

    def offered(self, request: HttpRequest, instance: ApprovalRequest, *, at: datetime) -> bool:
        """Only to the one who asked."""
        return instance.asked_by_id == request.user.pk and self.possible(instance=instance, at=at)

    def check(self, *, instance: ApprovalRequest, at: datetime) -> None:
        """Only what waits."""
        if instance.status != Status.WAITING:
            raise approvals.UnableToDecide("request_decided", "The request is decided.")

    def perform(self, *, instance: ApprovalRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Take it back."""
        approvals.withdraw(request_id=instance.pk, actor=actor, at=at)
        return Outcome("The request was withdrawn.")


def may_decide(row: ApprovalRequest, actor: Actor) -> bool:
    """Say whether a person is one who may decide a request."""
    try:
        approvals.require(row, actor=actor)
    except approvals.NotYourDecision:
        return False
    return True


def _summary(row: ApprovalRequest) -> Facts:
    asked_by = row.asked_by.get_full_name() or row.asked_by.get_username()
    facts = [Fact("Asked by", cells.stack(asked_by, cells.instant(row.asked_at)))]
    if (amount := row.money) is not None:
        facts.append(Fact("Amount", cells.money_text(amount)))
    return Facts("Request", (*facts, Fact("Why", row.reason or cells.EMPTY)))


def _now(row: ApprovalRequest, at: datetime) -> Sequence[Mapping[str, Any]]:
    """What it would do now. Previews are of nobody in particular: who asks makes no difference to them."""
    looker = Actor(kind="user", label=row.asked_by.get_username(), user_id=row.asked_by_id)
    return approval_asking.prepare(request=row, actor=looker, at=at).now


def _refusal(row: ApprovalRequest, at: datetime) -> str | None:
    try:
        _now(row, at)
    except errors.DomainError as refusal:
        return told(refusal)
    return None

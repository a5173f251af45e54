"""What can be done with a migration to another plan version: make it, compute its preview, submit, approve, withdraw
and try again. Who may agree is the service's to say, and the database's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from billing.admin import plan_migration_blocks as shown
from billing.domain import plan_migrations as rules
from billing.domain.plan_migrations import Verb
from billing.models import PlanMigration
from billing.services import plan_migrations
from billing.services.plan_migrations import NewMigration
from catalog.models import PlanVersion
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome

Timing = PlanMigration.Timing
_NEVER = datetime.min.replace(tzinfo=UTC)


class NewMigrationForm(ReasonForm):
    """From which version to which, when and why."""

    sections = (
        ("Versions", ("to_version", "from_version")),
        ("When", ("timing", "change_date")),
        ("Why", ("reason",)),
    )
    aliases = {"plan_code": "to_version"}

    to_version = forms.ModelChoiceField(PlanVersion.objects.none(), label="To")
    from_version = forms.ModelChoiceField(
        PlanVersion.objects.none(), label="From", required=False, empty_label="all other versions of the plan"
    )
    timing = forms.ChoiceField(
        choices=Timing.choices,
        initial=Timing.NOW,
        help_text="Now: what is not billed yet, the running period included, is billed by the new version. At the end "
        "of the period or on a date: up to it by the old one.",
    )
    change_date = forms.DateField(
        label="Date", required=False, widget=forms.DateInput, help_text="For “on a date”, local to each customer."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = PlanVersion.objects.filter(
            base__isnull=True, is_scheduled=False, withdrawn_at__isnull=True, plan__deleted_at__isnull=True
        )
        found = rows.select_related("plan").order_by("plan__name", "plan_id", "-number")
        for name in ("to_version", "from_version"):
            self.fields[name].queryset = found
            self.fields[name].label_from_instance = _label

    def clean(self) -> dict[str, Any]:
        """Refuse versions of two plans."""
        cleaned = super().clean() or self.cleaned_data
        target, source = cleaned.get("to_version"), cleaned.get("from_version")
        if target is not None and source is not None and target.plan_id != source.plan_id:
            self.add_error("from_version", "This is a version of another plan.")
        return cleaned


class MakeMigration(ListVerb):
    """Ask for the subscriptions of a plan to be moved to another of its versions."""

    name = "make"
    label = "Move subscriptions"
    icon = "move_up"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.add_planmigration"
    explanation = (
        "Makes a draft that shows whom it touches and what each next invoice changes by. Nobody is moved before a "
        "second person has approved it."
    )
    confirm = "Make the draft"
    form_class = NewMigrationForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make the draft with its preview."""
        source = values["from_version"]
        new = NewMigration(
            plan_code=values["to_version"].plan.code,
            to_version=values["to_version"].number,
            from_version=None if source is None else source.number,
            timing=values["timing"],
            change_date=values["change_date"],
            reason=values["reason"],
        )
        migration = plan_migrations.make(new=new, actor=actor, at=at)
        return Outcome("The draft was made. Nobody was moved yet.", cells.page_url(migration))


class _MigrationVerb(ObjectVerb):
    """A verb that the state of the migration allows or refuses."""

    verb: Verb

    def check(self, *, instance: PlanMigration, at: datetime) -> None:
        """Ask the table of transitions."""
        rules.next(state=instance.state, verb=self.verb)


class ComputePreview(_MigrationVerb):
    """Compute the preview anew."""

    verb = Verb.PREVIEW
    name = "preview"
    label = "Compute preview anew"
    icon = "refresh"
    permission = "billing.change_planmigration"
    explanation = "Looks at all subscriptions again, with the usage that is stored by now. Nobody is moved."

    def perform(self, *, instance: PlanMigration, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Compute it."""
        plan_migrations.preview(migration_id=instance.pk, actor=actor, at=at)
        return Outcome("The preview was computed anew.")


class Submit(_MigrationVerb):
    """Ask for approval."""

    verb = Verb.SUBMIT
    name = "submit"
    label = "Submit for approval"
    icon = "send"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.change_planmigration"
    explanation = "A second person looks at the preview and approves it. Nobody is moved before."

    def preview(self, *, instance: PlanMigration, at: datetime) -> Sequence[Block]:
        """What they will see."""
        return (*shown.warnings(instance), *shown.preview(instance))

    def perform(self, *, instance: PlanMigration, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Submit it."""
        plan_migrations.submit(migration_id=instance.pk, actor=actor, at=at)
        return Outcome("It waits for the approval of a second person.")


class ApprovalForm(VerbForm):
    """An approval of what was seen."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    reason = forms.CharField(label="Remark", required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class Approve(_MigrationVerb):
    """Agree to what somebody else wants."""

    verb = Verb.APPROVE
    name = "approve"
    label = "Approve"
    icon = "verified"
    variant = theme.ActionVariant.PRIMARY
    permission = "billing.approve_plan_migration"
    explanation = "A worker moves the subscriptions then. Whoever made or submitted the migration cannot approve it."
    confirm = "Approve and move the subscriptions"
    form_class = ApprovalForm

    def initial(self, *, instance: PlanMigration, at: datetime) -> Mapping[str, Any]:
        """The preview that is shown."""
        return {"seen": "" if instance.previewed_at is None else instance.previewed_at.isoformat()}

    def preview(self, *, instance: PlanMigration, at: datetime) -> Sequence[Block]:
        """What it does."""
        return (shown.facts(instance), *shown.warnings(instance), *shown.preview(instance))

    def perform(self, *, instance: PlanMigration, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Approve it."""
        plan_migrations.approve(
            migration_id=instance.pk,
            seen=_moment(values["seen"]) or _NEVER,
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome("It was approved. A worker moves the subscriptions.")


class Withdraw(_MigrationVerb):
    """Take it back."""

    verb = Verb.WITHDRAW
    name = "withdraw"
    label = "Withdraw"
    icon = "undo"
    variant = theme.ActionVariant.DANGER
    permission = "billing.change_planmigration"
    explanation = "Nobody is moved."
    form_class = ReasonForm

    def perform(self, *, instance: PlanMigration, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Withdraw it."""
        plan_migrations.withdraw(migration_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("It was withdrawn.")


class Retry(_MigrationVerb):
    """Try those again that failed."""

    verb = Verb.RETRY
    name = "retry"
    label = "Try failed ones again"
    icon = "replay"
    permission = "billing.change_planmigration"
    explanation = "Subscriptions that failed are tried again. The others stay as they are."

    def perform(self, *, instance: PlanMigration, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Try them."""
        plan_migrations.retry(migration_id=instance.pk, actor=actor, at=at)
        return Outcome("A worker tries them again.")


def _label(version: PlanVersion) -> str:
    current = ", on sale" if version.is_current else ""
    return f"{version.plan.name} ({version.plan.code}), version {version.number}{current}"


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None

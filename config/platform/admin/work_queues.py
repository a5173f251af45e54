"""Work queues in the admin: who looks after which, and lists narrowed to exactly what a queue counts.

Owns also the names and words of the installation's own queues. The overview shows all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from config.kernel import queues
from config.kernel.actors import Actor
from config.kernel.queues import Queue
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Fact, Facts, Page, Tab
from config.platform.admin.forms import VerbForm
from config.platform.admin.queue_filter import PARAMETER
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from config.platform.models import QueueOwner
from config.platform.queries import waiting
from config.platform.queries.work_queues import Waiting
from config.platform.services import work_queues

QUEUES = (
    Queue(
        code="approvals",
        label="Approvals waiting",
        says="What somebody may not do alone, and asked a second person for.",
        icon="how_to_reg",
        model="platform.approvalrequest",
        permission="platform.view_approvalrequest",
        rows=waiting.approvals,
    ),
    Queue(
        code="webhooks",
        label="Webhook endpoints that do not answer",
        says="They are tried again by themselves, less and less often; what happens waits for them.",
        icon="webhook",
        model="platform.webhookendpoint",
        permission="platform.view_webhookendpoint",
        rows=waiting.resting_endpoints,
        is_bad=True,
    ),
)

queues.register(*QUEUES)


class OwnerForm(VerbForm):
    """Which queue, and who looks after it."""

    code = forms.ChoiceField(label="Work queue")
    person = forms.ModelChoiceField(
        User.objects.filter(is_active=True, is_staff=True).order_by("username"), required=False, empty_label="nobody"
    )
    role = forms.ModelChoiceField(
        Group.objects.order_by("name"), required=False, empty_label="no role", help_text="Everybody who has it."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].choices = [(queue.code, queue.label) for queue in queues.registered()]


class Assign(ListVerb):
    """Say who looks after a work queue."""

    name = "assign"
    label = "Set an owner"
    icon = "assignment_ind"
    variant = theme.ActionVariant.PRIMARY
    permission = "platform.change_queueowner"
    explanation = "A queue stands first on the overview of whoever owns it. Choose a person or a role, or neither."
    confirm = "Save"
    form_class = OwnerForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Write it down."""
        return _assigned(values, actor, at)


class Reassign(ObjectVerb):
    """Say who looks after the queue instead."""

    name = "edit"
    label = "Change"
    icon = "edit"
    permission = "platform.change_queueowner"
    explanation = Assign.explanation
    confirm = "Save"
    form_class = OwnerForm

    def form(self, *, data: Any, instance: QueueOwner, at: datetime) -> OwnerForm:
        """The queue stays."""
        initial = {"code": instance.code, "person": instance.person, "role": instance.role}
        form = OwnerForm(data, initial=initial)
        form.fields["code"].disabled = True
        return form

    def perform(self, *, instance: QueueOwner, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Write it down."""
        outcome = _assigned(values, actor, at)
        is_kept = values["person"] is not None or values["role"] is not None
        return outcome if is_kept else Outcome(outcome.message, reverse("admin:platform_queueowner_changelist"))


@pages.register(QueueOwner)
class QueueOwnerAdmin(pages.PageAdmin):
    """Owners of work queues."""

    list_display = ("queue", "owner", "kind", "since")
    list_select_related = ("person", "role")
    ordering = ("code",)
    list_verbs = (Assign(),)
    verbs = (Reassign(),)
    rows_name = "owners"
    empty_title = "No queue has an owner"
    empty_text = "What waits on the overview stands first for whoever owns it. Give each queue a person or a role."

    @theme.display(description="Work queue", ordering="code")
    def queue(self, row: QueueOwner) -> str:
        """What it is called and what it counts."""
        found = queues.named(row.code)
        return row.code if found is None else cells.stack(found.label, found.says)

    @theme.display(description="Owner")
    def owner(self, row: QueueOwner) -> str:
        """Who looks after it."""
        return str(row)

    @theme.display(description="Kind")
    def kind(self, row: QueueOwner) -> str:
        """A person or a role."""
        return cells.badge("role" if row.person is None else "person")

    @theme.display(description="Since", ordering="updated_at")
    def since(self, row: QueueOwner) -> str:
        """When that was set."""
        return cells.instant(row.updated_at)

    def page(self, request: HttpRequest, instance: QueueOwner) -> Page:
        """The queue, its owner, and the history."""
        found = queues.named(instance.code)
        facts = (
            Fact("Work queue", instance.code if found is None else found.label),
            Fact("What it counts", cells.EMPTY if found is None else found.says),
            Fact("Owner", str(instance)),
            Fact("Since", cells.instant(instance.updated_at)),
        )
        return Page(
            tabs=(Tab("Owner", (Facts("", facts), history.recent(instance, self.url("history", instance.pk)))),)
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[QueueOwner]:
        """Owners of queues that exist: one of an earlier version is not shown."""
        known = [queue.code for queue in queues.registered()]
        return super().get_queryset(request).filter(code__in=known)


def visible(request: HttpRequest) -> Sequence[Queue]:
    """The queues whose list the person may see, in the order of their registration."""
    listed = {model._meta.label_lower for model in admin.site._registry}
    return [queue for queue in queues.registered() if queue.model in listed and request.user.has_perm(queue.permission)]


def url(found: Waiting) -> str:
    """The address of exactly what a queue counts: its list narrowed to it, or the page on which it stands."""
    app, name = found.queue.model.split(".")
    if found.queue.is_target:
        if found.target is None:
            return reverse(f"admin:{app}_{name}_changelist")
        anchor = f"#{found.queue.anchor}" if found.queue.anchor else ""
        return f"{reverse(f'admin:{app}_{name}_change', args=[found.target])}{anchor}"
    return f"{reverse(f'admin:{app}_{name}_changelist')}?{urlencode({PARAMETER: found.queue.code})}"


def _assigned(values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
    work_queues.assign(code=values["code"], person=values["person"], role=values["role"], actor=actor, at=at)
    queue = queues.named(values["code"])
    owner = values["person"] or values["role"]
    return Outcome(f"{queue.label if queue else 'The queue'}: {f'owned by {owner}' if owner else 'owned by nobody'}.")

"""The page of the first steps, and what can be done there: send a test mail, tick off backups, put the list away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from config.dashboard import first_steps as steps
from config.kernel.actors import Actor
from config.platform.admin import cells, pages
from config.platform.admin.blocks import Fact, Facts, Page, Tab
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, Outcome
from config.platform.models import FirstStep
from config.platform.services import first_steps

TEMPLATE = "admin/platform/plain.html"


class MailForm(VerbForm):
    """Where to."""

    to = forms.EmailField(label="Send it to", help_text="An address whose mail you can read.")


class TestMail(ListVerb):
    """Send a test mail."""

    name = "mail"
    label = "Send a test mail"
    icon = "forward_to_inbox"
    permission = steps.CHANGE
    explanation = (
        "A short text is sent with the settings that invoices are sent with. If the server takes it, it works."
    )
    confirm = "Send"
    form_class = MailForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Send it."""
        first_steps.send_test_mail(to=values["to"], actor=actor, at=at)
        return Outcome(f"The mail server took the test mail. Look whether it came to {values['to']}.")


class TickBackup(ListVerb):
    """Say that there are backups."""

    name = "backup"
    label = "Backups are set up"
    icon = "backup"
    permission = steps.CHANGE
    explanation = (
        "Back up the database and the folder of documents every day, to another place, and restore a backup once. The "
        "guide to operations has the commands."
    )
    confirm = "Backups are set up"

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note it down."""
        first_steps.tick(code=FirstStep.Code.BACKUP, actor=actor, at=at)
        return Outcome("Good. Try a restore once a year.")


class ChargeNoTax(ListVerb):
    """Say that no tax is charged."""

    name = "no_tax"
    label = "We charge no tax"
    icon = "money_off"
    permission = steps.CHANGE
    explanation = (
        "Invoices are issued without tax as long as no billing entity applies one, and nobody is asked to set taxes up "
        "any more. A tax can be made any day."
    )
    confirm = "We charge no tax"

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note it down."""
        first_steps.tick(code=FirstStep.Code.NO_TAX, actor=actor, at=at)
        return Outcome("Noted: invoices are issued without tax.")


class Hide(ListVerb):
    """Put the list away."""

    name = "hide"
    label = "Put away"
    icon = "visibility_off"
    permission = steps.CHANGE
    explanation = "The first steps are not shown on the overview any more, to nobody. They stay under Help."

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note it down."""
        first_steps.tick(code=FirstStep.Code.HIDDEN, actor=actor, at=at)
        return Outcome("The first steps are put away. You find them under Help.", reverse("admin:index"))


class Show(ListVerb):
    """Bring the list back."""

    name = "show"
    label = "Show on the overview"
    icon = "visibility"
    permission = steps.CHANGE
    explanation = "The first steps are shown on the overview again, until all of them are done."

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note it down."""
        first_steps.untick(code=FirstStep.Code.HIDDEN, actor=actor, at=at)
        return Outcome("The first steps are shown on the overview.", reverse("admin:index"))


@pages.register(FirstStep)
class FirstStepAdmin(pages.PageAdmin):
    """The first steps: one page with all of them in the place of a list of marks."""

    list_verbs = (TestMail(), TickBackup(), ChargeNoTax(), Hide(), Show())
    empty_text = "Nothing was ticked off yet."

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All steps with what they are for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        context = {
            **self.admin_site.each_context(request),
            "title": "First steps",
            "blocks": [steps.whole(request)],
            **(extra_context or {}),
        }
        return TemplateResponse(request, TEMPLATE, context)

    def page(self, request: HttpRequest, instance: FirstStep) -> Page:
        """Who ticked it off, and when."""
        facts = (Fact("Done by", instance.by), Fact("Done", cells.instant(instance.at)))
        return Page(tabs=(Tab("Step", (Facts("", facts),)),))

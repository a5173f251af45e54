"""Checks of VAT numbers in the admin: which wait for an answer, what was answered, and deciding without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Page, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.models import VatCheck
from customers.services import vat_checks
from customers.services.vies import Answer

_TONES = {VatCheck.Status.PENDING: Tone.WARN, VatCheck.Status.VALID: Tone.GOOD, VatCheck.Status.INVALID: Tone.BAD}


class AskAgain(ObjectVerb):
    """Ask the register again."""

    name = "ask_again"
    label = "Ask again"
    icon = "refresh"
    permission = "customers.change_vatcheck"
    explanation = "The register is asked within a minute. What is known goes on counting until it answers."
    confirm = "Ask again"

    def perform(self, *, instance: VatCheck, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Have it asked."""
        vat_checks.ask_again(check_id=instance.pk, actor=actor, at=at)
        return Outcome("The register will be asked.")


class DecisionForm(VerbForm):
    """What a person knows of a number."""

    is_valid = forms.TypedChoiceField(
        label="The number is",
        choices=[("", "–"), ("yes", "valid"), ("no", "not valid")],
        coerce=lambda text: text == "yes",
        empty_value=None,
    )
    reason = forms.CharField(
        max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), help_text="The evidence that you have seen."
    )


class DecideByHand(ObjectVerb):
    """Decide without the register."""

    name = "decide"
    label = "Decide by hand"
    icon = "gavel"
    permission = "customers.change_vatcheck"
    explanation = (
        "The taxes of the customers with this number are decided by it at once, and invoices that waited are issued. "
        "It counts until the register is asked again, in 90 days or before."
    )
    confirm = "Decide"
    form_class = DecisionForm

    def preview(self, *, instance: VatCheck, at: datetime) -> Sequence[Block]:
        """Whom it is about."""
        return (_customers(instance),)

    def perform(self, *, instance: VatCheck, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Decide it."""
        answer = Answer(is_valid=values["is_valid"], name=instance.name, told_by=actor.label)
        vat_checks.settle(check_id=instance.pk, answer=answer, actor=actor, at=at, reason=values["reason"])
        return Outcome("The number was decided about.")


@pages.register(VatCheck)
class VatCheckAdmin(pages.PageAdmin):
    """Checks of VAT numbers."""

    list_display = ("number", "status_shown", "named", "asked", "following", "remark")
    list_filter = (("status", theme.ChoicesDropdownFilter),)
    search_fields = ("number", "name")
    ordering = ("-created_at", "-id")
    verbs = (AskAgain(), DecideByHand())
    empty_text = "Numbers of customers come here once their billing entity has its VAT of the EU decided."

    @theme.display(description="Status", ordering="status")
    def status_shown(self, check: VatCheck) -> str:
        """What is known."""
        return status(check)

    @theme.display(description="Registered as")
    def named(self, check: VatCheck) -> str:
        """The name that the register gave."""
        return check.name or cells.EMPTY

    @theme.display(description="Answered", ordering="checked_at")
    def asked(self, check: VatCheck) -> str:
        """When it was answered last."""
        return cells.instant(check.checked_at)

    @theme.display(description="Asked next", ordering="next_attempt_at")
    def following(self, check: VatCheck) -> str:
        """When it is asked about."""
        return cells.instant(check.next_attempt_at)

    @theme.display(description="Remark")
    def remark(self, check: VatCheck) -> str:
        """Why there is no answer."""
        return check.error

    def page(self, request: HttpRequest, instance: VatCheck) -> Page:
        """The number, what was answered, whom it is about."""
        facts = Facts(
            "VAT number",
            (
                Fact("Number", cells.code(instance.number)),
                Fact("Status", status(instance)),
                Fact("Registered as", instance.name or cells.EMPTY),
                Fact("Address", instance.address or cells.EMPTY),
                Fact("Told by", instance.told_by or cells.EMPTY),
                Fact("Reference", instance.reference or cells.EMPTY),
                Fact("Answered", cells.instant(instance.checked_at)),
                Fact("Asked next", cells.instant(instance.next_attempt_at)),
                Fact("Attempts without an answer", cells.number_text(instance.attempts)),
                Fact("Last error", instance.error or cells.EMPTY),
            ),
        )
        recent = history.recent(instance, self.url("history", instance.pk))
        return Page(top=(facts, _customers(instance), recent), tabs=())


def status(check: VatCheck) -> str:
    """What is known of a number."""
    return cells.badge(check.get_status_display(), _TONES[VatCheck.Status(check.status)])


def _customers(check: VatCheck) -> Table:
    return Table(
        "Customers with this number",
        columns("Customer", "Taxes"),
        tuple(
            Row((cells.to(one, one.display_name), ", ".join(str(tax) for tax in one.taxes.all())))
            for one in check.customers.filter(deleted_at__isnull=True).prefetch_related("taxes").order_by("pk")[:50]
        ),
        empty="No customer has it any more.",
    )

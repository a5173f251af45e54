"""Tax engines in the admin: whose taxes are worked out elsewhere, what was asked, and asking again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest

from config.kernel.actors import Actor
from config.platform.admin import cells, history, pages, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Page, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ListVerb, ObjectVerb, Outcome
from customers.models import BillingEntity
from invoicing.domain import states
from invoicing.models import Invoice, TaxCalculation, TaxEngine
from invoicing.services import tax_calculations, tax_engines

_TONES = {
    TaxCalculation.Status.WAITING: Tone.WARN,
    TaxCalculation.Status.ANSWERED: Tone.GOOD,
    TaxCalculation.Status.FAILED: Tone.BAD,
}


class EngineForm(VerbForm):
    """Where an engine is, and how it knows us."""

    aliases = {"billing_entity_code": "billing_entity"}

    billing_entity = forms.ModelChoiceField(BillingEntity.objects.order_by("name"), empty_label=None)
    code = forms.CharField(max_length=100, help_text="By which the API knows it.")
    url = forms.CharField(
        label="Address", max_length=200, help_text="It is asked at …/calculations, told at …/reports."
    )
    token = forms.CharField(
        max_length=512,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Sent with every request, shown to nobody. Empty: as it is.",
    )
    is_active = forms.BooleanField(label="Active", required=False, initial=True)


class CreateEngine(ListVerb):
    """Give a billing entity a tax engine."""

    name = "create"
    label = "New tax engine"
    icon = "add"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.add_taxengine"
    explanation = "Invoices of this billing entity wait for its answer from now on, before they are issued."
    confirm = "Save"
    form_class = EngineForm

    def perform(self, *, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Make it."""
        engine = tax_engines.create(values=_values(values), actor=actor, at=at)
        return Outcome(f"The tax engine {engine} was made.", cells.page_url(engine))


class EditEngine(ObjectVerb):
    """Change a tax engine, or switch it off."""

    name = "edit"
    label = "Edit"
    icon = "edit"
    permission = "invoicing.change_taxengine"
    explanation = "Switched off, the taxes kept here count again for what is issued from then on."
    confirm = "Save"
    form_class = EngineForm

    def form(self, *, data: Any, instance: TaxEngine, at: datetime) -> EngineForm:
        """The engine as it is; whose it is stays."""
        initial = {name: getattr(instance, name) for name in ("billing_entity", "code", "url", "is_active")}
        form = EngineForm(data, initial=initial)
        form.fields["billing_entity"].disabled = True
        return form

    def perform(self, *, instance: TaxEngine, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Change it."""
        tax_engines.update(code=instance.code, values=_values(values), actor=actor, at=at)
        return Outcome("The tax engine was saved.")


class RetryTaxes(ObjectVerb):
    """Ask for the taxes of a failed invoice again."""

    name = "retry_taxes"
    label = "Retry taxes"
    icon = "refresh"
    permission = "invoicing.finalize_invoice"
    explanation = "The tax engine is asked again about the invoice as it is now. With its answer it is issued."
    confirm = "Ask again"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only one whose taxes failed."""
        states.move(status=instance.status, verb=states.RETRY_TAXES)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """Why it failed."""
        return tuple(notes(instance))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Ask."""
        tax_calculations.retry(invoice_id=instance.pk, actor=actor, at=at)
        return Outcome("The tax engine will be asked again.")


@pages.register(TaxEngine)
class TaxEngineAdmin(pages.PageAdmin):
    """Tax engines."""

    list_display = ("code", "seller", "url", "standing")
    list_select_related = ("billing_entity",)
    search_fields = ("code",)
    ordering = ("code",)
    list_verbs = (CreateEngine(),)
    verbs = (EditEngine(),)
    empty_text = "Taxes are worked out here, by the rates under Taxes, unless a billing entity has an engine."

    @theme.display(description="Billing entity")
    def seller(self, engine: TaxEngine) -> str:
        """Whose taxes it works out."""
        return engine.billing_entity.name

    @theme.display(description="State")
    def standing(self, engine: TaxEngine) -> str:
        """Whether it is asked."""
        return _state(engine)

    def page(self, request: HttpRequest, instance: TaxEngine) -> Page:
        """The engine, what waits or failed, its history."""
        facts = Facts(
            "Tax engine",
            (
                Fact("Billing entity", cells.to(instance.billing_entity)),
                Fact("Code", cells.code(instance.code)),
                Fact("Kind", instance.get_kind_display()),
                Fact("Address", instance.url),
                Fact("Token", "set" if instance.token else "none"),
                Fact("State", _state(instance)),
            ),
        )
        asked = instance.calculations.select_related("invoice").order_by("-pk")[:20]
        table = Table(
            "Last questions",
            columns("Invoice", "Status", "Asked", "Attempts#", "Error"),
            tuple(
                Row(
                    (
                        cells.to(row.invoice),
                        cells.to(row, row.get_status_display()),
                        cells.instant(row.created_at),
                        cells.number(row.attempts),
                        row.error_message,
                    )
                )
                for row in asked
            ),
            empty="It was asked nothing yet.",
        )
        return Page(top=(facts, table, history.recent(instance, self.url("history", instance.pk))), tabs=())


@pages.register(TaxCalculation)
class TaxCalculationAdmin(pages.PageAdmin):
    """What engines were asked: the queue."""

    list_display = ("about", "engine", "status_shown", "asked", "attempts", "error_message")
    list_filter = (("status", theme.ChoicesDropdownFilter),)
    list_select_related = ("invoice", "engine")
    ordering = ("-id",)
    empty_text = "No engine was asked yet."

    @theme.display(description="Invoice")
    def about(self, row: TaxCalculation) -> str:
        """What it is about."""
        return str(row.invoice)

    @theme.display(description="Status", ordering="status")
    def status_shown(self, row: TaxCalculation) -> str:
        """Whether there is an answer."""
        return cells.badge(row.get_status_display(), _TONES[TaxCalculation.Status(row.status)])

    @theme.display(description="Asked", ordering="id")
    def asked(self, row: TaxCalculation) -> str:
        """When it was asked first."""
        return cells.instant(row.created_at)

    def page(self, request: HttpRequest, instance: TaxCalculation) -> Page:
        """Question and answer as they went over the wire."""
        facts = Facts(
            "Tax calculation",
            (
                Fact("Invoice", cells.to(instance.invoice)),
                Fact("Engine", cells.to(instance.engine)),
                Fact("Status", self.status_shown(instance)),
                Fact("Answered", cells.instant(instance.answered_at)),
                Fact("Asked next", cells.instant(instance.next_attempt_at)),
                Fact("Error", instance.error_message or cells.EMPTY),
                Fact("Question", cells.code(json.dumps(instance.question, ensure_ascii=False))),
                Fact("Answer", cells.code(json.dumps(instance.answer, ensure_ascii=False))),
            ),
        )
        return Page(top=(facts,), tabs=())


def notes(invoice: Invoice) -> list[Note]:
    """What an invoice waits for, or why its taxes failed."""
    if invoice.status == Invoice.Status.PENDING:
        return [Note("It waits for its taxes and is issued by itself once they are known.", Tone.WARN)]
    if invoice.status == Invoice.Status.FAILED:
        why = "; ".join(str(row["details"].get("tax_error_message", "")) for row in invoice.error_details)
        return [Note(f"Its taxes could not be worked out: {why}", Tone.BAD)]
    return []


def _values(values: Mapping[str, Any]) -> tax_engines.EngineValues:
    found = tax_engines.EngineValues(
        billing_entity_code=values["billing_entity"].code,
        code=values["code"],
        url=values["url"],
        is_active=values["is_active"],
    )
    if values["token"]:
        found["token"] = values["token"]
    return found


def _state(engine: TaxEngine) -> str:
    return cells.badge("active", Tone.GOOD) if engine.is_active else cells.badge("switched off", Tone.NEUTRAL)

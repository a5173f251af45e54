"""Taking back a document and issuing another in its place. What would come of it is worked out by the same code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from config.kernel import money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin import invoice_verbs
from invoicing.domain import states, voids
from invoicing.models import Invoice, InvoiceLine
from invoicing.queries import voids as known
from invoicing.services import approval_actions, regenerating, voiding
from invoicing.services.regenerating import LineEdit
from invoicing.services.voiding import CreditNoteParts

_UNITS, _PRICE, _LABEL = "units_", "price_", "label_"


class VoidForm(ReasonForm):
    """Why, and whether a credit note gives back certain amounts instead."""

    aliases = {"credit_refund_amount": "credit_amount"}

    generate_credit_note = forms.BooleanField(
        label="With a credit note",
        required=False,
        help_text="It gives back the two amounts; another one over the rest is issued and voided at once.",
    )
    credit_amount = forms.DecimalField(label="As credit, with tax", min_value=0, required=False, decimal_places=4)
    refund_amount = forms.DecimalField(label="As a refund, with tax", min_value=0, required=False, decimal_places=4)

    def clean(self) -> dict[str, Any]:
        """Amounts are for a credit note."""
        values: dict[str, Any] = super().clean() or {}
        amounts = values.get("credit_amount") or values.get("refund_amount")
        if amounts and not values.get("generate_credit_note"):
            raise forms.ValidationError("Amounts are given back by a credit note: switch it on.")
        return values


class VoidIssued(ObjectVerb):
    """Void a document."""

    name = "void_issued"
    label = "Void"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.void_invoice"
    action = approval_actions.VOID_INVOICE
    explanation = (
        "The invoice keeps its number and says what it said, but nothing of it is owed. What it used of coupons and "
        "credits can be used again, and payments are held for the customer. What it billed is not billed again by "
        "itself: regenerate it for that. With a credit note, it gives back what you say, and what a wallet paid of "
        "the rest is not given back. This cannot be undone."
    )
    confirm = "Void the invoice"
    form_class = VoidForm
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a document is voided, and only what can be given back."""
        states.move(status=instance.status, verb=states.VOID)
        known.demand_voidable(instance)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What is taken back."""
        return (invoice_verbs.summary(instance),)

    def measured(self, *, instance: Invoice, values: Mapping[str, Any] | None) -> Money | None:
        """The invoice with tax, before credits."""
        return instance.gross_amount

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What is given back."""
        settled = known.settled(instance)
        blocks: list[Block] = []
        if values["generate_credit_note"]:
            facts = (
                Fact("As credit", _text(values["credit_amount"], instance)),
                Fact("As a refund", _text(values["refund_amount"], instance)),
            )
            blocks.append(Facts("The credit note", facts))
            return (*blocks, Note("A second credit note over the rest is issued and voided at once.", Tone.INFO))
        given = voids.given(settled, keeps_wallet=False)
        rows = (
            ("Held for the customer", given.held),
            ("Credits of credit notes that can be used again", given.credits),
            ("Prepaid credit that can be drawn again", given.prepaid),
            ("Credits that go back to wallets", given.wallet),
            ("Coupons that can be used again", instance.coupons_amount),
            ("Written off: credit notes gave it, nobody paid it", given.written_off),
        )
        facts = tuple(Fact(label, cells.money_text(amount)) for label, amount in rows if amount)
        return (Facts("What is given back", facts or (Fact("Nothing", "nothing was paid or used"),)),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void it."""
        parts = None
        if values["generate_credit_note"]:
            parts = CreditNoteParts(
                credit=Money(values["credit_amount"] or 0, instance.currency),
                refund=Money(values["refund_amount"] or 0, instance.currency),
            )
        voiding.void(invoice_id=instance.pk, reason=values["reason"], credit_note=parts, actor=actor, at=at)
        return Outcome(f"Invoice {instance} was voided.")


class VoidMany(VoidIssued):
    """Void each of many, without a credit note."""

    name = "void_many"
    form_class = ReasonForm
    weighs = False

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void it."""
        voiding.void(invoice_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome(f"Invoice {instance} was voided.")


class Regenerate(ObjectVerb):
    """Issue an invoice in the place of a voided one."""

    name = "regenerate"
    label = "Regenerate"
    icon = "restart_alt"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.void_invoice"
    explanation = (
        "An invoice with the same lines is issued now, with the next number and the taxes of now. Change units, unit "
        "price or name of a line where it was wrong; what is left empty stays as it was."
    )
    confirm = "Issue the invoice"
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a voided document without another in its place."""
        if instance.status != Invoice.Status.VOIDED or instance.number is None:
            raise regenerating.UnableToRegenerate("status_not_voided", "Only a voided invoice is regenerated.")
        if instance.regenerations.exclude(status=Invoice.Status.VOIDED).exists():
            raise regenerating.UnableToRegenerate("already_regenerated", "Another invoice stands in its place.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Three fields for each line."""
        fields: dict[str, Any] = {}
        sections = []
        for line in instance.lines.order_by("position"):
            own = {
                f"{_UNITS}{line.pk}": forms.DecimalField(
                    label="Units", required=False, min_value=0, help_text=f"{cells.number_text(line.units)} before."
                ),
                f"{_PRICE}{line.pk}": forms.DecimalField(
                    label="Unit price",
                    required=False,
                    min_value=0,
                    help_text=f"{cells.unit_price_text(line.unit_amount, line.currency)} before.",
                ),
                f"{_LABEL}{line.pk}": forms.CharField(label="Name", required=False, max_length=512),
            }
            fields |= own
            amount = cells.money_text(line.amount)
            sections.append((f"{line.position}. {line.label}: {amount}", tuple(own)))
        form_class = type("RegenerateForm", (VerbForm,), {**fields, "sections": tuple(sections)})
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The voided invoice."""
        return (invoice_verbs.summary(instance),)

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """The new invoice, line by line."""
        shown = regenerating.preview(invoice_id=instance.pk, edits=_edits(instance, values), actor=actor, at=at)
        before = {line.position: line.amount for line in instance.lines.all()}
        lines = Table(
            "The new invoice",
            columns("Item", "Units#", "Before#", "Net#"),
            tuple(
                Row(
                    (line.label, cells.number(line.units), cells.money(before[line.position]), cells.money(line.amount))
                )
                for line in shown.lines
            ),
        )
        facts = (
            Fact("Net", cells.money_text(shown.invoice.net_amount)),
            Fact("Tax", cells.money_text(shown.invoice.taxes_amount)),
            Fact("To be paid", cells.money_text(shown.invoice.total_amount)),
            Fact("Before", cells.money_text(instance.total_amount)),
        )
        return (lines, Facts("Totals", facts))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Issue it."""
        issued = regenerating.regenerate(invoice_id=instance.pk, edits=_edits(instance, values), actor=actor, at=at)
        return Outcome(f"Invoice {issued} was issued in the place of {instance}.")


def _edits(invoice: Invoice, values: Mapping[str, Any]) -> dict[int, LineEdit]:
    found = {}
    for line in InvoiceLine.objects.filter(invoice=invoice).only("pk"):
        units, price = values.get(f"{_UNITS}{line.pk}"), values.get(f"{_PRICE}{line.pk}")
        label = values.get(f"{_LABEL}{line.pk}") or None
        if units is not None or price is not None or label is not None:
            found[line.pk] = LineEdit(units=units, unit_amount=price, label=label)
    return found


def _text(amount: Decimal | None, invoice: Invoice) -> str:
    return cells.money_text(money.zero(invoice.currency) if amount is None else Money(amount, invoice.currency))

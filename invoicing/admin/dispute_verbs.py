"""Disputes on the page of an invoice: opening one, ending one, and marking all of it as lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Row, Table, columns
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin import invoice_verbs
from invoicing.domain.disputes import NotDisputable
from invoicing.models import Invoice, InvoiceDispute
from invoicing.queries import disputes as known
from invoicing.queries import receivables
from invoicing.services import disputes

_OUTCOMES = (
    ("won", "Won: the customer owes it"),
    ("withdrawn", "Withdrawn by the customer: it is owed"),
    ("lost", "Lost: it will not be paid"),
)


class OpenDispute(ObjectVerb):
    """Open a dispute."""

    name = "dispute"
    label = "Dispute"
    icon = "gavel"
    permission = "invoicing.add_invoicedispute"
    explanation = (
        "What the customer disputes is not overdue and nobody is reminded of it; the rest of the invoice is. It stands "
        "in an account and in a bucket of receivables of its own until the dispute ends."
    )
    confirm = "Open the dispute"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Something must be due and not disputed."""
        if instance.status != Invoice.Status.FINALIZED or not receivables.undisputed(instance):
            raise NotDisputable("not_disputable", "Nothing is left to dispute of this invoice.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """All of it, or a line, and an amount."""
        lines = [(str(line.pk), f"{line.position}. {line.label}") for line in instance.lines.order_by("position")]
        fields = {
            "line": forms.ChoiceField(label="Of", choices=[("", "the whole invoice"), *lines], required=False),
            "amount": forms.DecimalField(
                label="Amount, with tax",
                required=False,
                min_value=0,
                decimal_places=4,
                help_text=f"All of it unless given. {cells.money_text(receivables.undisputed(instance))} is left.",
            ),
        }
        aliases = {"amount_cents": "amount"}
        form_class = type("DisputeForm", (ReasonForm,), {**fields, "aliases": aliases, "field_order": tuple(fields)})
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The invoice, and its disputes."""
        return (invoice_verbs.summary(instance), table(instance))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Open it."""
        amount = values["amount"]
        found = disputes.open_dispute(
            invoice_id=instance.pk,
            line_id=int(values["line"]) if values["line"] else None,
            amount=None if amount is None else Money(amount, instance.currency),
            reason=values["reason"],
            actor=actor,
            at=at,
        )
        return Outcome(f"{cells.money_text(found.amount)} of the invoice is disputed.")


class EndDispute(ObjectVerb):
    """End a dispute."""

    name = "end_dispute"
    label = "End a dispute"
    icon = "balance"
    permission = "invoicing.change_invoicedispute"
    explanation = "What is owed again is overdue if its day is over. What is lost stays until it is credited or voided."
    confirm = "End the dispute"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """One must be open, or lost."""
        if not known.standing(instance).exists():
            raise NotDisputable("not_disputable", "Nothing of this invoice is disputed.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Which, and how it ended."""
        rows = [(str(row.pk), _told(row)) for row in known.standing(instance)]
        fields = {
            "dispute": forms.ChoiceField(choices=rows),
            "outcome": forms.ChoiceField(label="It was", choices=_OUTCOMES),
            "resolution": forms.CharField(required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 3})),
        }
        form_class = type("EndDisputeForm", (VerbForm,), fields)
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The disputes."""
        return (table(instance),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """End it."""
        disputes.resolve(
            dispute_id=int(values["dispute"]),
            outcome=values["outcome"],
            resolution=values["resolution"],
            actor=actor,
            at=at,
        )
        return Outcome("The dispute was ended.")


class LoseDispute(ObjectVerb):
    """Mark the payment dispute of an invoice as lost."""

    name = "lose_dispute"
    label = "Dispute lost"
    icon = "money_off"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.change_invoicedispute"
    explanation = (
        "All that is due is disputed, and lost: the invoice is not overdue any more, and nobody is reminded of it. It "
        "stays issued and unpaid until it is credited or voided."
    )
    confirm = "Mark as lost"
    form_class = ReasonForm

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only once, and only a document."""
        if instance.status != Invoice.Status.FINALIZED or instance.payment_dispute_lost_at is not None:
            raise NotDisputable("not_disputable", "The invoice has no dispute to lose.")

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The invoice, and its disputes."""
        return (invoice_verbs.summary(instance), table(instance))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Mark it."""
        disputes.lose(invoice_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The dispute was marked as lost.")


def table(invoice: Invoice) -> Table:
    """The disputes of an invoice."""
    return Table(
        "Disputes",
        columns("Opened", "Of", "State", "Reason", "Disputed#", "Still disputed#"),
        tuple(
            Row(
                (
                    cells.local_day(row.opened_at, invoice.timezone),
                    row.line.label if row.line else "the whole invoice",
                    row.get_status_display(),
                    cells.stack(row.reason, row.resolution),
                    cells.money(row.amount),
                    cells.money(row.open_amount),
                )
            )
            for row in known.of_invoice(invoice)
        ),
        empty="Nothing of this invoice was disputed.",
    )


def _told(row: InvoiceDispute) -> str:
    return f"{cells.money_text(row.open_amount)}: {row.reason[:80]}"

"""Write-offs on the page of an invoice: writing off what is due, and undoing it when the customer pays after all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Row, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin import invoice_verbs
from invoicing.domain import write_offs as rules
from invoicing.models import Invoice, WriteOff
from invoicing.queries import receivables
from invoicing.queries import write_offs as known
from invoicing.services import approval_actions, write_offs


class WriteOffForm(ReasonForm):
    """How much, and why."""

    aliases = {"amount_cents": "amount"}
    field_order = ("amount",)

    amount = forms.DecimalField(label="Amount, with tax", required=False, min_value=0, decimal_places=4)


class WriteOffDue(ObjectVerb):
    """Write off what is due."""

    name = "write_off"
    label = "Write off"
    icon = "money_off"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.add_writeoff"
    action = approval_actions.WRITE_OFF
    explanation = (
        "The amount is booked as a loss with its tax, and is owed no more: it is not overdue, and nobody is reminded "
        "of it. The invoice stays as it is. It can be undone when the customer pays after all. Where the law lets you "
        "take back the tax, book that by hand."
    )
    confirm = "Write it off"
    form_class = WriteOffForm
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Something must be due of a document."""
        write_offs.demand_writable(instance)

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """All of it unless an amount is given."""
        form = WriteOffForm(data)
        form.fields["amount"].help_text = f"All of it unless given: {cells.money_text(receivables.owed(instance))}."
        return form

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The invoice."""
        return (invoice_verbs.summary(instance),)

    def measured(self, *, instance: Invoice, values: Mapping[str, Any] | None) -> Money | None:
        """What is written off: all that is due unless an amount is given."""
        return _amount(instance, values or {}) or receivables.owed(instance)

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What is booked, and what is left."""
        due = receivables.owed(instance)
        amount = _amount(instance, values) or due
        rules.demand_amount(amount=amount, due=due)
        facts = (
            Fact("Due now", cells.money_text(due)),
            Fact("Written off, with tax", cells.money_text(amount)),
            Fact("Due then", cells.money_text(due - amount)),
            Fact("Booked", f"Loss {cells.money_text(amount)}, receivables {cells.money_text(-amount)}"),
        )
        return (Facts("What would happen", facts),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Write it off, once however often the button is pressed."""
        row = write_offs.write_off(
            invoice_id=instance.pk,
            amount=_amount(instance, values),
            reason=values["reason"],
            actor=actor,
            at=at,
            idempotency_key=f"admin:{values['once']}:{instance.pk}" if values["once"] else None,
        )
        return Outcome(f"{cells.money_text(row.amount)} of invoice {instance} was written off.")


class WriteOffMany(WriteOffDue):
    """Write off all that is due of each of many."""

    name = "write_off_many"
    form_class = ReasonForm

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Only why."""
        return ReasonForm(data)


class UndoWriteOff(ObjectVerb):
    """Undo a write-off."""

    name = "undo_write_off"
    label = "Undo a write-off"
    icon = "settings_backup_restore"
    permission = "invoicing.add_writeoffreversal"
    explanation = "The amount is owed again, such as when the customer pays after all. Both stay in the books."
    confirm = "Undo it"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Something must be written off."""
        if instance.status != Invoice.Status.FINALIZED or not instance.written_off_amount:
            raise rules.NotWritable("not_writable_off", "Nothing of this invoice is written off.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Which one, and why."""
        rows = [(str(row.pk), _told(row)) for row in known.standing(instance)]
        fields = {"write_off": forms.ChoiceField(label="Write-off", choices=rows), "field_order": ("write_off",)}
        form_class = type("UndoWriteOffForm", (ReasonForm,), fields)
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What was written off."""
        return (table(list(known.of_invoice(instance))),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Undo it."""
        row = write_offs.undo(write_off_id=int(values["write_off"]), reason=values["reason"], actor=actor, at=at)
        return Outcome(f"{cells.money_text(row.amount)} of invoice {instance} is owed again.")


def table(rows: Sequence[WriteOff]) -> Table:
    """Write-offs of an invoice, and what became of them."""
    return Table(
        "Write-offs",
        columns("Written off", "Reason", "State", "Amount#"),
        tuple(Row((cells.instant(row.created_at), _why(row), state(row), cells.money(row.amount))) for row in rows),
        empty="Nothing of this invoice was written off.",
    )


def state(row: WriteOff) -> str:
    """Whether it stands."""
    reversal = getattr(row, "reversal", None)
    if reversal is None:
        return cells.badge("stands", Tone.WARN)
    return cells.stack(cells.badge("undone", Tone.NEUTRAL), cells.instant(reversal.created_at))


def _why(row: WriteOff) -> str:
    reversal = getattr(row, "reversal", None)
    return cells.stack(row.reason, "" if reversal is None else f"Undone: {reversal.reason}")


def _amount(invoice: Invoice, values: Mapping[str, Any]) -> Money | None:
    amount: Decimal | None = values.get("amount")
    return None if amount is None else Money(amount, invoice.currency)


def _told(row: WriteOff) -> str:
    return f"{cells.money_text(row.amount)}: {row.reason[:80]}"

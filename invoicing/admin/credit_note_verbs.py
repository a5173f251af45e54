"""What can be done about credit notes: credit an issued invoice, void what is left of a credit, tell a refund, send.

Each verb makes one service call; what would come of it is worked out by the same code before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.models import CreditNote, Invoice, InvoiceLine
from invoicing.queries import credit_notes as known
from invoicing.services import approval_actions, credit_note_dispatch, credit_notes

_WAYS = (
    ("credit", "As credit: it lowers later invoices"),
    ("refund", "As a refund: the money is paid back"),
    ("offset", "Off what is due of this invoice"),
)
_LINE = "line_"


class CreditForm(VerbForm):
    """How much of each line is given back, net, why, and which way."""

    aliases = {
        "amount_cents": "way",
        "credit_amount_cents": "way",
        "refund_amount_cents": "way",
        "offset_amount_cents": "way",
        "base": "way",
    }

    reason = forms.ChoiceField(choices=CreditNote.Reason.choices, initial=CreditNote.Reason.OTHER)
    way = forms.ChoiceField(label="Given back", choices=_WAYS)
    description = forms.CharField(required=False, max_length=1000, help_text="Said on the credit note.")

    def clean(self) -> dict[str, Any]:
        """Something has to be given back."""
        values: dict[str, Any] = super().clean() or {}
        if not self.errors and not any(values.get(name) for name in self.fields if name.startswith(_LINE)):
            raise forms.ValidationError("Say how much of which line is given back.")
        return values


class Credit(ObjectVerb):
    """Give back part of an issued invoice by a credit note."""

    name = "credit"
    label = "Credit"
    icon = "undo"
    permission = "invoicing.add_creditnote"
    action = approval_actions.CREDIT_NOTE
    explanation = (
        "A credit note is issued at once: it takes the next number of the invoice, is frozen and booked. The invoice "
        "itself stays as it is. Say for each line how much is given back before tax; tax is added as on the invoice."
    )
    confirm = "Issue the credit note"
    weighs = True

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a document is credited, as long as something is left of it."""
        if instance.status != Invoice.Status.FINALIZED or not instance.fees_amount.amount:
            raise errors.NotAllowed("invalid_type_or_status", "Only a finalized invoice over something is credited.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> CreditForm:
        """A field for each line of which something is left."""
        fields = {_name(line): _field(line, left) for line, left in _left(instance)}
        form_class = type("CreditLinesForm", (CreditForm,), {**fields, "sections": (("Net amounts", tuple(fields)),)})
        return form_class(data)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What was given back before."""
        return (table(list(instance.credit_notes.order_by("pk"))),)

    def weigh(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Sequence[Block]:
        """What the credit note would come to."""
        found = credit_notes.estimate(invoice_id=instance.pk, amounts=_amounts(instance, values))
        amount, limits, coupons = found.credited.amount, found.limits, ()
        if found.credited.coupons:
            coupons = (
                Fact("Items", cells.money_text(amount.net + found.credited.coupons)),
                Fact("Taken off for coupons", cells.money_text(-found.credited.coupons)),
            )
        about = Facts(
            "What is credited",
            (
                Fact("Customer", cells.to(instance.customer)),
                Fact("Invoice", cells.to(instance)),
                Fact("Reason", CreditNote.Reason(values["reason"]).label),
                Fact("Said on the credit note", values["description"] or cells.EMPTY),
            ),
        )
        facts = Facts(
            "The credit note",
            (
                *coupons,
                Fact("Net", cells.money_text(amount.net)),
                Fact("Tax", cells.money_text(amount.tax)),
                Fact("Total", cells.money_text(amount.gross)),
                Fact("Given back", dict(_WAYS)[values["way"]]),
                Fact("Could be refunded", cells.money_text(limits.refundable)),
                Fact("Could be taken off what is due", cells.money_text(limits.offsettable)),
            ),
        )
        return (about, _given(instance, values), facts)

    def measured(self, *, instance: Invoice, values: Mapping[str, Any] | None) -> Money | None:
        """The credit note with tax, once it is known which lines."""
        if values is None:
            return None
        return credit_notes.estimate(invoice_id=instance.pk, amounts=_amounts(instance, values)).credited.amount.gross

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Issue it."""
        amounts = _amounts(instance, values)
        total = credit_notes.estimate(invoice_id=instance.pk, amounts=amounts).credited.amount.gross
        note = credit_notes.create(
            invoice_id=instance.pk,
            amounts=amounts,
            reason=values["reason"],
            description=values["description"],
            actor=actor,
            at=at,
            idempotency_key=f"admin:{values['once']}" if values["once"] else None,
            **{values["way"]: total},
        )
        return Outcome(f"The credit note {note} over {cells.money_text(note.total_amount)} was issued.")


class VoidCredit(ObjectVerb):
    """Take back what is left of a credit."""

    name = "void"
    label = "Void the credit"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.void_creditnote"
    explanation = (
        "What is left of the credit is gone: no later invoice uses it. What was used stays used, and the credit note "
        "stays a document. This cannot be undone."
    )
    confirm = "Void the credit"

    def check(self, *, instance: CreditNote, at: datetime) -> None:
        """Some credit must be left."""
        if instance.credit_status != CreditNote.CreditStatus.AVAILABLE or instance.number is None:
            raise errors.NotAllowed("no_voidable_amount", "There is no credit left to void.")

    def preview(self, *, instance: CreditNote, at: datetime) -> Sequence[Block]:
        """What would be lost."""
        return (Facts(str(instance), (Fact("Credit left", cells.money_text(instance.balance_amount)),)),)

    def perform(self, *, instance: CreditNote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void it."""
        credit_notes.void(credit_note_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The credit of {instance} was voided.")


class RefundForm(VerbForm):
    """What became of a refund."""

    refund_status = forms.ChoiceField(
        label="The refund",
        choices=[("succeeded", "was paid"), ("failed", "failed"), ("pending", "is still to be paid")],
    )


class TellRefund(ObjectVerb):
    """Tell what became of a refund."""

    name = "refund"
    label = "Tell the refund"
    icon = "payments"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.refund_creditnote"
    action = approval_actions.REFUND_CREDIT_NOTE
    explanation = "Refunds are paid elsewhere, such as by a bank transfer. One that was paid is booked out of cash."
    confirm = "Save"
    form_class = RefundForm

    def check(self, *, instance: CreditNote, at: datetime) -> None:
        """A refund must be open."""
        if instance.number is None or instance.refund_status not in {
            CreditNote.RefundStatus.PENDING,
            CreditNote.RefundStatus.FAILED,
        }:
            raise errors.NotAllowed("is_succeeded", "There is no refund to be paid.")

    def measured(self, *, instance: CreditNote, values: Mapping[str, Any] | None) -> Money | None:
        """The refund."""
        return instance.refund_amount

    def preview(self, *, instance: CreditNote, at: datetime) -> Sequence[Block]:
        """What is to be paid back."""
        return (Facts(str(instance), (Fact("To be refunded", cells.money_text(instance.refund_amount)),)),)

    def perform(self, *, instance: CreditNote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Save it."""
        note = credit_notes.tell_refund(
            credit_note_id=instance.pk, refund_status=values["refund_status"], actor=actor, at=at
        )
        return Outcome(f"The refund of {note} is {note.get_refund_status_display()}.")


class Send(ObjectVerb):
    """E-mail an issued credit note, the first time or another time."""

    name = "send"
    label = "Send"
    icon = "forward_to_inbox"
    permission = "invoicing.send_creditnote"
    explanation = "The document goes to the customer's e-mail addresses as they are now, also where it was sent before."
    confirm = "Send the credit note"

    def title(self, *, instance: CreditNote) -> str:
        """Again only where an e-mail was made before."""
        return "Send again" if instance.deliveries.exists() else "Send"

    def check(self, *, instance: CreditNote, at: datetime) -> None:
        """Only a document is sent."""
        if instance.number is None:
            raise errors.NotAllowed("is_draft", "A draft of a credit note is no document yet.")

    def preview(self, *, instance: CreditNote, at: datetime) -> Sequence[Block]:
        """Who would get it."""
        to = instance.customer.email or cells.badge("no e-mail address", cells.Tone.BAD)
        facts = (Fact("To", to), Fact("Total", cells.money_text(instance.total_amount)))
        return (Facts(str(instance), facts),)

    def perform(self, *, instance: CreditNote, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note the e-mail down and have it sent."""
        delivery = credit_note_dispatch.send_again(credit_note_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The credit note is on its way to {', '.join(delivery.recipients)}.")


def table(notes: Sequence[CreditNote]) -> Table:
    """The credit notes of an invoice."""
    return Table(
        "Credit notes",
        columns("Credit note", "Reason", "Issued", "Credit#", "Refund#", "Taken off#", "Total#"),
        tuple(
            Row(
                (
                    cells.to(note),
                    note.get_reason_display(),
                    cells.day(note.issuing_date) if note.number else cells.muted("with the invoice"),
                    cells.money(note.credit_amount),
                    cells.money(note.refund_amount),
                    cells.money(note.offset_amount),
                    cells.money(note.total_amount),
                )
            )
            for note in notes
        ),
        empty="Nothing of this invoice was given back.",
    )


def _given(invoice: Invoice, values: Mapping[str, Any]) -> Table:
    """The lines that something is given back of: what they billed, and how much of it."""
    amounts = _amounts(invoice, values)
    rows = tuple(
        Row((f"{line.position}. {line.label}", cells.money(line.amount), cells.money(amounts[line.pk])))
        for line in invoice.lines.filter(pk__in=amounts).order_by("position")
    )
    return Table("Lines", columns("Line", "Billed, net#", "Given back, net#"), rows)


def _left(invoice: Invoice) -> list[tuple[InvoiceLine, Money]]:
    left = {line.id: line.left for line in known.billed(invoice).lines}
    return [(line, left[line.pk]) for line in invoice.lines.order_by("position") if left[line.pk].amount > 0]


def _amounts(invoice: Invoice, values: Mapping[str, Any]) -> dict[int, Money]:
    return {
        line.pk: Money(amount, invoice.currency)
        for line, _ in _left(invoice)
        if (amount := values.get(_name(line)) or Decimal(0))
    }


def _field(line: InvoiceLine, left: Money) -> forms.DecimalField:
    return forms.DecimalField(
        label=f"{line.position}. {line.label}",
        required=False,
        min_value=0,
        max_value=left.amount,
        decimal_places=4,
        help_text=f"{cells.money_text(left)} of {cells.money_text(line.amount)} is left.",
    )


def _name(line: InvoiceLine) -> str:
    return f"{_LINE}{line.pk}"

"""What can be done with an invoice: finalize, void or compute a draft anew, record a payment, send.

Whether the state allows it is asked of the domain; each verb makes one service call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from moneyed import Money

from config.kernel import dates, errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Note
from config.platform.admin.cells import Tone
from config.platform.admin.forms import ReasonForm, VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin import shown
from invoicing.domain import states
from invoicing.models import Invoice
from invoicing.queries import receivables
from invoicing.services import dispatch, invoices, payments, refreshing


class Finalize(ObjectVerb):
    """Issue a draft."""

    name = "finalize"
    label = "Finalize"
    icon = "task_alt"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.finalize_invoice"
    explanation = (
        "The invoice is computed once more from the usage of now, gets its number and is frozen. It is booked, "
        "rendered and, where the billing entity wants it, e-mailed. This cannot be undone."
    )
    confirm = "Finalize the invoice"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a draft is issued."""
        states.move(status=instance.status, verb=states.FINALIZE)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What would be issued, as computed so far."""
        blocks: list[Block] = [summary(instance)]
        if instance.finalize_after > at:
            blocks.append(
                Note(
                    f"Its grace period runs until {cells.day_text(instance.issuing_date)}: usage that arrives later "
                    "than now will not be on it.",
                    Tone.WARN,
                )
            )
        if not instance.customer.email:
            blocks.append(Note("The customer has no e-mail address: the invoice will not be sent.", Tone.WARN))
        return blocks

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Issue it."""
        invoice = invoices.finalize(invoice_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The invoice was finalized as {invoice}." if invoice.number else "The invoice was closed.")


class Refresh(ObjectVerb):
    """Compute a draft anew."""

    name = "refresh"
    label = "Compute anew"
    icon = "refresh"
    permission = "invoicing.finalize_invoice"
    explanation = "Usage that arrived late, prices and taxes as they are now. The dates of the draft stay."
    confirm = "Compute anew"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a draft changes."""
        states.move(status=instance.status, verb=states.RECOMPUTE)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """The draft as it is."""
        return (summary(instance),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Compute it."""
        fresh = refreshing.refresh(invoice_id=instance.pk, actor=actor, at=at)
        if fresh.total_amount == instance.total_amount:
            return Outcome(f"The draft was computed anew: it is {cells.money_text(fresh.total_amount)} as before.")
        before, after = cells.money_text(instance.total_amount), cells.money_text(fresh.total_amount)
        return Outcome(f"The draft was computed anew: it was {before} and is {after} now.")


class VoidDraft(ObjectVerb):
    """Take a draft back."""

    name = "void"
    label = "Void draft"
    icon = "block"
    variant = theme.ActionVariant.DANGER
    permission = "invoicing.void_invoice"
    explanation = (
        "The draft never becomes a document and takes no number. What it billed is billed anew by the next run, so fix "
        "the price or the usage first."
    )
    confirm = "Void the draft"
    form_class = ReasonForm

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a draft is voided."""
        states.move(status=instance.status, verb=states.VOID_DRAFT)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What is taken back."""
        return (summary(instance),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Void it."""
        invoices.void_draft(invoice_id=instance.pk, reason=values["reason"], actor=actor, at=at)
        return Outcome("The draft was voided.")


class PaymentForm(VerbForm):
    """Money that came in for one invoice."""

    aliases = {"amount_cents": "amount"}

    amount = forms.DecimalField(max_digits=18, decimal_places=4)
    paid_on = forms.DateField(label="Paid on", help_text="The day on which the money arrived.")
    reference = forms.CharField(
        max_length=255, required=False, help_text="Of the bank statement, so that it can be found again."
    )

    def __init__(self, *args: Any, due: Money, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.due = due
        self.today = today
        self.fields["amount"].help_text = f"In {due.currency.code}. A part of what is open is fine."

    def clean_amount(self) -> Decimal:
        """Nothing is overpaid; the service asks again under its lock."""
        amount: Decimal = self.cleaned_data["amount"]
        if amount <= 0:
            raise forms.ValidationError("A payment has to be more than zero.")
        if amount > self.due.amount:
            raise forms.ValidationError(
                f"More than the {cells.money_text(self.due)} that is open. Record that much here, and what is left of "
                "the payment at another open invoice of the customer; or pay the rest back."
            )
        return amount

    def clean_paid_on(self) -> date:
        """Money of tomorrow has not arrived."""
        day: date = self.cleaned_data["paid_on"]
        if day > self.today:
            raise forms.ValidationError("This day has not come yet.")
        return day


class RecordPayment(ObjectVerb):
    """Record money received."""

    name = "pay"
    label = "Record payment"
    icon = "payments"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.record_payment"
    explanation = "The payment is booked at once. When nothing is due any more, the invoice is paid."
    confirm = "Record the payment"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Something must be due."""
        if not receivables.owed(instance):
            raise errors.NotAllowed("nothing_due", "Nothing is due of this invoice.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> PaymentForm:
        """What is due, paid today."""
        today = dates.local_date(at, dates.zone(instance.timezone))
        due = money.rounded(receivables.owed(instance))
        return PaymentForm(data, initial={"amount": due.amount, "paid_on": today}, due=due, today=today)

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """What is owed."""
        return (summary(instance),)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it, once however often the button is pressed."""
        zone = dates.zone(instance.timezone)
        day = values["paid_on"]
        paid_at = at if dates.local_date(at, zone) == day else dates.start_of_day(day, zone)
        payment = payments.record(
            invoice_id=instance.pk,
            amount=Money(values["amount"], instance.currency),
            reference=values["reference"],
            paid_at=paid_at,
            actor=actor,
            at=at,
            idempotency_key=f"admin:{values['once']}" if values["once"] else None,
        )
        return Outcome(f"The payment of {cells.money_text(payment.amount)} was recorded.")


class SendForm(VerbForm):
    """Who gets it. Several addresses are parted by commas."""

    to = forms.CharField(required=False, max_length=1000, help_text="Empty: the customer's e-mail addresses.")
    cc = forms.CharField(label="Copy to", required=False, max_length=1000)
    bcc = forms.CharField(label="Blind copy to", required=False, max_length=1000)


class Send(ObjectVerb):
    """E-mail an issued invoice, the first time or another time."""

    name = "send"
    label = "Send"
    icon = "forward_to_inbox"
    permission = "invoicing.send_invoice"
    explanation = "The document goes to the customer's e-mail addresses as they are now, also where it was sent before."
    confirm = "Send the invoice"
    form_class = SendForm

    def title(self, *, instance: Invoice) -> str:
        """Again only where an e-mail was made before."""
        return "Send again" if instance.deliveries.exists() else "Send"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """Only a document is sent."""
        if instance.number is None:
            raise errors.NotAllowed("invoice_not_finalized", "Only a finalized invoice is e-mailed.")

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """Who would get it."""
        facts = (Fact("To", instance.customer.email or cells.badge("no e-mail address", Tone.BAD)),)
        return (summary(instance), Facts("E-mail", facts))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note the e-mail down and have it sent."""
        delivery = dispatch.send_again(
            invoice_id=instance.pk,
            to=_addresses(values.get("to")),
            cc=_addresses(values.get("cc")),
            bcc=_addresses(values.get("bcc")),
            actor=actor,
            at=at,
        )
        return Outcome(f"The invoice is on its way to {', '.join(delivery.recipients)}.")


class SendMany(Send):
    """E-mail issued invoices of several customers: each to its own customer, never to an address that was typed."""

    form_class = VerbForm


def _addresses(text: str | None) -> list[str]:
    return [text] if text else []


def summary(invoice: Invoice) -> Facts:
    """The invoice in a few facts."""
    return Facts(
        str(invoice),
        (
            Fact("Customer", invoice.customer.display_name),
            Fact("Billed by", invoice.billing_entity.name),
            Fact("Will be issued" if shown.is_planned(invoice) else "Issued", shown.issued(invoice)),
            Fact("Due", shown.due(invoice)),
            Fact("Net", cells.money_text(invoice.net_amount)),
            Fact("Tax", cells.money_text(invoice.taxes_amount)),
            Fact("Total", cells.money_text(invoice.total_amount)),
            Fact("Open", cells.EMPTY if invoice.number is None else cells.money_text(receivables.owed(invoice))),
        ),
    )

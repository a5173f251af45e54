"""What can be done about overdue money of a customer: ask for it in one sum, ask again, record the payment; and what
can be done with a receipt: send it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.urls import reverse
from moneyed import Money

from config.kernel import dates, errors, money
from config.kernel.actors import Actor
from config.platform.admin import cells, theme
from config.platform.admin.blocks import Block, Fact, Facts, Row, Table, columns
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.admin.invoice_verbs import PaymentForm
from invoicing.models import Invoice, Payment, PaymentRequest
from invoicing.queries import payment_requests as known
from invoicing.queries import receivables
from invoicing.services import payment_receipts, payment_requests


class AskForPayment(ObjectVerb):
    """Ask the customer of an overdue invoice for it, and for what else is overdue."""

    name = "ask"
    label = "Ask for payment"
    icon = "notification_important"
    permission = "invoicing.send_invoice"
    explanation = (
        "The customer gets one e-mail with all invoices that are chosen, what they come to, and where to pay it. "
        "Nothing is booked, and the invoices stay as they are."
    )
    confirm = "Ask for payment"

    def check(self, *, instance: Invoice, at: datetime) -> None:
        """It must be overdue."""
        if not instance.payment_overdue:
            raise errors.NotAllowed("invoices_not_overdue", "The invoice is not overdue.")

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """What is overdue of the customer at the same seller, all chosen."""
        rows = [(str(row.uuid), f"{row}: {cells.money_text(receivables.undisputed(row))}") for row in _late(instance)]
        fields = {
            "lago_invoice_ids": forms.MultipleChoiceField(
                label="Invoices", choices=rows, widget=forms.CheckboxSelectMultiple
            ),
            "email": forms.CharField(
                label="E-mail",
                required=False,
                max_length=1000,
                help_text="Empty: the customer's e-mail addresses. Several are parted by commas.",
            ),
        }
        form_class = type("AskForm", (VerbForm,), fields)
        return form_class(data, initial={"lago_invoice_ids": [value for value, _ in rows]})

    def preview(self, *, instance: Invoice, at: datetime) -> Sequence[Block]:
        """Who would be asked, and what for."""
        to = instance.customer.email or cells.badge("no e-mail address", cells.Tone.BAD)
        facts = Facts(instance.customer.display_name, (Fact("To", to), Fact("Seller", instance.billing_entity.name)))
        return (facts, _invoices(_late(instance)))

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Ask."""
        chosen = [row.uuid for row in _late(instance) if str(row.uuid) in values["lago_invoice_ids"]]
        request = payment_requests.create(
            external_customer_id=instance.customer.external_id,
            invoice_uuids=chosen,
            email=values["email"],
            actor=actor,
            at=at,
            key=f"admin:{values['once']}" if values["once"] else "",
        )
        url = reverse("admin:invoicing_paymentrequest_change", args=[request.pk])
        return Outcome(f"{cells.money_text(request.amount)} were asked for.", url=url)


class Remind(AskForPayment):
    """Ask the customers of many overdue invoices: one e-mail for all that is overdue of a customer at a seller."""

    name = "remind"
    form_class = VerbForm
    explanation = (
        "Each customer gets one e-mail with all that is overdue at the same seller, whichever of the invoices were "
        "chosen. Nothing is booked, and the invoices stay as they are."
    )

    def form(self, *, data: Any, instance: Invoice, at: datetime) -> VerbForm:
        """Nothing is chosen."""
        return VerbForm(data)

    def perform(self, *, instance: Invoice, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Ask once for all invoices of the customer that the same form names."""
        whose = f"{values['once']}:{instance.customer_id}:{instance.billing_entity_id}:{instance.currency}"
        request = payment_requests.create(
            external_customer_id=instance.customer.external_id,
            invoice_uuids=[row.uuid for row in _late(instance)],
            email="",
            actor=actor,
            at=at,
            key=f"bulk:{whose}" if values["once"] else "",
        )
        return Outcome(f"{cells.money_text(request.amount)} were asked for, by request {request}.")


class SendRequest(ObjectVerb):
    """E-mail a payment request once more."""

    name = "send"
    label = "Ask again"
    icon = "forward_to_inbox"
    permission = "invoicing.send_invoice"
    explanation = "What is still open of it is asked for once more, at the same address."
    confirm = "Send the e-mail"

    def check(self, *, instance: PaymentRequest, at: datetime) -> None:
        """Something must be due."""
        _demand_pending(instance)

    def preview(self, *, instance: PaymentRequest, at: datetime) -> Sequence[Block]:
        """Who would get it."""
        to = instance.email or instance.customer.email or cells.badge("no e-mail address", cells.Tone.BAD)
        return (Facts(str(instance), (Fact("To", to), Fact("Still asked for", cells.money_text(_asked(instance))))),)

    def perform(self, *, instance: PaymentRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note the e-mail down and have it sent."""
        delivery = payment_requests.send_again(payment_request_id=instance.pk, actor=actor, at=at)
        return Outcome(f"The request is on its way to {', '.join(delivery.recipients)}.")


class RecordRequestPayment(ObjectVerb):
    """Record one payment of the invoices of a request."""

    name = "pay"
    label = "Record payment"
    icon = "payments"
    variant = theme.ActionVariant.PRIMARY
    permission = "invoicing.record_payment"
    explanation = "The payment is booked at once, and pays the invoices one after the other, the longest due first."
    confirm = "Record the payment"

    def check(self, *, instance: PaymentRequest, at: datetime) -> None:
        """Something must be due."""
        _demand_pending(instance)

    def form(self, *, data: Any, instance: PaymentRequest, at: datetime) -> PaymentForm:
        """What was asked for and is still due, paid today; more of what is due may come."""
        today = dates.local_date(at, dates.zone(instance.customer.applicable_timezone))
        due = money.rounded(_due(instance))
        return PaymentForm(
            data, initial={"amount": money.rounded(_asked(instance)).amount, "paid_on": today}, due=due, today=today
        )

    def preview(self, *, instance: PaymentRequest, at: datetime) -> Sequence[Block]:
        """What is open of each invoice."""
        return (_invoices(list(known.invoices_of(instance.pk).order_by("payment_due_date", "pk"))),)

    def perform(self, *, instance: PaymentRequest, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it, once however often the button is pressed."""
        zone = dates.zone(instance.customer.applicable_timezone)
        day = values["paid_on"]
        payment = payment_requests.receive(
            payment_request_id=instance.pk,
            amount=Money(values["amount"], instance.currency),
            reference=values["reference"],
            paid_at=at if dates.local_date(at, zone) == day else dates.start_of_day(day, zone),
            actor=actor,
            at=at,
            idempotency_key=f"admin:{values['once']}" if values["once"] else None,
        )
        return Outcome(f"The payment of {cells.money_text(payment.amount)} was recorded.")


class SendReceipt(ObjectVerb):
    """E-mail the receipt of a payment."""

    name = "send_receipt"
    label = "Send receipt"
    icon = "forward_to_inbox"
    permission = "invoicing.send_invoice"
    explanation = "The receipt goes to the customer's e-mail addresses as they are now, also where it was sent before."
    confirm = "Send the receipt"

    def check(self, *, instance: Payment, at: datetime) -> None:
        """It must have a receipt."""
        if getattr(instance, "receipt", None) is None:
            raise errors.NotAllowed("invalid_status", "The payment was recorded before there were receipts.")

    def preview(self, *, instance: Payment, at: datetime) -> Sequence[Block]:
        """Who would get it."""
        to = instance.customer.email or cells.badge("no e-mail address", cells.Tone.BAD)
        facts = (Fact("To", to), Fact("Received", cells.money_text(instance.amount)))
        return (Facts(str(instance.receipt), facts),)

    def perform(self, *, instance: Payment, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Note the e-mail down and have it sent."""
        delivery = payment_receipts.send_again(receipt_id=instance.receipt.pk, actor=actor, at=at)
        return Outcome(f"The receipt is on its way to {', '.join(delivery.recipients)}.")


def _late(invoice: Invoice) -> list[Invoice]:
    rows = receivables.open_invoices().filter(
        customer_id=invoice.customer_id,
        billing_entity_id=invoice.billing_entity_id,
        currency=invoice.currency,
        payment_overdue=True,
    )
    return list(rows[: payment_requests.MOST])


def _asked(request: PaymentRequest) -> Money:
    parts = known.open_of(request, list(known.invoices_of(request.pk)))
    return sum((part.asked for part in parts), money.zero(request.currency))


def _due(request: PaymentRequest) -> Money:
    due = (receivables.owed(invoice) for invoice in known.invoices_of(request.pk))
    return sum(due, money.zero(request.currency))


def _demand_pending(request: PaymentRequest) -> None:
    if request.payment_status != PaymentRequest.PaymentStatus.PENDING:
        raise errors.NotAllowed("invoice_payment_already_succeeded", "Nothing of it is due any more.")


def _invoices(invoices: Sequence[Invoice]) -> Table:
    return Table(
        "Invoices",
        columns("Invoice", "Due", "Total#", "Open#"),
        tuple(
            Row(
                (
                    cells.to(row),
                    cells.day(row.payment_due_date),
                    cells.money(row.total_amount),
                    cells.money(receivables.owed(row)),
                )
            )
            for row in invoices
        ),
    )

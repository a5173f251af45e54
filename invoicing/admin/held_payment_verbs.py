"""Money that is held of a payment since an invoice was voided: letting it pay another invoice, and paying it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django import forms
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.admin import cells
from config.platform.admin.blocks import Block, Fact, Facts
from config.platform.admin.forms import VerbForm
from config.platform.admin.verbs import ObjectVerb, Outcome
from invoicing.models import Invoice, Payment
from invoicing.queries import held_payments as known
from invoicing.queries import receivables
from invoicing.services import approval_actions, held_payments

_MOST = 200


class HeldForm(VerbForm):
    """How much of it."""

    aliases = {"amount_cents": "amount"}

    amount = forms.DecimalField(min_value=0, decimal_places=4)


class AllocateHeld(ObjectVerb):
    """Let held money pay an invoice."""

    name = "allocate"
    label = "Use for an invoice"
    icon = "call_split"
    permission = "invoicing.record_payment"
    explanation = "Money that paid a voided invoice pays another one of the same customer."
    confirm = "Use the money"

    def check(self, *, instance: Payment, at: datetime) -> None:
        """Something must be held, and something due."""
        _demand(instance)
        if not _open(instance):
            raise held_payments.UnableToUseHeld("nothing_due", "The customer owes nothing that it could pay.")

    def form(self, *, data: Any, instance: Payment, at: datetime) -> VerbForm:
        """The invoices that are open."""
        rows = [(str(row.pk), f"{row}: {cells.money_text(receivables.owed(row))} open") for row in _open(instance)]
        fields = {"invoice": forms.ChoiceField(choices=rows)}
        form_class = type("AllocateForm", (HeldForm,), fields)
        return form_class(data, initial={"amount": known.held(instance).amount})

    def preview(self, *, instance: Payment, at: datetime) -> Sequence[Block]:
        """What is held."""
        return (_summary(instance),)

    def perform(self, *, instance: Payment, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Use it."""
        part = held_payments.allocate(
            payment_id=instance.pk,
            invoice_id=int(values["invoice"]),
            amount=Money(values["amount"], instance.currency),
            actor=actor,
            at=at,
        )
        return Outcome(f"{cells.money_text(part.amount)} pay invoice {part.invoice}.")


class RefundHeld(ObjectVerb):
    """Record that held money was paid back."""

    name = "refund"
    label = "Paid back"
    icon = "undo"
    permission = "invoicing.add_paymentrefund"
    action = approval_actions.REFUND_PAYMENT
    explanation = "Money is paid back elsewhere, such as by a bank transfer; it is booked out of cash here."
    confirm = "Record the refund"

    def check(self, *, instance: Payment, at: datetime) -> None:
        """Something must be held."""
        _demand(instance)

    def form(self, *, data: Any, instance: Payment, at: datetime) -> VerbForm:
        """How much, and by which reference."""
        fields = {"reference": forms.CharField(required=False, max_length=255)}
        form_class = type("RefundHeldForm", (HeldForm,), fields)
        return form_class(data, initial={"amount": known.held(instance).amount})

    def preview(self, *, instance: Payment, at: datetime) -> Sequence[Block]:
        """What is held."""
        return (_summary(instance),)

    def measured(self, *, instance: Payment, values: Mapping[str, Any] | None) -> Money | None:
        """What is paid back: all that is held at most."""
        return known.held(instance) if values is None else Money(values["amount"], instance.currency)

    def perform(self, *, instance: Payment, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Record it, once however often the button is pressed."""
        row = held_payments.refund(
            payment_id=instance.pk,
            amount=Money(values["amount"], instance.currency),
            reference=values["reference"],
            actor=actor,
            at=at,
            idempotency_key=f"admin:{values['once']}" if values["once"] else None,
        )
        return Outcome(f"The refund of {cells.money_text(row.amount)} was recorded.")


def _demand(payment: Payment) -> None:
    if not known.held(payment):
        raise held_payments.UnableToUseHeld("nothing_held", "Nothing of this payment is held for the customer.")


def _open(payment: Payment) -> list[Invoice]:
    rows = receivables.open_invoices().filter(
        customer_id=payment.customer_id, currency=payment.currency, billing_entity_id=known.seller_of(payment)
    )
    return list(rows.exclude(allocations__payment=payment)[:_MOST])


def _summary(payment: Payment) -> Facts:
    facts = (
        Fact("Received", cells.money_text(payment.amount)),
        Fact("Held for the customer", cells.money_text(known.held(payment))),
    )
    return Facts(payment.reference or "Payment", facts)

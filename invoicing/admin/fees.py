"""Fees that stand alone in the admin: which are paid, which are on an invoice by now, and the verbs that tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from config.kernel import errors
from config.kernel.actors import Actor
from config.platform.admin import cells, filters, pages, theme
from config.platform.admin.blocks import Block, Figure, Figures, Page, Row, Tab, Table, columns
from config.platform.admin.cells import Tone
from config.platform.admin.verbs import ObjectVerb, Outcome
from customers.queries import searching
from invoicing.admin import shown
from invoicing.admin.filters import CurrencyFilter, PaymentFilter
from invoicing.domain import standalone
from invoicing.models import InvoiceLine
from invoicing.queries import ledger, lines
from invoicing.services import approval_actions, standalone_lines

_TONES = {
    standalone.PENDING: Tone.NEUTRAL,
    standalone.SUCCEEDED: Tone.GOOD,
    standalone.FAILED: Tone.BAD,
    standalone.REFUNDED: Tone.WARN,
}


class SetStatus(ObjectVerb):
    """Tell how a fee was paid."""

    permission = "invoicing.record_payment"
    explanation = "The books follow at once. A fee on an invoice is paid by its invoice."
    status = ""
    done = ""

    def check(self, *, instance: InvoiceLine, at: datetime) -> None:
        """Only another status, and only of a fee that is on no invoice."""
        standalone.demand_alone(is_on_invoice=instance.invoice_id is not None)
        if instance.payment_status == self.status:
            raise errors.NotAllowed("invalid_status", f"The fee is {instance.get_payment_status_display()} already.")

    def preview(self, *, instance: InvoiceLine, at: datetime) -> tuple[Block, ...]:
        """The fee as it is."""
        return (_figures(instance),)

    def perform(self, *, instance: InvoiceLine, values: Mapping[str, Any], actor: Actor, at: datetime) -> Outcome:
        """Set it."""
        standalone_lines.set_payment_status(line_id=instance.pk, payment_status=self.status, actor=actor, at=at)
        return Outcome(self.done)


class MarkPaid(SetStatus):
    """The money came."""

    name = "paid"
    label = confirm = "Mark as paid"
    icon = "payments"
    variant = theme.ActionVariant.PRIMARY
    status = standalone.SUCCEEDED
    done = "The fee is paid."


class MarkFailed(SetStatus):
    """The money did not come."""

    name = "failed"
    label = confirm = "Mark as failed"
    icon = "money_off"
    status = standalone.FAILED
    done = "The payment of the fee is marked as failed."


class MarkRefunded(SetStatus):
    """The money went back."""

    name = "refunded"
    label = confirm = "Mark as refunded"
    action = approval_actions.REFUND_FEE
    icon = "undo"
    status = standalone.REFUNDED
    done = "The fee is refunded: nothing of it is earned or owed any more."

    def check(self, *, instance: InvoiceLine, at: datetime) -> None:
        """Only what was paid goes back."""
        super().check(instance=instance, at=at)
        if instance.payment_status != standalone.SUCCEEDED:
            raise errors.NotAllowed("invalid_status", "The fee was not paid.")


@pages.register(InvoiceLine)
class FeeAdmin(searching.IndexedSearch, pages.PageAdmin):
    """Fees that stand alone, or did until they were put on an invoice with others."""

    list_display = ("fee", "customer_named", "made_on", "payment", "on_invoice", "gross")
    list_filter = (
        PaymentFilter,
        ("created_at", filters.DayRangeFilter),
        ("customer", theme.AutocompleteSelectFilter),
        CurrencyFilter,
    )
    list_select_related = ("customer__billing_entity", "invoice__customer")
    search_fields = ("group_key", "event_transaction_id")
    search_equals = ("group_key", "event_transaction_id")
    search_help_text = "Subscription id, event id or customer"
    ordering = ("-created_at", "-id")
    verbs = (MarkPaid(), MarkFailed(), MarkRefunded())
    empty_text = "Usage that is paid in advance and not invoiceable is here, a fee for each event."

    def get_queryset(self, request: HttpRequest) -> QuerySet[InvoiceLine]:
        """The lines that have a payment status of their own."""
        return super().get_queryset(request).filter(pk__in=lines.alone().order_by().values("pk"))

    @theme.display(description="Fee", ordering="label")
    def fee(self, line: InvoiceLine) -> str:
        """What it is for, and the event that made it."""
        return cells.stack(line.label, line.event_transaction_id or "renewal")

    @theme.display(description="Customer")
    def customer_named(self, line: InvoiceLine) -> str:
        """Who owes it, for which subscription."""
        return cells.stack(line.customer.display_name, line.group_key)

    @theme.display(description="Made on", ordering="created_at")
    def made_on(self, line: InvoiceLine) -> str:
        """The customer's local day."""
        return cells.local_day(line.created_at, line.customer.applicable_timezone)

    @theme.display(description="Payment", ordering="payment_status")
    def payment(self, line: InvoiceLine) -> str:
        """How it was paid."""
        return cells.badge(line.get_payment_status_display(), _TONES[line.payment_status])

    @theme.display(description="Invoice")
    def on_invoice(self, line: InvoiceLine) -> str:
        """The invoice that it was put on."""
        return cells.EMPTY if line.invoice is None else cells.to(line.invoice)

    @theme.display(description="With tax", ordering="amount")
    def gross(self, line: InvoiceLine) -> str:
        """What is owed of it."""
        return cells.money(line.amount + line.taxes_amount)

    def page(self, request: HttpRequest, instance: InvoiceLine) -> Page:
        """The fee, its taxes, and every change of its payment with what was booked."""
        taxes = Table(
            "Taxes",
            columns("Tax", "Rate#", "Amount#"),
            tuple(
                Row((row.tax_name, cells.percent(row.rate), cells.money(row.amount)))
                for row in instance.applied_taxes.all()
            ),
            empty="No tax.",
        )
        payments = list(instance.payments.all())
        changes = Table(
            "Payment",
            columns("Status", "On"),
            tuple(Row((row.get_status_display(), cells.instant(row.created_at))) for row in payments),
        )
        booked = [shown.bookings(ledger.entries_of(row), title="Ledger") for row in payments]
        return Page(top=(_figures(instance),), tabs=(Tab("Fee", (taxes, changes, *booked)),))


def _figures(line: InvoiceLine) -> Figures:
    invoice = cells.EMPTY if line.invoice is None else cells.to(line.invoice)
    return Figures(
        (
            Figure("Amount", cells.money_text(line.amount), f"and {cells.money_text(line.taxes_amount)} tax"),
            Figure("Customer", cells.to(line.customer, line.customer.display_name)),
            Figure("Payment", line.get_payment_status_display()),
            Figure("Event", line.event_transaction_id or cells.EMPTY, line.group_label),
            Figure("Invoice", invoice),
        )
    )

"""What this app shows on the pages of lower apps: the invoices, payments and credits of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Row, Table, columns
from config.platform.admin.cells import Tone
from customers.models import Customer
from invoicing.admin import customer_blocks, shown, wallet_blocks
from invoicing.models import Invoice
from invoicing.queries import prepaid_credits, receivables

ROWS = 12


def of_customer(customer: Customer) -> Mapping[str, Any]:
    """A customer's open and newest invoices, its payments, and what of money it has besides."""
    return blocks.panel(
        _invoices(customer),
        customer_blocks.payments(customer),
        *customer_blocks.credit_notes(customer),
        *wallet_blocks.of_customer(customer, most=ROWS),
        *_prepaid(customer),
        *customer_blocks.openings(customer),
        *customer_blocks.mails(customer),
        side="right",
        place=10,
    )


def what_happened(customer: Customer) -> Mapping[str, Any]:
    """What happened to a customer last."""
    return blocks.panel(customer_blocks.timeline(customer), side="left", place=50)


def _invoices(customer: Customer) -> Table:
    """The open invoices, and the newest ones where there is room. Two queries."""
    newest = Invoice.objects.filter(customer=customer).order_by("-issuing_date", "-created_at", "-id")
    unpaid = receivables.open_invoices().filter(customer=customer)
    open_first = [*unpaid[:ROWS], *newest[:ROWS]]
    found = list({one.pk: one for one in open_first}.values())[:ROWS]
    every = f"{reverse('admin:invoicing_invoice_changelist')}?customer__id__exact={customer.pk}"
    return Table(
        "Invoices, open ones first",
        columns("Invoice", "State", "Total#", "Open#"),
        tuple(
            Row(
                (
                    cells.stack(cells.nowrap(cells.to(one)), _dates(one)),
                    shown.status(one) if one.number is None else shown.payment(one),
                    cells.money(one.total_amount),
                    cells.money(receivables.owed(one)),
                )
            )
            for one in found
        ),
        empty="No invoice yet: the first one comes when a subscription's period is over.",
        action=cells.link("All invoices", every) if found else "",
    )


def _dates(invoice: Invoice) -> str:
    """The day of the document and the day it is due; what has no document yet has neither."""
    if invoice.number is None:
        return shown.issued(invoice)
    return f"{cells.day_text(invoice.issuing_date)}, due {cells.day_text(invoice.payment_due_date)}"


def _prepaid(customer: Customer) -> tuple[Table, ...]:
    """The prepaid credit of a customer, where there is some, with what was drawn."""
    found = list(prepaid_credits.of_customer(customer_id=customer.pk)[:ROWS])
    if not found:
        return ()
    rows = tuple(
        Row(
            (
                cells.stack(one.source, cells.badge(one.get_status_display(), Tone.GOOD if one.left else Tone.NEUTRAL)),
                f"{cells.day_text(one.valid_from)} – {cells.day_text(one.valid_until)}",
                cells.money(one.amount),
                cells.money(one.left),
            )
        )
        for one in found
    )
    return (Table("Prepaid credit", columns("Granted by", "Valid", "Granted#", "Left#"), rows),)


registry.register_panel("customers.customer", of_customer)
registry.register_panel("customers.customer", what_happened)

"""What this app shows on the pages of lower apps: the open invoices and the balance of a customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Sum
from django.urls import reverse
from moneyed import Money

from config.kernel import registry
from config.platform.admin import blocks, cells
from config.platform.admin.blocks import Figure, Figures, Row, Table, columns
from config.platform.admin.cells import Tone
from customers.models import Customer
from invoicing.admin import customer_blocks, shown, wallet_blocks
from invoicing.models import Invoice
from invoicing.queries import credit_notes, prepaid_credits, receivables, wallets

ROWS = 12


def of_customer(customer: Customer) -> Mapping[str, Any]:
    """What a customer owes, by currency, its open and newest invoices, and what came and went."""
    newest = Invoice.objects.filter(customer=customer).order_by("-issuing_date", "-created_at", "-id")
    unpaid = receivables.open_invoices().filter(customer=customer)
    open_first = [*unpaid[:ROWS], *newest[:ROWS]]
    found = list({one.pk: one for one in open_first}.values())[:ROWS]
    every = f"{reverse('admin:invoicing_invoice_changelist')}?customer__id__exact={customer.pk}"
    table = Table(
        "Invoices, open ones first",
        columns("Invoice", "Status", "Payment", "Issued", "Due", "Total#", "Open#"),
        tuple(
            Row(
                (
                    cells.to(one),
                    shown.status(one),
                    shown.payment(one),
                    shown.issued(one),
                    shown.due(one),
                    cells.money(one.total_amount),
                    cells.money(receivables.owed(one)),
                )
            )
            for one in found
        ),
        empty="No invoice yet: the first one comes when a subscription's period is over.",
        action=cells.stack(
            cells.stack(cells.link("All invoices", every), _new(customer)),
            cells.stack(_statement(customer), _ask(found)),
        ),
    )
    wallet_table = wallet_blocks.of_customer(customer, most=ROWS)
    return blocks.panel(
        *_figures(customer),
        table,
        customer_blocks.payments(customer),
        *customer_blocks.credit_notes(customer),
        *_prepaid(customer),
        *wallet_table,
        customer_blocks.timeline(customer),
    )


def _statement(customer: Customer) -> str:
    """The way to the statement of a customer; whether the person may see it is asked there."""
    return cells.link("Statement", reverse("admin:invoicing_ledgerentry_customer_statement", args=[customer.pk]))


def _ask(newest: Sequence[Invoice]) -> str:
    """The way to asking for what is overdue, where one of the newest invoices is; whether the person may is asked
    there.
    """
    late = next((one for one in newest if one.payment_overdue), None)
    return "" if late is None else cells.link("Ask for payment", reverse("admin:invoicing_invoice_ask", args=[late.pk]))


def _new(customer: Customer) -> str:
    """The way to a one-off invoice for a customer that is still one; whether the person may is asked there."""
    if customer.deleted_at is not None:
        return ""
    return cells.link("New invoice", f"{reverse('admin:invoicing_invoice_new')}?customer={customer.pk}")


def _figures(customer: Customer) -> tuple[Figures, ...]:
    """One figure for each currency in which something is open, with what of it is late; and what is left in credit."""
    sums = (
        receivables.open_invoices()
        .filter(customer=customer)
        .order_by()
        .values("currency", "payment_overdue")
        .annotate(due=Sum(receivables.DUE))
    )
    due: dict[str, dict[bool, Money]] = {}
    for row in sums:
        amount = Money(row["due"], row["currency"])
        due.setdefault(row["currency"], {})[row["payment_overdue"]] = amount
    items = []
    for currency, amounts in sorted(due.items()):
        late = amounts.get(True)
        whole = Money(sum(amount.amount for amount in amounts.values()), currency)
        hint = f"{cells.money_text(late)} overdue" if late else "nothing overdue"
        items.append(Figure(f"Open, {currency}", cells.money_text(whole), hint, Tone.BAD if late else Tone.NEUTRAL))
    items += [
        Figure(f"Credit, {currency}", cells.money_text(left), "lowers the next invoices")
        for currency, left in credit_notes.balance(customer_id=customer.pk).items()
    ]
    items += [
        Figure(f"Prepaid, {currency}", cells.money_text(one.left), f"left of {cells.money_text(one.granted)}")
        for currency, one in prepaid_credits.balances(customer_id=customer.pk).items()
    ]
    items += [
        Figure(f"In wallets, {currency}", cells.money_text(left), "pays the next invoices")
        for currency, left in wallets.balances(customer_id=customer.pk).items()
    ]
    items += customer_blocks.billed(customer)
    return (Figures(tuple(items)),) if items else ()


def _prepaid(customer: Customer) -> tuple[Table, ...]:
    """The prepaid credit of a customer, where there is some, with what was drawn."""
    found = list(prepaid_credits.of_customer(customer_id=customer.pk)[:ROWS])
    if not found:
        return ()
    rows = tuple(
        Row(
            (
                one.source,
                cells.badge(one.get_status_display(), Tone.GOOD if one.left else Tone.NEUTRAL),
                f"{cells.day_text(one.valid_from)} – {cells.day_text(one.valid_until)}",
                cells.money(one.amount),
                cells.money(one.used_amount),
                cells.money(one.left),
            )
        )
        for one in found
    )
    return (Table("Prepaid credit", columns("Granted by", "Status", "Valid", "Granted#", "Used#", "Left#"), rows),)


registry.register_panel("customers.customer", of_customer)

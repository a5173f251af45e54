"""The way from a customer's page to its money: the buttons of its header that lead to this app's pages."""

from __future__ import annotations

from django.urls import reverse

from config.platform.admin import pages
from config.platform.admin.ways import Way
from customers.models import Customer
from invoicing.queries import receivables


def _invoice(customer: Customer) -> str:
    return _unless_retired(customer, reverse("admin:invoicing_invoice_new"))


def _wallet(customer: Customer) -> str:
    return _unless_retired(customer, reverse("admin:invoicing_wallet_create"))


def _pay(customer: Customer) -> str:
    """The one invoice that is open; else the list of those that are. One query."""
    keys = list(receivables.open_invoices().filter(customer=customer).values_list("pk", flat=True)[:2])
    if len(keys) == 1:
        return reverse("admin:invoicing_invoice_pay", args=keys)
    return f"{reverse('admin:invoicing_invoice_changelist')}?customer__id__exact={customer.pk}&due=open" if keys else ""


def _ask(customer: Customer) -> str:
    """The invoice that is due the longest of those that are late: all that is overdue is asked for there. One query."""
    late = receivables.open_invoices().filter(customer=customer, payment_overdue=True)
    keys = list(late.values_list("pk", flat=True)[:1])
    return reverse("admin:invoicing_invoice_ask", args=keys) if keys else ""


def _statement(customer: Customer) -> str:
    return reverse("admin:invoicing_ledgerentry_customer_statement", args=[customer.pk])


def _unless_retired(customer: Customer, address: str) -> str:
    return "" if customer.deleted_at is not None else f"{address}?customer={customer.pk}"


PAY = Way("pay", "Record payment", "payments", "invoicing.record_payment", _pay)
INVOICE = Way("invoice", "One-off invoice", "receipt_long", "invoicing.add_invoice", _invoice)
ASK = Way("ask", "Ask for payment", "outgoing_mail", "invoicing.send_invoice", _ask)
WALLET = Way("wallet", "New wallet", "account_balance_wallet", "invoicing.add_wallet", _wallet)
STATEMENT = Way("statement", "Statement", "receipt", "invoicing.view_ledgerentry", _statement)

pages.lead(Customer, PAY, INVOICE, ASK, WALLET, STATEMENT)

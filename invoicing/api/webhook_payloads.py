"""What webhooks say of invoices, credit notes, wallets and payments: the very shapes that the API answers with.

Each function takes objects and returns their contents in the same order, read anew by primary key: the queries are
bounded, however many objects there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db import models
from django.db.models import prefetch_related_objects

from config.platform.api.public import SITE
from customers.models import Customer
from invoicing.api import credit_note_shapes, fee_shapes, invoice_shapes, payment_shapes, wallet_shapes
from invoicing.models import CreditNote, Invoice, InvoiceLine, Payment, Wallet, WalletTransaction
from invoicing.queries import credit_notes as known_credit_notes
from invoicing.queries import payments as known_payments
from invoicing.queries import told_invoices
from invoicing.queries import wallets as known_wallets

Content = Mapping[str, Any]
Row = TypeVar("Row", bound=models.Model)


def invoices(instances: Sequence[Invoice]) -> list[Content]:
    """Return invoices with everything on them, as they are answered one by one."""
    rows = told_invoices.with_everything(_ids(instances))
    return list(invoice_shapes.everything(rows, SITE))


def listed_invoices(instances: Sequence[Invoice]) -> list[Content]:
    """Return invoices as in a list: with their customers."""
    rows = told_invoices.with_summary(_ids(instances))
    return list(invoice_shapes.listed(rows, SITE))


def paid_invoices(instances: Sequence[Invoice]) -> list[Content]:
    """Return invoices as in a list, and their fees."""
    rows = told_invoices.with_lines(_ids(instances))
    shown, fees = invoice_shapes.listed(rows, SITE), invoice_shapes.fees(rows)
    return [{**content, "fees": fees[row.pk]} for row, content in zip(rows, shown, strict=True)]


def lost_disputes(instances: Sequence[Invoice]) -> list[Content]:
    """Return invoices whose dispute was lost. No payment provider says why."""
    return [{"invoice": content, "provider_error": None} for content in listed_invoices(instances)]


def credit_notes(instances: Sequence[CreditNote]) -> list[Content]:
    """Return credit notes with their customers, items and taxes."""
    rows = _read(known_credit_notes.with_everything(CreditNote.objects.all()), instances)
    return list(credit_note_shapes.listed(rows, SITE))


def wallets(instances: Sequence[Wallet]) -> list[Content]:
    """Return wallets with the rules that top them up."""
    return list(wallet_shapes.wallets(_read(known_wallets.listed(), instances)))


def wallet_transactions(instances: Sequence[WalletTransaction]) -> list[Content]:
    """Return transactions, each with its wallet."""
    rows = _read(known_wallets.transactions(), instances)
    held = {row.wallet_id: row.wallet for row in rows}
    prefetch_related_objects(list(held.values()), "billable_metrics", "recurring_transaction_rules")
    shown = dict(zip(held, wallet_shapes.wallets(list(held.values())), strict=True))
    return [
        {**content, "wallet": shown[row.wallet_id]}
        for row, content in zip(rows, wallet_shapes.transactions(rows), strict=True)
    ]


def payments(instances: Sequence[Payment]) -> list[Content]:
    """Return payments with the invoices that they pay."""
    return list(payment_shapes.payments(_read(known_payments.search(), instances)))


def tax_errors(instances: Sequence[Customer]) -> list[Content]:
    """Return whose invoice was refused; whoever records it adds the engine and what it said."""
    return [
        {"lago_customer_id": str(row.uuid), "external_customer_id": row.external_id, "tax_provider": "http"}
        for row in instances
    ]


def fee_tax_errors(instances: Sequence[InvoiceLine]) -> list[Content]:
    """Return which fee was refused; whoever records it adds the engine and what it said."""
    rows = _read(InvoiceLine.objects.select_related("invoice", "customer"), instances)
    return [
        {
            "lago_fee_id": fee["lago_id"],
            "lago_charge_id": fee["lago_charge_id"],
            "lago_customer_id": fee["lago_customer_id"],
            "external_customer_id": fee["external_customer_id"],
            "event_transaction_id": fee["event_transaction_id"],
        }
        for fee in fee_shapes.fees(rows)
    ]


def _ids(instances: Sequence[models.Model]) -> list[int]:
    return [instance.pk for instance in instances]


def _read(rows: models.QuerySet[Row], instances: Sequence[Row]) -> list[Row]:
    found = {row.pk: row for row in rows.filter(pk__in=_ids(instances))}
    return [found[instance.pk] for instance in instances]

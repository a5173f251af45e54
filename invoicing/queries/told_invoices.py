"""Invoices with all that is told of them, for hundreds at once. Never writes.

They come with what `invoices.with_everything` brings along, put in place as plain lists.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import models

from catalog.models import Tax
from config.kernel import children
from customers.models import BillingEntity, Customer
from invoicing.models import (
    CreditNoteUse,
    Document,
    Invoice,
    InvoiceCoupon,
    InvoiceLine,
    InvoiceMetadata,
    InvoiceTax,
    LineTax,
    ProgressiveCredit,
    WalletTransaction,
)


def with_summary(ids: Sequence[int]) -> list[Invoice]:
    """Return invoices in the order of their keys ``ids``, with what a list shows of each. Ten queries or so."""
    invoices = _invoices(ids)
    _attach(invoices, "metadata", InvoiceMetadata.objects.all())
    taxes = _attach(invoices, "applied_taxes", InvoiceTax.objects.all())
    _point_at_taxes(taxes)
    pdfs = Document.objects.filter(kind=Document.Kind.PDF, invoice__in=ids)
    draws = WalletTransaction.objects.filter(
        transaction_status=WalletTransaction.Kind.INVOICED,
        invoice__in=[invoice.pk for invoice in invoices if invoice.prepaid_credit_amount],
    )
    by_id = {invoice.pk: invoice for invoice in invoices}
    for invoice in invoices:
        invoice.pdfs, invoice.wallet_draws = [], []
    for document in pdfs:
        by_id[document.invoice_id].pdfs.append(document)
    for draw in draws:
        by_id[draw.invoice_id].wallet_draws.append(draw)
    return invoices


def with_lines(ids: Sequence[int]) -> list[Invoice]:
    """Return invoices in the order of ``ids`` with their summary, and every line with its taxes."""
    invoices = with_summary(ids)
    lines = _attach(invoices, "lines", InvoiceLine.objects.order_by("position"))
    children.point(lines, "customer", {invoice.customer_id: invoice.customer for invoice in invoices})
    _point_at_taxes(children.attach(lines, "applied_taxes", LineTax.objects.filter(line__invoice__in=ids), by="line"))
    return invoices


def with_everything(ids: Sequence[int]) -> list[Invoice]:
    """Return invoices in the order of ``ids`` with their lines and what lowered them."""
    invoices = with_lines(ids)
    _attach(invoices, "credits", CreditNoteUse.objects.select_related("credit_note__invoice"))
    _attach(invoices, "progressive_credits", ProgressiveCredit.objects.select_related("source"))
    _attach(invoices, "coupons", InvoiceCoupon.objects.select_related("applied_coupon__coupon"))
    return invoices


def _invoices(ids: Sequence[int]) -> list[Invoice]:
    found = Invoice.objects.in_bulk(list(ids))
    invoices = [found[pk] for pk in ids]
    buyers = Customer.objects.filter(pk__in={invoice.customer_id for invoice in invoices})
    customers = {row.pk: row for row in buyers.prefetch_related("metadata", "taxes")}
    sellers = {invoice.billing_entity_id for invoice in invoices} | {
        row.billing_entity_id for row in customers.values()
    }
    entities = BillingEntity.objects.in_bulk(sellers)
    children.point(customers.values(), "billing_entity", entities)
    children.point(invoices, "customer", customers)
    children.point(invoices, "billing_entity", entities)
    voided = {invoice.regenerated_from_id for invoice in invoices if invoice.regenerated_from_id is not None}
    children.point(invoices, "regenerated_from", Invoice.objects.in_bulk(voided) if voided else {})
    return invoices


def _attach(invoices: Sequence[Invoice], name: str, rows: models.QuerySet[models.Model]) -> list[models.Model]:
    return children.attach(invoices, name, rows.filter(invoice__in=[one.pk for one in invoices]), by="invoice")


def _point_at_taxes(rows: Sequence[InvoiceTax | LineTax]) -> None:
    children.point(rows, "tax", Tax.objects.in_bulk({row.tax_id for row in rows}) if rows else {})

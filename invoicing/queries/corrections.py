"""What correcting an invoice has to know: its lines as they stand by now, and a mark that tells of a later change."""

from __future__ import annotations

import decimal
import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from django.db.models import Sum
from moneyed import Money

from config.kernel import errors, money
from customers.models import Customer
from invoicing.domain.corrections import Kind, Line
from invoicing.models import (
    CorrectedLine,
    Correction,
    CorrectionDocument,
    CreditNote,
    CreditNoteItem,
    Invoice,
    InvoiceLine,
    Wallet,
)


class CorrectionNotFound(errors.NotFound):
    """No correction has this id."""


def find(public_id: uuid.UUID | None) -> Correction:
    """Return a correction by its public id. Raises CorrectionNotFound."""
    found = Correction.objects.filter(uuid=public_id).first() if public_id else None
    if found is None:
        raise CorrectionNotFound("correction_not_found", "There is no such correction.")
    return found


def of_invoice(invoice: Invoice) -> models.QuerySet[Correction]:
    """Return the corrections of an invoice, newest first."""
    return Correction.objects.filter(invoice=invoice)


def making(invoice: Invoice) -> models.QuerySet[Correction]:
    """Return the corrections that made an invoice, newest first: those of others."""
    made = CorrectionDocument.objects.filter(invoice=invoice).exclude(correction__invoice=invoice)
    return Correction.objects.filter(pk__in=made.values("correction_id")).select_related("invoice")


def lines(
    invoice: Invoice, *, billed_later: Mapping[int, Money] | None = None, waiting: Mapping[int, Money] | None = None
) -> tuple[Line, ...]:
    """Return the lines of an invoice as they stand, in their order.

    ``billed_later`` and ``waiting`` are what later invoices bill of the lines, or will, as whoever bills them knows.
    Invoices of their own are known here.
    """
    rows = list(InvoiceLine.objects.filter(invoice=invoice).order_by("position"))
    items = CreditNoteItem.objects.filter(line__in=rows).order_by().values("line_id").annotate(sum=Sum("amount"))
    credited = {row["line_id"]: Money(row["sum"], invoice.currency) for row in items}
    own = _own_invoices(rows)
    nothing = money.zero(invoice.currency)
    return tuple(
        Line(
            id=row.pk,
            label=row.label,
            units=row.units,
            unit_amount=_agreed(row.unit_amount, row),
            billed=row.agreed_amount,
            net=row.amount,
            left=row.net_amount - credited.get(row.pk, nothing),
            credited=_agreed_money(credited.get(row.pk, nothing), row),
            elsewhere=own.get(row.pk, nothing) + (billed_later or {}).get(row.pk, nothing),
            waiting=(waiting or {}).get(row.pk, nothing),
        )
        for row in rows
    )


_STANDS = ("total_amount", "paid_amount", "offset_amount", "written_off_amount", "disputed_amount")


def fingerprint(invoice: Invoice) -> str:
    """Return a mark of all that a correction of an invoice depends on: another one means that something changed."""
    notes = CreditNote.objects.filter(invoice=invoice).order_by("pk")
    customer = Customer.objects.values_list("updated_at", flat=True).get(pk=invoice.customer_id)
    wallets = Wallet.objects.filter(customer_id=invoice.customer_id, status=Wallet.Status.ACTIVE).order_by("pk")
    credits_left = CreditNote.objects.filter(customer_id=invoice.customer_id, balance_amount__gt=0).order_by("pk")
    stands: list[Any] = [
        invoice.pk,
        invoice.status,
        invoice.payment_status,
        [getattr(invoice, name).amount for name in _STANDS],
        list(InvoiceLine.objects.filter(invoice=invoice).order_by("position").values_list("pk", "amount")),
        list(notes.values_list("pk", "total_amount", "refund_status", "credit_status")),
        list(Correction.objects.filter(invoice=invoice).order_by("pk").values_list("pk", flat=True)),
        list(invoice.regenerations.order_by("pk").values_list("pk", "status")),
        customer,
        list(credits_left.values_list("pk", "balance_amount")),
        list(wallets.values_list("pk", "balance_amount")),
    ]
    return hashlib.sha256(json.dumps(stands, default=str).encode()).hexdigest()


def _own_invoices(rows: Sequence[InvoiceLine]) -> dict[int, Money]:
    """Return what stands of what invoices of their own billed of lines since."""
    found: dict[int, Money] = defaultdict(lambda: money.zero(rows[0].currency))
    made = CorrectedLine.objects.filter(line__in=rows, step=Kind.OWN_INVOICE)
    taken_back = CorrectionDocument.objects.filter(invoice__status__in=[Invoice.Status.VOIDED, Invoice.Status.CLOSED])
    for row in made.exclude(correction__documents__in=taken_back):
        found[row.line_id] += row.after_amount - row.before_amount
    return dict(found)


def _agreed(net: Any, row: InvoiceLine) -> Any:
    """Return a price of a unit as agreed: gross where the price includes taxes."""
    if row.tax_inclusive_amount is None:
        return net
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return net * (1 + row.taxes_rate)


def _agreed_money(net: Money, row: InvoiceLine) -> Money:
    """Return a net amount of a line in the terms of its price, rounded once; all of it is all of the price."""
    if row.tax_inclusive_amount is None or not net:
        return net
    if net == row.amount:
        return row.agreed_amount
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        gross = net.amount * row.tax_inclusive_amount / row.amount.amount
    return Money(money.quantize(gross, currency=row.currency), row.currency)

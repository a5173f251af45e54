"""The taxes of drafts whose lines coupons lower. Owns working them out anew on what is left of each line, and writing
lines and taxes while the invoice may still be written: in three statements, whatever the number of invoices.

Which taxes a line has was decided when it was drafted, and stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from moneyed import Money

from config.kernel import money
from invoicing.domain import tax, totals
from invoicing.domain.tax import LineTaxes, TaxRate
from invoicing.domain.totals import Reduction, Totals
from invoicing.models import Invoice, InvoiceLine, LineTax

_PLACES = 15
_LINES = """
UPDATE invoicing_invoiceline AS line
SET precise_coupons_amount = new.coupons, taxes_amount = new.tax, precise_taxes_amount = new.precise
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[]) AS new (id, coupons, tax, precise)
WHERE line.id = new.id
"""
_LINE_TAXES = """
UPDATE invoicing_linetax AS row SET amount = new.amount, precise_amount = new.precise
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS new (id, amount, precise)
WHERE row.id = new.id
"""
_INVOICE_TAXES = """
UPDATE invoicing_invoicetax AS row SET base_amount = new.base, amount = new.amount
FROM unnest(%s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[]) AS new (invoice_id, tax_id, base, amount)
WHERE row.invoice_id = new.invoice_id AND row.tax_id = new.tax_id
"""


@dataclass(frozen=True)
class Retaxed:
    """The taxes of an invoice with coupons: of each line, in their order, and in all."""

    lines: tuple[LineTaxes, ...]
    whole: Totals


def lines_of(invoices: Collection[Invoice]) -> dict[int, list[InvoiceLine]]:
    """Return the lines of invoices with their taxes, in their order. Two queries."""
    found: dict[int, list[InvoiceLine]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(invoice__in=[invoice.pk for invoice in invoices]).order_by("position")
    for line in rows.prefetch_related("applied_taxes"):
        if line.invoice_id is not None:
            found[line.invoice_id].append(line)
    return found


def retaxed(*, invoice: Invoice, lines: Sequence[InvoiceLine], reduction: Reduction) -> Retaxed:
    """Work out the taxes of an invoice whose lines are lowered. Each line, and each tax group, is rounded once."""
    rates = [_rates(line) for line in lines]
    prices = [_price(line) for line in lines]
    return Retaxed(
        lines=tuple(
            _taxed(line, taxes, price, Money(share, invoice.currency))
            for line, taxes, price, share in zip(lines, rates, prices, reduction.shares, strict=True)
        ),
        whole=totals.total(
            lines=[(line.net_amount, taxes) for line, taxes in zip(lines, rates, strict=True)],
            currency=invoice.currency,
            coupons=reduction,
            gross=prices,
        ),
    )


def lower(*, wanted: Sequence[tuple[Invoice, Sequence[InvoiceLine], Reduction]]) -> None:
    """Lower drafts: write their lines and taxes, and set what the invoices come to, which whoever calls saves."""
    if not wanted:
        return
    found = [
        (invoice, lines, cut, retaxed(invoice=invoice, lines=lines, reduction=cut)) for invoice, lines, cut in wanted
    ]
    line_rows: list[tuple[object, ...]] = []
    tax_rows: list[tuple[object, ...]] = []
    group_rows: list[tuple[object, ...]] = []
    for invoice, lines, cut, taxes in found:
        for line, share, own in zip(lines, cut.shares, taxes.lines, strict=True):
            line_rows.append((line.pk, share, own.amount.amount, _kept(own.precise)))
            tax_rows += _tax_rows(line, own)
        group_rows += [
            (invoice.pk, group.tax.id, group.base.amount, group.amount.amount) for group in taxes.whole.groups
        ]
        invoice.coupons_amount = cut.amount
        invoice.taxes_amount = taxes.whole.amount.tax
        invoice.total_amount = taxes.whole.amount.gross
    with connection.cursor() as cursor:
        for statement, rows in ((_LINES, line_rows), (_LINE_TAXES, tax_rows), (_INVOICE_TAXES, group_rows)):
            if rows:
                cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _price(line: InvoiceLine) -> Money | None:
    """Return what is to be paid of a line whose price includes its taxes, before coupons."""
    if line.tax_inclusive_amount is None:
        return None
    whole = Money(line.tax_inclusive_amount, line.currency)
    return tax.gross_left(gross=whole, net=line.amount, left=line.net_amount)


def _taxed(line: InvoiceLine, rates: Sequence[TaxRate], price: Money | None, share: Money) -> LineTaxes:
    left = line.net_amount - share
    if price is None:
        return tax.on_line(net=left, taxes=rates)
    gross = tax.gross_left(gross=price, net=line.net_amount, left=left)
    return tax.on_line(net=left, taxes=rates, gross=gross)


def _rates(line: InvoiceLine) -> list[TaxRate]:
    return [_rate(row) for row in line.applied_taxes.all()]


def _rate(row: LineTax) -> TaxRate:
    return TaxRate(id=row.tax_id, code=row.tax_code, name=row.tax_name, rate=row.rate, description=row.tax_description)


def _tax_rows(line: InvoiceLine, taxes: LineTaxes) -> list[tuple[object, ...]]:
    """Return the line's tax rows with their new amounts: they come in the order of the rates."""
    return [
        (row.pk, new.amount.amount, _kept(new.precise))
        for row, new in zip(line.applied_taxes.all(), taxes.rows, strict=True)
    ]


def _kept(precise: Decimal) -> Decimal:
    return money.round_half_up(precise, _PLACES)

"""Taxing invoices anew that are not issued yet: their lines stay, which taxes they have is decided again.

Owns the rows of their taxes. Everything happens in a fixed number of statements, whatever the number of invoices.
"""

from __future__ import annotations

import decimal
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import dates, money
from invoicing.domain import tax, totals
from invoicing.domain.tax import LineTaxes, Resolved
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LineTax
from invoicing.queries import taxes as tax_books
from invoicing.services import line_rows

_PLACES = 15
_BATCH = 1000
_LINE = (
    "amount", "precise_amount", "unit_amount", "taxes_amount", "precise_taxes_amount", "taxes_rate", "tax_basis",
)  # fmt: skip
_SUMS = ("fees_amount", "taxes_amount", "total_amount", "updated_at")

Rule = Callable[[Invoice, InvoiceLine], Resolved]


def lines_of(invoices: Sequence[Invoice]) -> dict[int, list[InvoiceLine]]:
    """Return the lines of invoices with their taxes, in their order. Two queries."""
    found: dict[int, list[InvoiceLine]] = defaultdict(list)
    rows = InvoiceLine.objects.filter(invoice__in=[invoice.pk for invoice in invoices]).order_by("position")
    for line in rows.prefetch_related("applied_taxes"):
        if line.invoice_id is not None:
            found[line.invoice_id].append(line)
    return found


def anew(*, invoices: Sequence[Invoice], at: datetime) -> None:
    """Tax invoices by the taxes that prices, customers and sellers have now.

    A line that had the taxes of its price keeps those, at their rates of now. Invoices that are issued must not come
    here. Saves the invoices.
    """
    if not invoices:
        return
    lines = lines_of(invoices)
    book = tax_books.book(
        customer_ids={invoice.customer_id for invoice in invoices},
        billing_entity_ids={invoice.billing_entity_id for invoice in invoices},
        tax_ids={tax_id for rows in lines.values() for line in rows for tax_id in _own(line)},
    )

    def rule(invoice: Invoice, line: InvoiceLine) -> Resolved:
        return book.resolved(
            customer_id=invoice.customer_id,
            billing_entity_id=invoice.billing_entity_id,
            on=dates.local_date(invoice.billed_at, dates.zone(invoice.timezone)),
            tax_ids=_own(line),
        )

    apply(invoices=invoices, lines=lines, rule=rule, at=at)


def apply(*, invoices: Sequence[Invoice], lines: Mapping[int, Sequence[InvoiceLine]], rule: Rule, at: datetime) -> None:
    """Give the lines of invoices the taxes that a rule says, and write what follows. Saves lines and invoices.

    Of a price that includes its taxes the net is found anew. What is prepaid has none.
    """
    wrong = [invoice for invoice in invoices if invoice.status not in {"draft", "pending", "failed"}]
    if wrong:
        raise ValueError(f"{wrong[0]} is issued: its taxes stay.")
    every = [line for invoice in invoices for line in lines[invoice.pk]]
    LineTax.objects.filter(line__in=every).delete()
    InvoiceTax.objects.filter(invoice__in=list(invoices)).delete()
    line_taxes: list[LineTax] = []
    groups: list[InvoiceTax] = []
    for invoice in invoices:
        found = [(line, rule(invoice, line)) for line in lines[invoice.pk]]
        for line, resolved in found:
            own = _tax(line, resolved)
            line_taxes += [line_rows.line_tax(line=line, row=row, at=at) for row in own.rows]
        whole = totals.total(
            lines=[(line.net_amount, resolved.rates) for line, resolved in found],
            currency=invoice.currency,
            gross=[_gross_left(line) for line, _ in found]
            if any(line.tax_inclusive_amount for line, _ in found)
            else (),
        )
        invoice.fees_amount = whole.amount.net + invoice.progressive_billing_credit_amount
        invoice.taxes_amount, invoice.total_amount = whole.amount.tax, whole.amount.gross
        invoice.updated_at = at
        groups += [line_rows.invoice_tax(invoice=invoice, group=group, at=at) for group in whole.groups]
    InvoiceLine.objects.bulk_update(every, _LINE, batch_size=_BATCH)
    LineTax.objects.bulk_create(line_taxes, batch_size=_BATCH)
    InvoiceTax.objects.bulk_create(groups, batch_size=_BATCH)
    Invoice.objects.bulk_update(list(invoices), _SUMS, batch_size=_BATCH)


def _own(line: InvoiceLine) -> tuple[int, ...]:
    """Return the taxes that the price of a line has itself."""
    if line.tax_basis != InvoiceLine.TaxBasis.PRICE:
        return ()
    return tuple(row.tax_id for row in line.applied_taxes.all())


def _tax(line: InvoiceLine, found: Resolved) -> LineTaxes:
    """Set the figures of a line, and return its taxes."""
    gross = line.tax_inclusive_amount
    if gross is not None:
        with decimal.localcontext(money.DECIMAL_CONTEXT):
            factor = 1 + line.taxes_rate
            for name in ("precise_amount", "unit_amount"):
                figure = tax.net_of(gross=getattr(line, name) * factor, taxes=found.rates)
                setattr(line, name, money.round_half_up(figure, _PLACES))
        net = money.quantize(tax.net_of(gross=gross, taxes=found.rates), currency=line.currency)
        line.amount = Money(net, line.currency)
    own = tax.on_line(net=line.net_amount, taxes=found.rates, gross=_gross_left(line))
    line.taxes_amount, line.taxes_rate = own.amount, own.rate
    line.precise_taxes_amount = money.round_half_up(own.precise, _PLACES)
    line.tax_basis = InvoiceLine.TaxBasis(found.basis.value)
    return own


def _gross_left(line: InvoiceLine) -> Money | None:
    gross: Decimal | None = line.tax_inclusive_amount
    if gross is None:
        return None
    return tax.gross_left(gross=Money(gross, line.currency), net=line.amount, left=line.net_amount)

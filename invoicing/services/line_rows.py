"""The rows of lines and their taxes, from specifications, and what their columns can hold. Owns making them; whether a
line is on a draft or stands alone is said by whoever writes them.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from moneyed import Money

from config.kernel import errors, money
from invoicing.domain.specs import LineSpec
from invoicing.domain.tax import LineTaxes, TaxRow
from invoicing.domain.totals import TaxGroup
from invoicing.models import Invoice, InvoiceLine, InvoiceTax, LineTax

_PLACES = 15
# What the columns hold: 16 digits before the point of an amount, 25 of a quantity or an unrounded figure.
_AMOUNT_END = Decimal(10) ** 16
_FIGURE_END = Decimal(10) ** 25


class UnableToDraft(errors.Invalid):
    """A specification names nobody to bill, or comes to less than nothing or more than an invoice can hold."""


def demand_figures(spec: LineSpec) -> None:
    """Demand that the figures of a line fit their columns. Raises UnableToDraft (`value_is_out_of_range`)."""
    figures = spec.units, spec.unit_amount, spec.precise_amount, spec.total_units or Decimal(0)
    if any(abs(figure) >= _FIGURE_END for figure in figures):
        raise UnableToDraft("value_is_out_of_range", f"The line {spec.label} counts {spec.units:.3E} units: too many.")


def demand_amounts(what: str, *amounts: Money) -> None:
    """Demand that amounts fit their columns. Raises UnableToDraft (`value_is_out_of_range`)."""
    for amount in amounts:
        if abs(amount.amount) >= _AMOUNT_END:
            message = f"{what} comes to {amount.amount:.3E} {amount.currency.code}: more than an invoice can hold."
            raise UnableToDraft("value_is_out_of_range", message)


def line(
    *,
    spec: LineSpec,
    taxes: LineTaxes,
    billing_entity_id: int,
    customer_id: int,
    currency: str,
    at: datetime,
    invoice: Invoice | None = None,
    position: int = 0,
    payment_status: str = InvoiceLine.PaymentStatus.NONE,
    basis: str = InvoiceLine.TaxBasis.NONE,
    gross: Money | None = None,
) -> InvoiceLine:
    """Return an unsaved line. Figures are rounded to what the columns keep, amounts are rounded already."""
    return InvoiceLine(
        created_at=at,
        invoice=invoice,
        billing_entity_id=billing_entity_id,
        customer_id=customer_id,
        kind=InvoiceLine.Kind(spec.kind),
        position=position,
        group_key=spec.group_key,
        group_label=spec.group_label,
        item_code=spec.item_code,
        item_name=spec.item_name,
        item_uuid=spec.item_uuid,
        plan_code=spec.plan_code,
        label=spec.label,
        description=spec.description,
        charge_model=spec.charge_model,
        units=money.round_half_up(spec.units, _PLACES),
        events_count=spec.events_count,
        unit_amount=money.round_half_up(spec.unit_amount, _PLACES),
        precise_amount=money.round_half_up(spec.precise_amount, _PLACES),
        currency=currency,
        amount=spec.amount,
        progressive_credit_amount=spec.progressive_credit or money.zero(currency),
        taxes_amount=taxes.amount,
        precise_taxes_amount=money.round_half_up(taxes.precise, _PLACES),
        taxes_rate=taxes.rate,
        tax_basis=InvoiceLine.TaxBasis(basis),
        tax_inclusive_amount=None if gross is None else gross.amount,
        amount_details=dict(spec.amount_details),
        from_at=spec.from_at,
        to_at=spec.to_at,
        total_units=None if spec.total_units is None else money.round_half_up(spec.total_units, _PLACES),
        pricing_unit=None if spec.pricing_unit is None else dict(spec.pricing_unit),
        breakdowns=[dict(row) for row in spec.breakdowns],
        event_transaction_id=spec.event_transaction_id,
        payment_status=payment_status,
    )


def line_tax(*, line: InvoiceLine, row: TaxRow, at: datetime) -> LineTax:
    """Return an unsaved tax of a line."""
    return LineTax(
        created_at=at,
        line=line,
        tax_id=row.tax.id,
        tax_code=row.tax.code,
        tax_name=row.tax.name,
        tax_description=row.tax.description,
        rate=row.tax.rate,
        currency=line.currency,
        amount=row.amount,
        precise_amount=money.round_half_up(row.precise, _PLACES),
    )


def invoice_tax(*, invoice: Invoice, group: TaxGroup, at: datetime) -> InvoiceTax:
    """Return an unsaved tax group of an invoice."""
    return InvoiceTax(
        created_at=at,
        invoice=invoice,
        tax_id=group.tax.id,
        tax_code=group.tax.code,
        tax_name=group.tax.name,
        tax_description=group.tax.description,
        rate=group.tax.rate,
        currency=invoice.currency,
        base_amount=group.base,
        amount=group.amount,
    )

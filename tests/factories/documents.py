"""Invoices as documents need them: sellers, buyers, lines and taxes with figures that a test can name.

Rows are written directly, so that a document can be tested with data that no billing run would make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from moneyed import Money

from catalog.models import Tax
from config.kernel import money
from customers.models import BillingEntity, Customer, CustomerMetadata
from invoicing.models import Invoice, InvoiceLine, InvoiceTax
from invoicing.services import snapshots

AT = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
MAY = (datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 40">'
    '<rect x="2" y="6" width="28" height="28" rx="8" fill="#0f766e"/>'
    '<path d="M10 25 L16 13 L22 25" stroke="#fff" stroke-width="3" fill="none"/>'
    '<text x="40" y="28" font-family="Document" font-size="22" font-weight="600" fill="#16181d">Nordlicht</text></svg>'
)
GERMAN_SELLER = {
    "code": "nordlicht",
    "name": "Nordlicht Hosting",
    "legal_name": "Nordlicht Hosting GmbH",
    "legal_number": "HRB 123456",
    "tax_identification_number": "DE811907980",
    "email": "rechnung@nordlicht.example",
    "phone": "+49 40 1234567",
    "url": "https://nordlicht.example",
    "logo": LOGO,
    "accent_color": "#0f766e",
    "bank_name": "Hanseatische Bank",
    "iban": "DE89370400440532013000",
    "bic": "COBADEFFXXX",
    "address_line1": "Am Sandtorkai 12",
    "zipcode": "20457",
    "city": "Hamburg",
    "country": "DE",
    "timezone": "UTC",
    "document_locale": "de",
    "document_number_prefix": "NOR",
    "invoice_footer": "Geschäftsführung: Ada Beispiel. Amtsgericht Hamburg, HRB 123456.",
    "email_settings": ["invoice.finalized"],
}
GERMAN_BUYER = {
    "external_id": "cus-1",
    "name": "Musterbau",
    "legal_name": "Musterbau AG",
    "tax_identification_number": "DE136695976",
    "email": "buchhaltung@musterbau.example",
    "address_line1": "Lindenstraße 4",
    "zipcode": "10969",
    "city": "Berlin",
    "country": "DE",
}


@dataclass(frozen=True)
class LineRow:
    """One line in major units; `rates` are the codes of its taxes."""

    label: str
    amount: str
    units: str = "1"
    unit_amount: str = "0"
    group: str = "Pro"
    charge_model: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    period: tuple[datetime, datetime] = MAY
    description: str = ""
    tax_codes: Sequence[str] = ("vat",)


def seller(**values: Any) -> BillingEntity:
    """A billing entity: a company in Hamburg unless told otherwise."""
    return BillingEntity.objects.create(**{**GERMAN_SELLER, **values})


def buyer(entity: BillingEntity, **values: Any) -> Customer:
    """A customer of the entity: a company in Berlin unless told otherwise."""
    metadata = values.pop("metadata", {})
    values = {**GERMAN_BUYER, "sequential_id": 1, "slug": f"{entity.code}-1", "updated_at": AT, **values}
    customer = Customer.objects.create(billing_entity=entity, **values)
    for key, value in metadata.items():
        CustomerMetadata.objects.create(customer=customer, key=key, value=value, display_in_invoice=True)
    return customer


def draft(
    customer: Customer,
    lines: Sequence[LineRow],
    *,
    currency: str = "EUR",
    locale: str = "de",
    rates: Mapping[str, tuple[str, str]] | None = None,
    **values: Any,
) -> Invoice:
    """A draft with its lines and taxes. `rates` maps tax codes to names and fractions; tax is rounded per tax."""
    rates = {"vat": ("USt.", "0.19")} if rates is None else rates
    taxes = {
        code: Tax.objects.get_or_create(code=code, defaults={"name": name, "rate": rate})[0]
        for code, (name, rate) in rates.items()
    }
    bases = {code: sum((Decimal(row.amount) for row in lines if code in row.tax_codes), Decimal(0)) for code in rates}
    amounts = {code: money.quantize(base * Decimal(rates[code][1]), currency=currency) for code, base in bases.items()}
    net, tax = sum((Decimal(row.amount) for row in lines), Decimal(0)), sum(amounts.values(), Decimal(0))
    invoice = Invoice.objects.create(
        **{
            "billing_entity": customer.billing_entity,
            "customer": customer,
            "currency": currency,
            "fees_amount": Money(net, currency),
            "taxes_amount": Money(tax, currency),
            "total_amount": Money(net + tax, currency),
            "paid_amount": Money(0, currency),
            "timezone": "UTC",
            "locale": locale,
            "net_payment_term": 14,
            "billed_at": AT,
            "finalize_after": AT,
            "issuing_date": date(2026, 6, 1),
            "payment_due_date": date(2026, 6, 15),
            "updated_at": AT,
            "created_at": AT,
            **values,
        }
    )
    InvoiceLine.objects.bulk_create(_line(invoice, position, row, rates) for position, row in enumerate(lines, start=1))
    InvoiceTax.objects.bulk_create(
        InvoiceTax(
            invoice=invoice,
            tax=taxes[code],
            tax_code=code,
            tax_name=rates[code][0],
            rate=Decimal(rates[code][1]),
            currency=currency,
            base_amount=Money(bases[code], currency),
            amount=Money(amounts[code], currency),
        )
        for code in rates
    )
    return invoice


def finalized(
    customer: Customer, lines: Sequence[LineRow], *, number: str = "NOR-202606-001", **values: Any
) -> Invoice:
    """The same as `draft`, issued with that number and frozen."""
    invoice = draft(customer, lines, **values)
    invoice.status = Invoice.Status.FINALIZED
    invoice.number = number
    invoice.finalized_at = AT
    invoice.snapshot = snapshots.build(invoice=invoice, customer=customer, entity=customer.billing_entity)
    invoice.save()
    return invoice


def _line(invoice: Invoice, position: int, row: LineRow, rates: Mapping[str, tuple[str, str]]) -> InvoiceLine:
    rate = sum((Decimal(rates[code][1]) for code in row.tax_codes if code in rates), Decimal(0))
    amount = Decimal(row.amount)
    tax = amount * rate
    return InvoiceLine(
        invoice=invoice,
        billing_entity=invoice.billing_entity,
        customer=invoice.customer,
        kind=InvoiceLine.Kind.CHARGE if row.charge_model else InvoiceLine.Kind.SUBSCRIPTION,
        position=position,
        group_key=row.group,
        group_label=row.group,
        item_code="item",
        item_name=row.label,
        label=row.label,
        description=row.description,
        charge_model=row.charge_model,
        units=Decimal(row.units),
        unit_amount=Decimal(row.unit_amount),
        precise_amount=amount,
        currency=invoice.currency,
        amount=Money(amount, invoice.currency),
        taxes_amount=Money(money.quantize(tax, currency=invoice.currency), invoice.currency),
        precise_taxes_amount=tax,
        taxes_rate=rate,
        amount_details=dict(row.details),
        from_at=row.period[0],
        to_at=row.period[1],
    )

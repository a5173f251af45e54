"""Turns an invoice into what its document says: frozen text values in the customer's language.

A finalized invoice is read from its own rows and its snapshot alone, so that its document is the same whenever it is
made; payments that came later do not show. A draft is read as it would be issued now. Reads, never writes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import pgettext

from config.kernel import dates, errors, money
from invoicing.domain import document_breakdown, document_formats, document_language, document_logos
from invoicing.domain.document_addresses import Address
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact, Group, InvoiceView, Line, Part, Party, TaxRow
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import document_words, snapshots

# From so many lines on, the parts of each line's amount are left out: nobody reads them, and the file stays small.
DETAILED_LINES = 200

_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_DEFAULT_ACCENT = "#4f46e5"
_LOGO_BOX = (Decimal(58), Decimal(15))  # millimetres


@dataclass(frozen=True, slots=True)
class _Manner:
    """How this one document writes: notation, currency, time zone, and whether it goes into details."""

    formats: Formats
    currency: str
    zone: ZoneInfo
    is_detailed: bool
    has_tax_column: bool

    def period(self, start: datetime, end: datetime) -> str:
        span = dates.Period(start, end)
        return self.formats.days(span.first_day(self.zone), span.last_day(self.zone))


def read(*, invoice_id: int) -> Invoice:
    """Read an invoice with all that its document needs, in three queries. Raises NotFound (`invoice_not_found`)."""
    rows = Invoice.objects.select_related("billing_entity", "customer").prefetch_related("lines", "applied_taxes")
    try:
        return rows.get(pk=invoice_id)
    except Invoice.DoesNotExist as error:
        raise errors.NotFound("invoice_not_found", "There is no such invoice.") from error


def of(*, invoice: Invoice) -> InvoiceView:
    """Return what the document of an invoice says. Dates are local to the invoice's time zone; amounts are as stored.

    Reads seller and buyer of the snapshot, or their present data for a draft, and its lines, taxes and credits.
    """
    snapshot = invoice.snapshot or snapshots.build(
        invoice=invoice, customer=invoice.customer, entity=invoice.billing_entity
    )
    seller, buyer = snapshot["seller"], snapshot["buyer"]
    language = document_language.choose(locale=invoice.locale, seller_country=seller.get("country") or "")
    lines = list(invoice.lines.all())
    manner = _Manner(
        formats=Formats(language.conventions),
        currency=invoice.currency,
        zone=dates.zone(invoice.timezone),
        is_detailed=len(lines) <= DETAILED_LINES,
        has_tax_column=len({line.taxes_rate for line in lines}) > 1,
    )
    with translation.override(language.code):
        return _view(invoice, snapshot, seller, buyer, lines, manner, language.code)


def _view(
    invoice: Invoice,
    snapshot: Mapping[str, Any],
    seller: Mapping[str, Any],
    buyer: Mapping[str, Any],
    lines: Sequence[InvoiceLine],
    manner: _Manner,
    language: str,
) -> InvoiceView:
    formats = manner.formats
    country = str(seller.get("country") or "")
    logo = document_logos.clean(seller.get("logo") or "")
    width, height = document_logos.fitted(logo, width=_LOGO_BOX[0], height=_LOGO_BOX[1])
    accent = str(seller.get("accent_color") or "")
    period = manner.period(min(line.from_at for line in lines), max(line.to_at for line in lines)) if lines else ""
    number = invoice.number or pgettext("document", "Draft")
    is_paid = _is_paid_when_issued(invoice)
    is_nothing_due = is_paid or not invoice.total_amount.amount
    due_on = formats.day(invoice.payment_due_date)
    return InvoiceView(
        language=language,
        paper="letter" if country.upper() in _LETTER_COUNTRIES else "A4",
        accent=accent if _COLOR.fullmatch(accent) else _DEFAULT_ACCENT,
        title=document_words.title(seller_country=country),
        number=number,
        is_compact=not manner.is_detailed,
        is_draft=invoice.number is None,
        logo=logo,
        logo_size=(f"{width}mm", f"{height}mm"),
        seller=_party(seller, formats, contacts=("email", "phone", "url")),
        seller_name=str(seller.get("name") or seller.get("legal_name") or ""),
        buyer=_party(buyer, formats, contacts=("email",)),
        ship_to=_ship_to(buyer, formats),
        facts=_facts(invoice, buyer, number, "" if is_nothing_due else due_on, period, formats),
        groups=_groups(lines, manner),
        has_tax_column=manner.has_tax_column,
        subtotal=formats.money(invoice.fees_amount),
        taxes=tuple(
            TaxRow(
                label=tax.tax_name,
                rate=formats.rate(tax.rate),
                base=formats.money(tax.base_amount),
                amount=formats.money(tax.amount),
            )
            for tax in invoice.applied_taxes.all()
        ),
        tax_note="" if invoice.taxes_amount.amount else pgettext("document", "No tax is charged on this invoice."),
        total=formats.money(invoice.gross_amount),
        credits=(
            *_credits(invoice, formats),
            *_prepaid(invoice, formats),
            *(_paid(invoice, formats) if is_paid else ()),
        ),
        # What was due when the document was issued.
        amount_due=formats.money(money.zero(invoice.currency) if is_nothing_due else invoice.total_amount),
        is_nothing_due=is_nothing_due,
        is_paid=is_paid,
        issued_on=formats.day(invoice.issuing_date),
        due_on=due_on,
        period=period,
        payment=() if is_nothing_due else _payment(seller, invoice.number),
        notes=tuple(line for line in str(snapshot["texts"].get("footer") or "").splitlines() if line.strip()),
        legal=_legal(seller, formats),
        page_words=document_words.page_words(),
        billed_before=_billed_before(invoice, formats),
    )


def _billed_before(invoice: Invoice, formats: Formats) -> tuple[Fact, ...]:
    """What progressive invoices billed of the lines, which is taken off before taxes."""
    if not invoice.progressive_billing_credit_amount:
        return ()
    words = pgettext("document", "Billed before on invoice {number}")
    rows = invoice.progressive_credits.select_related("source").order_by("pk")
    return tuple(
        Fact(words.replace("{number}", row.source.number or ""), formats.money(-row.amount))
        for row in rows
        if row.amount
    )


def _credits(invoice: Invoice, formats: Formats) -> tuple[Fact, ...]:
    """What credit notes took off the total when the document was issued."""
    if not invoice.credit_notes_amount:
        return ()
    words = pgettext("document", "Credit note {number}")
    return tuple(
        Fact(words.replace("{number}", use.credit_note.number or ""), formats.money(-use.amount))
        for use in invoice.credits.select_related("credit_note")
    )


def _prepaid(invoice: Invoice, formats: Formats) -> tuple[Fact, ...]:
    """What was drawn of prepaid credit when the document was issued."""
    if not invoice.prepaid_credit_amount:
        return ()
    return (Fact(pgettext("document", "Prepaid credit used"), formats.money(-invoice.prepaid_credit_amount)),)


def _is_paid_when_issued(invoice: Invoice) -> bool:
    """Whether its amount was received before it was issued.

    That is so for lines that were paid one by one, and for no other kind. What was paid is not asked, because any
    invoice may be paid later, and its document must not change.
    """
    return invoice.kind == Invoice.Kind.ADVANCE_CHARGES and bool(invoice.total_amount.amount)


def _paid(invoice: Invoice, formats: Formats) -> tuple[Fact, ...]:
    return (Fact(pgettext("document", "Paid"), formats.money(-invoice.total_amount)),)


def _facts(
    invoice: Invoice, buyer: Mapping[str, Any], number: str, due_on: str, period: str, formats: Formats
) -> tuple[Fact, ...]:
    facts = [
        Fact(pgettext("document", "Invoice number"), number),
        Fact(pgettext("document", "Issue date"), formats.day(invoice.issuing_date)),
        Fact(pgettext("document", "Due date"), due_on),
        Fact(pgettext("document", "Service period"), period),
        Fact(pgettext("document", "Purchase order"), invoice.purchase_order_number),
        *(Fact(row["key"], row["value"]) for row in buyer.get("metadata") or []),
    ]
    return tuple(fact for fact in facts if fact.value)


def _party(party: Mapping[str, Any], formats: Formats, contacts: Sequence[str]) -> Party:
    return Party(
        name=str(party.get("legal_name") or party.get("name") or ""),
        address=_address(party, formats),
        ids=document_words.ids(party),
        contacts=tuple(str(party[name]) for name in contacts if party.get(name)),
    )


def _address(parts: Mapping[str, Any], formats: Formats) -> tuple[str, ...]:
    address = Address(**{name: str(parts.get(name) or "") for name in Address.__slots__})
    country = formats.locale.territories.get(address.country.upper(), address.country)
    return (*address.lines(), country) if country else address.lines()


def _ship_to(buyer: Mapping[str, Any], formats: Formats) -> tuple[str, ...]:
    shipping = _address(buyer.get("shipping_address") or {}, formats)
    return () if shipping == _address(buyer, formats) else shipping


def _groups(lines: Sequence[InvoiceLine], manner: _Manner) -> tuple[Group, ...]:
    runs: dict[str, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        runs[line.group_key].append(line)
    found = []
    for run in runs.values():
        common = {(line.from_at, line.to_at) for line in run}
        period = manner.period(*common.pop()) if len(common) == 1 else ""
        subtotal = sum((line.amount for line in run), money.zero(manner.currency))
        found.append(
            Group(
                label=run[0].group_label,
                period=period,
                lines=tuple(_line(line, manner, with_period=not period) for line in run),
                subtotal=manner.formats.money(subtotal) if len(runs) > 1 else "",
            )
        )
    return tuple(found)


def _line(line: InvoiceLine, manner: _Manner, *, with_period: bool) -> Line:
    formats, currency = manner.formats, manner.currency
    parts = document_breakdown.parts(
        charge_model=line.charge_model, units=line.units, details=line.amount_details or {}
    )
    shown = [_part(part, line, formats) for part in parts]
    shown += [
        Part(label=document_words.told(by), units=formats.units(units))
        for by, units in document_breakdown.told_units(line.breakdowns)
    ]
    return Line(
        label=document_words.line(line.label),
        description=line.description,
        period=manner.period(line.from_at, line.to_at) if with_period else "",
        units=formats.units(line.units),
        price="" if parts else formats.price(_price(line), currency=currency),
        tax_rate=formats.rate(line.taxes_rate) if manner.has_tax_column else "",
        amount=formats.money(line.amount),
        parts=tuple(shown) if manner.is_detailed else (),
        notes=tuple(_notes(line, formats)),
    )


def _price(line: InvoiceLine) -> Decimal:
    """Return the price of a unit. Of a part of a period it is an average, whose tail comes from the days' shares."""
    if not document_breakdown.days(line.amount_details or {}):
        return line.unit_amount
    return money.round_half_up(line.unit_amount, money.exponent(line.currency) + document_formats.PART_PLACES)


def _notes(line: InvoiceLine, formats: Formats) -> Iterator[str]:
    details, unit = line.amount_details or {}, line.pricing_unit
    for days in document_breakdown.days(details):
        yield document_words.days(days, formats)
    if "commitment" in details:
        minimum, counted = (
            formats.part(Decimal(details[name]), currency=line.currency) for name in ("commitment", "counted")
        )
        yield document_words.commitment(minimum, counted)
    if details.get("paid_before"):
        paid = formats.part(Decimal(details["paid_before"]), currency=line.currency)
        yield document_words.paid_before(paid)
    if unit is not None:
        rate = formats.price(Decimal(unit["conversion_rate"]), currency=line.currency)
        yield f"{document_words.in_unit(Decimal(unit['amount']), unit['short_name'], formats)} × {rate}"


def _part(part: document_breakdown.Part, line: InvoiceLine, formats: Formats) -> Part:
    currency, unit = line.currency, line.pricing_unit
    if unit is not None:
        # The figures of the price are in its own unit, and only what they come to is money.
        places = document_formats.PART_PLACES + document_formats.PART_PLACES
        price = "" if part.price is None else document_words.in_unit(part.price, unit["short_name"], formats)
        return Part(
            label=document_words.part(part, formats),
            units="" if part.units is None else formats.units(part.units),
            price=price if part.rate is None else formats.rate(part.rate),
            amount=document_words.in_unit(money.round_half_up(part.amount, places), unit["short_name"], formats),
        )
    if part.rate is not None:
        price = formats.rate(part.rate)
    else:
        price = "" if part.price is None else formats.price(part.price, currency=currency)
    return Part(
        label=document_words.part(part, formats),
        units="" if part.units is None else formats.units(part.units),
        price=price,
        amount=formats.part(part.amount, currency=currency),
    )


def _payment(seller: Mapping[str, Any], number: str | None) -> tuple[Fact, ...]:
    details = document_words.bank_details(seller)
    if not details or not number:
        return details
    return (*details, Fact(pgettext("document", "Payment reference"), number))


def _legal(seller: Mapping[str, Any], formats: Formats) -> tuple[str, ...]:
    ids = (f"{fact.label} {fact.value}" for fact in document_words.ids(seller))
    contacts = (str(seller[name]) for name in ("email", "url") if seller.get(name))
    groups = (
        ", ".join([str(seller.get("legal_name") or seller.get("name") or ""), *_address(seller, formats)]),
        " · ".join(ids),
        " · ".join(contacts),
    )
    return tuple(group for group in groups if group)

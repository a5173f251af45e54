"""Turns an invoice into what its document says: frozen text values in the customer's language.

A finalized invoice is read from its own rows and its snapshot alone, so that its document is the same whenever it is
made; payments that came later do not show. A draft is read as it would be issued now. Reads, never writes.
"""

from __future__ import annotations

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
from invoicing.domain import document_breakdown, document_formats, document_language
from invoicing.domain.document_folding import Detail, Folded
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact, Group, InvoiceView, Line, Part, Section, TaxRow
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import document_annexes, document_letterhead, document_words, snapshots, tax_notes

# From so many rows on, what has no parts is written smaller.
COMPACT_ROWS = 60


@dataclass(frozen=True, slots=True)
class _Manner:
    """How this one document writes: notation, currency, time zone, and whether it goes into details."""

    formats: Formats
    currency: str
    zone: ZoneInfo
    folded: Folded
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
        folded=document_annexes.fold(lines=lines),
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
    head = document_letterhead.of(seller=seller, buyer=buyer, formats=formats)
    period = manner.period(min(line.from_at for line in lines), max(line.to_at for line in lines)) if lines else ""
    number = invoice.number or pgettext("document", "Draft")
    is_paid = _is_paid_when_issued(invoice)
    is_nothing_due = is_paid or not invoice.total_amount.amount
    due_on = formats.day(invoice.payment_due_date)
    return InvoiceView(
        language=language,
        paper=head.paper,
        accent=head.accent,
        title=document_words.title(seller_country=country),
        number=number,
        is_compact=manner.folded.has_annex and len(manner.folded.bundles) > COMPACT_ROWS,
        is_draft=invoice.number is None,
        logo=head.logo,
        logo_size=head.logo_size,
        seller=head.seller,
        seller_name=head.seller_name,
        buyer=head.buyer,
        ship_to=head.ship_to,
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
        tax_note=_tax_note(invoice, snapshot),
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
        legal=head.legal,
        page_words=head.page_words,
        billed_before=_billed_before(invoice, formats),
        coupons=_coupons(invoice, formats),
        sections=_sections(snapshot),
        annex=document_words.annex(document_annexes.file_name(invoice=invoice)) if manner.folded.has_annex else "",
    )


def _sections(snapshot: Mapping[str, Any]) -> tuple[Section, ...]:
    """The custom sections as they were worded when the document was issued, without those that say nothing."""
    texts = ((text["display_name"], str(text["details"]).splitlines()) for text in snapshot.get("custom_sections", ()))
    found = (Section(heading, tuple(line for line in lines if line.strip())) for heading, lines in texts)
    return tuple(section for section in found if section.heading or section.lines)


def _tax_note(invoice: Invoice, snapshot: Mapping[str, Any]) -> str:
    """Why no tax is charged, or not on all of it, in the words that were kept with the document."""
    told = snapshot["texts"].get(tax_notes.KEY) or []
    if not told and not invoice.taxes_amount.amount:
        return pgettext("document", "No tax is charged on this invoice.")
    return " ".join(told)


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


def _coupons(invoice: Invoice, formats: Formats) -> tuple[Fact, ...]:
    """What coupons took off before taxes, by the names that they had when the document was issued."""
    if not invoice.coupons_amount:
        return ()
    words = pgettext("document", "Coupon {name}")
    return tuple(
        Fact(words.replace("{name}", use.trace["name"]), formats.money(-use.amount))
        for use in invoice.coupons.order_by("position")
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


def _groups(lines: Sequence[InvoiceLine], manner: _Manner) -> tuple[Group, ...]:
    folded = manner.folded
    is_across = folded.detail in (Detail.ITEMS_OF_ALL, Detail.FIRST_ITEMS)
    rows = [[lines[number] for number in bundle] for bundle in folded.bundles]
    last_own = len(rows) - folded.others
    runs: dict[str, list[tuple[bool, list[InvoiceLine]]]] = defaultdict(list)
    for number, row in enumerate(rows):
        runs["" if is_across else row[0].group_key].append((number >= last_own, row))
    found = []
    for members in runs.values():
        run = [line for _, row in members for line in row]
        common = {(line.from_at, line.to_at) for line in run}
        period = manner.period(*common.pop()) if len(common) == 1 else ""
        subtotal = sum((line.amount for line in run), money.zero(manner.currency))
        found.append(
            Group(
                label="" if is_across else run[0].group_label,
                period=period,
                lines=tuple(_row(row, manner, with_period=not period, is_others=others) for others, row in members),
                subtotal=manner.formats.money(subtotal) if len(runs) > 1 else "",
            )
        )
    return tuple(found)


def _row(lines: Sequence[InvoiceLine], manner: _Manner, *, with_period: bool, is_others: bool) -> Line:
    if len(lines) == 1 and not is_others:
        return _line(lines[0], manner, with_period=with_period)
    return document_annexes.folded_line(
        lines=lines,
        formats=manner.formats,
        period=manner.period(min(line.from_at for line in lines), max(line.to_at for line in lines))
        if with_period
        else "",
        with_tax=manner.has_tax_column,
        is_others=is_others,
    )


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
        parts=tuple(shown) if manner.folded.detail is Detail.PARTS else (),
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
    if line.tax_inclusive_amount is not None:
        yield document_words.with_tax(formats.money(line.agreed_amount))
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

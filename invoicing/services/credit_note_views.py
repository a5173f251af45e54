"""Turns a credit note into what its document says: frozen text values in the customer's language.

An issued credit note is read from its own rows, the lines it corrects and its snapshot alone, so that its document is
the same whenever it is made; what was used or refunded later does not show. Reads, never writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import pgettext

from config.kernel import dates
from invoicing.domain import document_language
from invoicing.domain.credit_note_view import CreditedLine, CreditNoteView
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact, TaxRow
from invoicing.models import CreditNote, CreditNoteItem
from invoicing.queries import credit_notes as known
from invoicing.services import document_letterhead, document_words, snapshots, tax_notes

# From so many items on the document is set smaller.
_COMPACT_FROM = 200


@dataclass(frozen=True, slots=True)
class _Manner:
    """How this one document writes its lines."""

    formats: Formats
    zone: ZoneInfo
    has_groups: bool
    has_tax_column: bool


def read(*, credit_note_id: int) -> CreditNote:
    """Read a credit note with all that its document needs. Raises CreditNoteNotFound."""
    rows = CreditNote.objects.select_related("billing_entity", "customer", "invoice")
    note = rows.prefetch_related("applied_taxes", "items__line").filter(pk=credit_note_id).first()
    if note is None:
        raise known.CreditNoteNotFound("credit_note_not_found", "There is no such credit note.")
    return note


def of(*, note: CreditNote) -> CreditNoteView:
    """Return what the document of a credit note says. Dates are local to its time zone; amounts are as stored.

    Reads seller and buyer of the snapshot, or their present data for a draft.
    """
    snapshot = note.snapshot or snapshots.build(
        invoice=note.invoice, customer=note.customer, entity=note.billing_entity
    )
    seller = snapshot["seller"]
    language = document_language.choose(
        locale=snapshot.get("locale") or note.invoice.locale, seller_country=seller.get("country") or ""
    )
    with translation.override(language.code):
        return _view(note, snapshot, language.code, Formats(language.conventions))


def _view(note: CreditNote, snapshot: dict[str, Any], language: str, formats: Formats) -> CreditNoteView:
    head = document_letterhead.of(seller=snapshot["seller"], buyer=snapshot["buyer"], formats=formats)
    items = sorted(note.items.all(), key=lambda item: item.line.position)
    manner = _Manner(
        formats=formats,
        zone=dates.zone(note.timezone),
        has_groups=len({item.line.group_label for item in items}) > 1,
        has_tax_column=len({item.line.taxes_rate for item in items}) > 1,
    )
    number = note.number or pgettext("document", "Draft")
    return CreditNoteView(
        language=language,
        paper=head.paper,
        accent=head.accent,
        title=pgettext("document", "Credit note"),
        number=number,
        is_draft=note.number is None,
        logo=head.logo,
        logo_size=head.logo_size,
        seller=head.seller,
        seller_name=head.seller_name,
        buyer=head.buyer,
        ship_to=head.ship_to,
        facts=_facts(note, number, formats),
        invoice_number=note.invoice.number or "",
        lines=tuple(_line(item, manner) for item in items),
        is_compact=len(items) > _COMPACT_FROM,
        has_tax_column=manner.has_tax_column,
        subtotal=formats.money(note.sub_total_amount + note.coupons_adjustment_amount),
        coupons=formats.money(-note.coupons_adjustment_amount) if note.coupons_adjustment_amount else "",
        taxes=tuple(
            TaxRow(
                label=tax.tax_name,
                rate=formats.rate(tax.rate),
                base=formats.money(tax.base_amount),
                amount=formats.money(tax.amount),
            )
            for tax in note.applied_taxes.all()
        ),
        tax_note=" ".join(snapshot["texts"].get(tax_notes.KEY) or []),
        total=formats.money(note.total_amount),
        ways=_ways(note, formats),
        issued_on=formats.day(note.issuing_date),
        explanation=note.description,
        notes=tuple(line for line in str(snapshot["texts"].get("footer") or "").splitlines() if line.strip()),
        legal=head.legal,
        page_words=head.page_words,
    )


def _facts(note: CreditNote, number: str, formats: Formats) -> tuple[Fact, ...]:
    invoice = note.invoice
    facts = (
        Fact(pgettext("document", "Credit note number"), number),
        Fact(pgettext("document", "Date of issue"), formats.day(note.issuing_date)),
        Fact(pgettext("document", "Invoice number"), invoice.number or ""),
        Fact(pgettext("document", "Invoice date"), formats.day(invoice.issuing_date)),
        Fact(pgettext("document", "Purchase order"), invoice.purchase_order_number),
        Fact(pgettext("document", "Reason"), _reason(note.reason)),
    )
    return tuple(fact for fact in facts if fact.value)


def _reason(reason: str) -> str:
    match reason:
        case CreditNote.Reason.DUPLICATED_CHARGE:
            return pgettext("document", "Charged twice")
        case CreditNote.Reason.PRODUCT_UNSATISFACTORY:
            return pgettext("document", "Product unsatisfactory")
        case CreditNote.Reason.ORDER_CHANGE:
            return pgettext("document", "Change of the order")
        case CreditNote.Reason.ORDER_CANCELLATION:
            return pgettext("document", "Cancellation of the order")
        case CreditNote.Reason.FRAUDULENT_CHARGE:
            return pgettext("document", "Fraudulent charge")
        case _:
            return ""


def _line(item: CreditNoteItem, manner: _Manner) -> CreditedLine:
    line, formats = item.line, manner.formats
    span = dates.Period(line.from_at, line.to_at) if line.to_at > line.from_at else None
    return CreditedLine(
        label=document_words.line(line.label),
        billed=formats.money(line.net_amount),
        amount=formats.money(item.amount),
        group=line.group_label if manner.has_groups else "",
        period=formats.days(span.first_day(manner.zone), span.last_day(manner.zone)) if span else "",
        tax_rate=formats.rate(line.taxes_rate) if manner.has_tax_column else "",
    )


def _ways(note: CreditNote, formats: Formats) -> tuple[Fact, ...]:
    taken_off = pgettext("document", "Taken off invoice {number}").replace("{number}", note.invoice.number or "")
    ways = (
        (pgettext("document", "Credit for later invoices"), note.credit_amount),
        (pgettext("document", "Refund"), note.refund_amount),
        (taken_off, note.offset_amount),
    )
    return tuple(Fact(label, formats.money(amount)) for label, amount in ways if amount)

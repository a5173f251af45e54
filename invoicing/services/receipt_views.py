"""Turns a receipt into what its document says: frozen text values in the customer's language.

A receipt is read from its own snapshot and its payment, which never change, so that its document is the same whenever
it is made. Reads, never writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import pgettext
from moneyed import Money

from config.kernel import dates
from invoicing.domain import document_language
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact
from invoicing.domain.receipt_view import PaidInvoice, ReceiptView
from invoicing.models import PaymentReceipt
from invoicing.services import document_letterhead


def of(*, receipt: PaymentReceipt) -> ReceiptView:
    """Return what the document of a receipt says. The day is the local one of its time zone; amounts are as stored."""
    snapshot = receipt.snapshot
    language = document_language.choose(
        locale=snapshot["locale"], seller_country=snapshot["seller"].get("country") or ""
    )
    with translation.override(language.code):
        return _view(receipt, snapshot, language.code, Formats(language.conventions))


def _view(receipt: PaymentReceipt, snapshot: Mapping[str, Any], language: str, formats: Formats) -> ReceiptView:
    head = document_letterhead.of(seller=snapshot["seller"], buyer=snapshot["buyer"], formats=formats)
    payment = receipt.payment
    received = formats.day(dates.local_date(payment.paid_at, dates.zone(snapshot["timezone"])))
    facts = (
        Fact(pgettext("document", "Receipt number"), receipt.number),
        Fact(pgettext("document", "Date of payment"), received),
        Fact(pgettext("document", "Payment reference"), payment.reference),
    )
    return ReceiptView(
        language=language,
        paper=head.paper,
        accent=head.accent,
        title=pgettext("document", "Receipt"),
        number=receipt.number,
        logo=head.logo,
        logo_size=head.logo_size,
        seller=head.seller,
        seller_name=head.seller_name,
        buyer=head.buyer,
        facts=tuple(fact for fact in facts if fact.value),
        invoices=tuple(_paid(row, payment.currency, formats) for row in snapshot["invoices"]),
        total=formats.money(payment.amount),
        received_on=received,
        legal=head.legal,
        page_words=head.page_words,
    )


def _paid(row: Mapping[str, Any], currency: str, formats: Formats) -> PaidInvoice:
    return PaidInvoice(
        number=row["number"] or pgettext("document", "Draft"),
        issued_on=formats.day(date.fromisoformat(row["issued_on"])) if row["issued_on"] else "",
        total=formats.money(Money(Decimal(row["total"]), currency)),
        paid=formats.money(Money(Decimal(row["amount"]), currency)),
    )

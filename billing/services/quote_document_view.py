"""Turns a version of a quote into what its document and its page say: frozen text values in the customer's language.

Owns letterhead, facts, headline and totals; the parts of the offer are `quote_document_parts`', terms in words
`quote_document_terms`'. Reads the figures that were kept with the version, and never writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import translation
from django.utils.translation import pgettext
from moneyed import Money

from billing.domain.quote_document import QuoteDocument, Total
from billing.domain.quote_figures import Totals
from billing.models import Quote, QuoteVersion
from billing.queries import quotes
from billing.queries.quotes import QuoteView
from billing.services import quote_document_changes, quote_document_parts, quote_document_terms, quote_price_words
from config.kernel import dates
from invoicing.domain import document_language
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_language import Language
from invoicing.domain.document_view import Fact
from invoicing.services import document_letterhead, snapshots

MONTHLY = "monthly"
SPOKEN = frozenset({"en", "de", "fr"})
"""The languages that quotes are written in."""

AMENDMENT = Quote.Kind.AMENDMENT
_OF_PRICES = frozenset({"change_terms", "add_product", "remove_product"})


def read(*, version_id: int) -> QuoteVersion:
    """Read a version with its quote and parties. Raises NotFound (`quote_version_not_found`)."""
    return quotes.version_of(version_id=version_id)


def of(*, version: QuoteVersion) -> QuoteDocument:
    """Return what the document of a version says. Days are local to the customer; amounts are those that were kept.

    A version that nobody approved yet is a draft. The same version, customer and seller give the same values.
    """
    view = quotes.view(version)
    spoken = language(view=view)
    with translation.override(spoken.code):
        return _document(view, version.quote.prospect, spoken, Formats(spoken.conventions))


def language(*, view: QuoteView) -> Language:
    """Return the language of a quote: the customer's, as on invoices; English where quotes have no words for it."""
    chosen = document_language.choose(locale=view.locale, seller_country=view.seller.country)
    if chosen.code in SPOKEN:
        return chosen
    return document_language.choose(locale=document_language.DEFAULT, seller_country=view.seller.country)


def _document(view: QuoteView, prospect: Mapping[str, Any], spoken: Language, formats: Formats) -> QuoteDocument:
    seller, buyer = _parties(view, prospect)
    head = document_letterhead.of(seller=seller, buyer=buyer, formats=formats)
    found = view.totals
    is_amendment = view.kind == AMENDMENT
    products = () if found is None or is_amendment else quote_document_parts.products(found, view.terms, formats)
    one_offs = () if found is None else quote_document_parts.one_offs(found, formats)
    headline, headline_note = _headline(view, found, formats)
    return QuoteDocument(
        language=spoken.code,
        conventions=spoken.conventions,
        paper=head.paper,
        accent=head.accent,
        title=pgettext("quote", "Quote"),
        number=number(view),
        name=view.name,
        is_draft=not view.is_final,
        logo=head.logo,
        logo_size=head.logo_size,
        seller=head.seller,
        seller_name=head.seller_name,
        seller_email=view.seller.email,
        buyer=head.buyer,
        buyer_name=view.party.legal_name or view.party.name,
        contact=view.owner_name,
        facts=_facts(view, formats),
        valid_until="" if view.valid_until is None else formats.day(view.valid_until),
        purchase_order_number=view.terms.purchase_order_number,
        headline=headline,
        headline_note=headline_note,
        introduction=lines(view.introduction),
        changes=quote_document_changes.changes(view, formats) if is_amendment else (),
        products=products,
        has_usage=any(phase.usage for product in products for phase in product.phases),
        has_discounts=any(line.discount for product in products for phase in product.phases for line in phase.lines),
        one_offs=one_offs,
        one_offs_have_discounts=any(line.discount for line in one_offs),
        items=() if found is None else quote_document_parts.items(found, formats),
        totals=() if found is None else tuple(_totals(view, found, formats)),
        totals_note=_totals_note(found),
        terms=quote_document_terms.facts(view, formats),
        small_print=lines(view.terms.terms_text),
        legal=head.legal,
        page_words=head.page_words,
    )


def number(view: QuoteView) -> str:
    """Return the number under which customers know a version: the quote's, from the second one on with its own."""
    return view.number if view.version_number == 1 else f"{view.number}-{view.version_number}"


def lines(text: str) -> tuple[str, ...]:
    """Return the lines of a text that say something."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _parties(view: QuoteView, prospect: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    if view.customer is not None:
        both = snapshots.parties(customer=view.customer, entity=view.seller)
        return both["seller"], both["buyer"]
    described = {name: value for name, value in prospect.items() if name != "shipping_address"}
    return snapshots.seller(entity=view.seller), {**described, "name": view.party.name}


def _facts(view: QuoteView, formats: Formats) -> tuple[Fact, ...]:
    made = view.submitted_at or view.created_at
    form = view.order_form
    facts = (
        Fact(pgettext("quote", "Quote number"), number(view)),
        Fact(pgettext("quote", "Order form"), "" if form is None else form.number),
        Fact(pgettext("quote", "Date"), _day(made, view, formats)),
        Fact(pgettext("quote", "Valid until"), "" if view.valid_until is None else formats.day(view.valid_until)),
        Fact(pgettext("quote", "Contract"), "" if view.contract is None else view.contract.number),
        Fact(pgettext("quote", "Purchase order"), view.terms.purchase_order_number),
        Fact(pgettext("quote", "Your contact"), view.owner_name),
        Fact(pgettext("quote", "E-mail"), view.owner_email if view.owner_name else ""),
    )
    return tuple(fact for fact in facts if fact.value)


def _day(moment: datetime, view: QuoteView, formats: Formats) -> str:
    return formats.day(dates.local_date(moment, dates.zone(view.timezone)))


def _headline(view: QuoteView, found: Totals | None, formats: Formats) -> tuple[str, str]:
    if found is None:
        return "", ""
    a_month = quote_price_words.every(_money(found.recurring_amount, found, formats), MONTHLY)
    if view.kind == AMENDMENT:
        if not _has_months(view):
            what = pgettext("quote", "for what changes, until the end of the term, before tax")
            return (_money(found.total_amount, found, formats), what) if found.total_amount else ("", "")
        before = quote_price_words.every(_money(found.before_recurring_amount, found, formats), MONTHLY)
        return a_month, pgettext("quote", "instead of {amount}, before tax").format(amount=before)
    if not found.recurring_amount:
        return _money(found.total_amount, found, formats), pgettext("quote", "before tax")
    if len(found.steps) > 1:
        return a_month, pgettext("quote", "at the end of the ramp, before tax")
    return a_month, pgettext("quote", "before tax")


def _has_months(view: QuoteView) -> bool:
    """Say whether a month before an amendment can be held against one after it: only where no time is added."""
    return bool(view.changes) and all(one.kind in _OF_PRICES for one in view.changes)


def _totals(view: QuoteView, found: Totals, formats: Formats) -> list[Total]:
    rows = []
    is_amendment = view.kind == AMENDMENT
    if is_amendment and _has_months(view):
        rows += [
            Total(pgettext("quote", "A month until now"), _money(found.before_recurring_amount, found, formats)),
            Total(pgettext("quote", "A month from then on"), _money(found.recurring_amount, found, formats)),
        ]
    for place, step in enumerate(() if is_amendment else found.steps):
        label = pgettext("quote", "A month")
        if place:
            label = pgettext("quote", "A month, from month {month} on").format(
                month=formats.units(step.from_month.to_integral_value() + 1)
            )
        rows.append(Total(label, _money(step.monthly_amount, found, formats)))
    if found.one_off_amount:
        rows.append(Total(pgettext("quote", "Once"), _money(found.one_off_amount, found, formats)))
    if found.credits_amount:
        rows.append(Total(pgettext("quote", "Prepaid credits"), _money(found.credits_amount, found, formats)))
    if found.term_months > 12 and not is_amendment:
        rows.append(Total(pgettext("quote", "In the first year"), _money(found.first_year_amount, found, formats)))
    cut = found.list_total_amount - found.total_amount
    if cut > 0:
        rows.append(Total(pgettext("quote", "At list prices"), _money(found.list_total_amount, found, formats)))
        label = pgettext("quote", "Your discount, {rate}").format(rate=_rate(found.discount_rate, formats))
        rows.append(Total(label, _money(-cut, found, formats)))
    if is_amendment and not found.total_amount:
        return rows
    rows.append(Total(_whole(view, found, formats), _money(found.total_amount, found, formats), is_main=True))
    return rows


def _totals_note(found: Totals | None) -> str:
    said = [pgettext("quote", "All amounts are before tax. What is billed by use comes in addition.")]
    if found is not None and found.coupons:
        said.append(pgettext("quote", "Coupons are taken off your invoices."))
    return " ".join(said)


def _whole(view: QuoteView, found: Totals, formats: Formats) -> str:
    if view.kind == AMENDMENT:
        return pgettext("quote", "What changes, until the end of the term")
    if not found.steps:
        return pgettext("quote", "Total")
    return pgettext("quote", "Total over {term}").format(term=quote_document_terms.months(found.term_months, formats))


def _money(amount: Decimal, found: Totals, formats: Formats) -> str:
    return formats.money(Money(amount, found.currency))


def _rate(rate: Decimal, formats: Formats) -> str:
    return quote_document_parts.rate(rate, formats)

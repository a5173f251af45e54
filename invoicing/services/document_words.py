"""Words of a document that depend on what they name: ids by country, tiers by their bounds, bank details by their kind.

Owns these labels, in the language that is active. Words that are always the same stand in the templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import pgettext
from stdnum import iban

from invoicing.domain import document_breakdown
from invoicing.domain.document_breakdown import PartKind
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Fact

# Where the number of a business for its taxes is one of value added tax.
_VAT_COUNTRIES = frozenset(
    "AT BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IT LT LU LV MT NL NO PL PT RO SE SI SK XI".split()
)
# What billing puts between the name of a price and what else a line is.
_BETWEEN = " – "
# What may stand after it that makes a line another item.
_ADDITIONS = frozenset(("True-up", "late usage"))
# What a minimum commitment is called that has no name of its own.
_COMMITMENT = "Minimum commitment"
# Where the law asks for this title.
_TAX_INVOICE_COUNTRIES = frozenset("AE AU ID NZ SG".split())


def title(*, seller_country: str) -> str:
    """Return the name of the document."""
    if seller_country.upper() in _TAX_INVOICE_COUNTRIES:
        return pgettext("document", "Tax invoice")
    return pgettext("document", "Invoice")


def page_words() -> tuple[str, str, str]:
    """Return the words before, between and after the number of a page and the number of pages."""
    before, _, rest = pgettext("document", "Page {page} of {pages}").partition("{page}")
    between, _, after = rest.partition("{pages}")
    return before, between, after


def ids(party: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the tax id and the register number of a seller or buyer, those that there are."""
    is_vat = str(party.get("country") or "").upper() in _VAT_COUNTRIES
    facts = (
        Fact(
            pgettext("document", "VAT ID") if is_vat else pgettext("document", "Tax ID"),
            str(party.get("tax_identification_number") or ""),
        ),
        Fact(pgettext("document", "Company no."), str(party.get("legal_number") or "")),
    )
    return tuple(fact for fact in facts if fact.value)


def bank_details(seller: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Return the account to pay to, an IBAN in groups of four; nothing where the seller names no account."""
    account = str(seller.get("iban") or "").strip()
    if not account:
        return ()
    is_iban = iban.is_valid(account)
    facts = (
        Fact(pgettext("document", "Account holder"), str(seller.get("legal_name") or seller.get("name") or "")),
        Fact(pgettext("document", "Bank"), str(seller.get("bank_name") or "")),
        Fact(
            pgettext("document", "IBAN") if is_iban else pgettext("document", "Account number"),
            iban.format(account) if is_iban else account,
        ),
        Fact(
            pgettext("document", "BIC") if is_iban else pgettext("document", "Routing number"),
            str(seller.get("bic") or ""),
        ),
    )
    return tuple(fact for fact in facts if fact.value)


def part(value: document_breakdown.Part, formats: Formats) -> str:
    """Return what a part of a line's amount is called."""
    match value.kind:
        case PartKind.TIER:
            return _tier(value, formats)
        case PartKind.PACKAGES:
            size = formats.units(value.size) if value.size is not None else ""
            return pgettext("document", "Packages of %(size)s") % {"size": size}
        case PartKind.FREE:
            return pgettext("document", "Included free of charge")
        case PartKind.FLAT:
            return pgettext("document", "Flat fee")
        case PartKind.RATE:
            return pgettext("document", "Share of the amount")
        case PartKind.PER_EVENT:
            return pgettext("document", "Per transaction")
        case PartKind.ADJUSTMENT:
            return pgettext("document", "Minimum and maximum per transaction")
        case _:
            return pgettext("document", "All units")


def days(value: document_breakdown.Days, formats: Formats) -> str:
    """Return the days of a period that an amount is for, after the units where they changed."""
    words = pgettext("document", "%(days)s of %(of_days)s days") % {"days": value.days, "of_days": value.of_days}
    return words if value.units is None else f"{formats.units(value.units)} × {words}"


def paid_before(amount: str) -> str:
    """Return what of an amount was paid before, and is taken off."""
    return pgettext("document", "Paid before: %(amount)s") % {"amount": amount}


def with_tax(amount: str) -> str:
    """Return the price that was agreed with its taxes in it."""
    return pgettext("document", "Price including tax: %(amount)s") % {"amount": amount}


def commitment(minimum: str, counted: str) -> str:
    """Return what a minimum commitment comes to, and what was billed of it."""
    return pgettext("document", "Minimum %(minimum)s, billed %(counted)s") % {"minimum": minimum, "counted": counted}


def in_unit(amount: Decimal, short_name: str, formats: Formats) -> str:
    """Write an amount in the seller's own unit: 1.250,5 CR."""
    return f"{formats.units(amount)}\u00a0{short_name}"


def line(label: str) -> str:
    """Return what a line is called: as it was named when it was made, its standing additions in the active language."""
    first, *others = label.split(_BETWEEN)
    words = {"True-up": pgettext("document", "True-up"), "late usage": pgettext("document", "late usage")}
    if first == _COMMITMENT and others:
        first = pgettext("document", "Minimum commitment")
    return _BETWEEN.join((first, *(words.get(other, other) for other in others)))


def item_key(label: str) -> tuple[str, ...]:
    """Return what lines of the same item share in their labels: its name and standing additions, no filter or group."""
    first, *others = label.split(_BETWEEN)
    return (first, *(other for other in others if other in _ADDITIONS))


def item(label: str) -> str:
    """Return what several lines of an item are called together, in the active language."""
    return line(_BETWEEN.join(item_key(label)))


def other_items() -> str:
    """Return what the items are called that found no row of their own."""
    return pgettext("document", "Other items")


def see_annex(count: int, formats: Formats) -> str:
    """Return where the lines are that share a row."""
    return pgettext("document", "%(count)s lines, see annex") % {"count": formats.units(Decimal(count))}


def annex(name: str) -> str:
    """Return what the annex of a document is for, with the name of its file."""
    return pgettext("document", "The annex %(file)s shows every line in detail.") % {"file": name}


def told(by: Mapping[str, str | None]) -> str:
    """Return what units are told apart by: their properties with the values."""
    return ", ".join(f"{name}: {value or '–'}" for name, value in by.items())


def _tier(value: document_breakdown.Part, formats: Formats) -> str:
    start = formats.units(value.from_value) if value.from_value else ""
    end = formats.units(value.to_value) if value.to_value is not None else ""
    if start and end:
        return f"{start} – {end}"
    if end:
        return pgettext("document", "Up to %(units)s") % {"units": end}
    if start:
        return pgettext("document", "From %(units)s") % {"units": start}
    return pgettext("document", "All units")

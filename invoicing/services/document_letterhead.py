"""The letterhead of a document: seller, buyer, logo, colour, paper and the foot of its pages, of what was frozen.

Owns what every kind of document says of the parties, in the language that is active. What stands below is the business
of each document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoicing.domain import document_logos
from invoicing.domain.document_addresses import Address
from invoicing.domain.document_formats import Formats
from invoicing.domain.document_view import Party
from invoicing.services import document_words

_LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_DEFAULT_ACCENT = "#4f46e5"
_LOGO_BOX = (Decimal(58), Decimal(15))  # millimetres


@dataclass(frozen=True, slots=True)
class Letterhead:
    """How the documents of a seller look: see `InvoiceView`, whose fields of these names they fill."""

    paper: str
    accent: str
    logo: str
    logo_size: tuple[str, str]
    seller: Party
    seller_name: str
    buyer: Party
    ship_to: tuple[str, ...]
    legal: tuple[str, ...]
    page_words: tuple[str, str, str]


def of(*, seller: Mapping[str, Any], buyer: Mapping[str, Any], formats: Formats) -> Letterhead:
    """Return the letterhead of a document between two parties, as a snapshot holds them."""
    logo = document_logos.clean(seller.get("logo") or "")
    width, height = document_logos.fitted(logo, width=_LOGO_BOX[0], height=_LOGO_BOX[1])
    accent = str(seller.get("accent_color") or "")
    return Letterhead(
        paper="letter" if str(seller.get("country") or "").upper() in _LETTER_COUNTRIES else "A4",
        accent=accent if _COLOR.fullmatch(accent) else _DEFAULT_ACCENT,
        logo=logo,
        logo_size=(f"{width}mm", f"{height}mm"),
        seller=_party(seller, formats, contacts=("email", "phone", "url")),
        seller_name=str(seller.get("name") or seller.get("legal_name") or ""),
        buyer=_party(buyer, formats, contacts=("email",)),
        ship_to=_ship_to(buyer, formats),
        legal=_legal(seller, formats),
        page_words=document_words.page_words(),
    )


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


def _legal(seller: Mapping[str, Any], formats: Formats) -> tuple[str, ...]:
    ids = (f"{fact.label} {fact.value}" for fact in document_words.ids(seller))
    contacts = (str(seller[name]) for name in ("email", "url") if seller.get(name))
    groups = (
        ", ".join([str(seller.get("legal_name") or seller.get("name") or ""), *_address(seller, formats)]),
        " · ".join(ids),
        " · ".join(contacts),
    )
    return tuple(group for group in groups if group)

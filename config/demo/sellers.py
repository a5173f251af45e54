"""The invented companies that sell in the sample: one for each currency, with its tax, letterhead and bank details.

VAT numbers and IBANs have right check digits, so that whatever checks them is content; none is meant to exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from config.kernel import dates

_LOGOS = Path(__file__).parent / "data" / "logos"


@dataclass(frozen=True)
class Seller:
    """A selling company. ``values`` are its fields in the API's words, ``letterhead`` those of its documents."""

    code: str
    currency: str
    timezone: str
    values: dict[str, Any]
    letterhead: dict[str, Any]

    def logo(self) -> str:
        """Return the company's mark as SVG text."""
        return (_LOGOS / f"{self.code.rpartition('_')[2]}.svg").read_text(encoding="utf-8")

    def start_of(self, day: date) -> datetime:
        """Return the instant at which a local day starts for this company."""
        return dates.start_of_day(day, dates.zone(self.timezone))


TAXES: tuple[dict[str, Any], ...] = (
    {"code": "de_vat_19", "name": "USt.", "rate": "19", "description": "German VAT, standard rate"},
    {"code": "gb_vat_20", "name": "VAT", "rate": "20", "description": "UK VAT, standard rate"},
    {
        "code": "eu_reverse_charge",
        "name": "Reverse charge",
        "rate": "0",
        "description": "VAT is due by the recipient, Article 196 of Directive 2006/112/EC",
    },
)

EUROPE = Seller(
    code="tidehaven_de",
    currency="EUR",
    timezone="Europe/Berlin",
    values={
        "name": "Tidehaven GmbH",
        "legal_name": "Tidehaven GmbH",
        "legal_number": "HRB 214873 B, Amtsgericht Charlottenburg",
        "tax_identification_number": "DE813726547",
        "address_line1": "Uferhallenweg 14",
        "zipcode": "13357",
        "city": "Berlin",
        "country": "DE",
        "email": "rechnung@tidehaven.example",
        "phone": "+49 30 5550 1420",
        "document_locale": "de",
        "document_number_prefix": "TH-DE",
        "net_payment_term": 14,
        "invoice_footer": (
            "Geschäftsführung: Merle Brandis, Ivo Castell. Bitte geben Sie bei Zahlungen die Rechnungsnummer an."
        ),
        "tax_codes": ["de_vat_19"],
    },
    letterhead={
        "url": "https://tidehaven.example/de",
        "accent_color": "#0f766e",
        "bank_name": "Spreehafen Bank",
        "iban": "DE66100991000048177302",
        "bic": "SPHBDEB1XXX",
    },
)
AMERICA = Seller(
    code="tidehaven_us",
    currency="USD",
    timezone="America/New_York",
    values={
        "name": "Tidehaven Inc.",
        "legal_name": "Tidehaven Incorporated",
        "legal_number": "EIN 84-2917365",
        "address_line1": "480 Wharfside Avenue",
        "address_line2": "Suite 310",
        "zipcode": "02210",
        "city": "Boston",
        "state": "MA",
        "country": "US",
        "email": "billing@tidehaven.example",
        "phone": "+1 617 555 0142",
        "document_locale": "en",
        "document_number_prefix": "TH-US",
        "net_payment_term": 30,
        "invoice_footer": "Please quote the invoice number with your payment. Thank you for your business.",
        "tax_codes": [],
    },
    letterhead={
        "url": "https://tidehaven.example",
        "accent_color": "#1d4ed8",
        "bank_name": "Wharfside Federal Bank",
        "iban": "4820 0093 6671",
        "bic": "114099033",
    },
)
BRITAIN = Seller(
    code="tidehaven_uk",
    currency="GBP",
    timezone="Europe/London",
    values={
        "name": "Tidehaven Ltd",
        "legal_name": "Tidehaven Limited",
        "legal_number": "11749306",
        "tax_identification_number": "GB318427612",
        "address_line1": "7 Canal Basin Yard",
        "zipcode": "M4 6JG",
        "city": "Manchester",
        "country": "GB",
        "email": "accounts@tidehaven.example",
        "phone": "+44 161 496 0142",
        "document_locale": "en",
        "document_number_prefix": "TH-UK",
        "net_payment_term": 30,
        "invoice_footer": "Registered in England and Wales. Please quote the invoice number with your payment.",
        "tax_codes": ["gb_vat_20"],
    },
    letterhead={
        "url": "https://tidehaven.example/uk",
        "accent_color": "#9f1239",
        "bank_name": "Canal Street Bank",
        "iban": "GB61SPHB04990748177302",
        "bic": "SPHBGB2LXXX",
    },
)
SELLERS = (EUROPE, AMERICA, BRITAIN)

EMAILED = ["invoice.finalized"]
NUMBERING = "per_billing_entity"


def last_full_month(at: datetime) -> date:
    """Return the first day of the last calendar month that is over for every selling company."""
    today = min(dates.local_date(at, dates.zone(seller.timezone)) for seller in SELLERS)
    return dates.add_months(today.replace(day=1), -1)

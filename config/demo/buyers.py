"""The sample's customers: an invented company for each of the busiest accounts, and one customer for everybody else.

Everything about a customer follows from its rank among the accounts, so it is the same on every machine. Nothing of the
recorded clients goes in but the account's pseudonym, as the external id.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from stdnum import luhn
from stdnum.at import uid as austrian
from stdnum.iso7064 import mod_11_10

from config.demo import price_list, sellers, usage
from config.demo.sellers import Seller

T = TypeVar("T")

STEMS = (
    "Alderwick", "Birkholm", "Corvane", "Dunmarrow", "Elverstone", "Fernhallow", "Grauwald", "Hollinbrook", "Isenfeld",
    "Jorvane", "Kestermoor", "Lindqvara", "Maplecrest", "Norrvind", "Ostermere", "Pellworth", "Quillmark", "Rosenquell",
    "Silverfen", "Thornbury Vale", "Ulmenhof", "Vantmoor", "Westerlund Bay", "Yarrowdale", "Zellbach", "Amberlock",
    "Brightmarsh", "Cloverhill", "Driftwood Lane", "Eichgrund", "Falkenrain", "Glenhaven", "Heatherford",
    "Ironbridge Vale", "Juniper Point", "Kaltwasser", "Larkspur", "Mondfeld", "Nightjar", "Oakhurst",
)  # fmt: skip
"""One for each of the customers with an account of their own."""


@dataclass(frozen=True)
class Home:
    """What companies of a country have in common: language, trades, legal form and places (street, postcode, city)."""

    country: str
    locale: str
    trades: tuple[str, ...]
    form: str
    places: tuple[tuple[str, str, str, str], ...]
    tax_codes: tuple[str, ...] = ()


GERMANY = Home(
    country="DE",
    locale="de",
    trades=("Medien", "Logistik", "Datentechnik", "Verlag", "Energie"),
    form="GmbH",
    places=(
        ("Hafenstraße {}", "20457", "Hamburg", ""),
        ("Lindenallee {}", "50968", "Köln", ""),
        ("Am Alten Markt {}", "18055", "Rostock", ""),
        ("Gartenweg {}", "70182", "Stuttgart", ""),
        ("Mühlgasse {}", "04109", "Leipzig", ""),
        ("Schillerplatz {}", "55116", "Mainz", ""),
        ("Nordring {}", "90409", "Nürnberg", ""),
    ),
)
AUSTRIA = Home(
    country="AT",
    locale="de",
    trades=("Digital", "Bergbahnen", "Handels"),
    form="GmbH",
    places=(("Marktgasse {}", "1090", "Wien", ""), ("Salzachkai {}", "5020", "Salzburg", "")),
    tax_codes=("eu_reverse_charge",),
)
FRANCE = Home(
    country="FR",
    locale="fr",
    trades=("Médias", "Éditions", "Données", "Conseil"),
    form="SARL",
    places=(
        ("{} rue des Tanneurs", "69002", "Lyon", ""),
        ("{} quai du Moulin", "33000", "Bordeaux", ""),
        ("{} avenue des Érables", "59800", "Lille", ""),
        ("{} place du Vieux Puits", "44000", "Nantes", ""),
    ),
    tax_codes=("eu_reverse_charge",),
)
STATES = Home(
    country="US",
    locale="en",
    trades=("Analytics", "Media", "Logistics", "Software", "Labs"),
    form="Inc.",
    places=(
        ("{}0 Juniper Street", "97209", "Portland", "OR"),
        ("{}5 Harbor Point Road", "21230", "Baltimore", "MD"),
        ("{}2 Prairie Avenue", "60616", "Chicago", "IL"),
        ("{}8 Mesa Verde Drive", "87505", "Santa Fe", "NM"),
        ("{}4 Lakeview Terrace", "53703", "Madison", "WI"),
    ),
)
KINGDOM = Home(
    country="GB",
    locale="en",
    trades=("Publishing", "Data", "Travel", "Systems"),
    form="Ltd",
    places=(
        ("{} Cooper's Wharf", "BS1 6TH", "Bristol", ""),
        ("{} Lantern Row", "YO1 7PR", "York", ""),
        ("{} Kirkgate Mews", "LS2 7DJ", "Leeds", ""),
        ("{} Seabank Terrace", "EH6 7DX", "Edinburgh", ""),
    ),
)

_HOMES: dict[str, tuple[Home, ...]] = {
    sellers.EUROPE.code: (GERMANY, FRANCE, GERMANY, AUSTRIA, GERMANY, FRANCE, GERMANY),
    sellers.AMERICA.code: (STATES,),
    sellers.BRITAIN.code: (KINGDOM,),
}
_OWN_TERMS: dict[str, tuple[int | None, ...]] = {
    sellers.EUROPE.code: (None, 7, None, 30),
    sellers.AMERICA.code: (None, None, 45),
    sellers.BRITAIN.code: (None, 14),
}


@dataclass(frozen=True)
class Buyer:
    """A customer with its one subscription, in the API's words."""

    external_id: str
    seller: Seller
    plan_code: str
    customer: dict[str, Any]

    def subscription(self, first_day: date) -> dict[str, Any]:
        """Return the body of its subscription: from the start of a local day on, elapsed periods billed too."""
        return {
            "external_customer_id": self.external_id,
            "external_id": usage.subscription_id(self.external_id),
            "plan_code": self.plan_code,
            "billing_time": "calendar",
            "subscription_at": self.seller.start_of(first_day).isoformat().replace("+00:00", "Z"),
            "backdated_billing": "bill",
        }


def all_of(accounts: Sequence[str]) -> list[Buyer]:
    """Return the customers of the accounts, busiest first, and the community customer last."""
    return [_company(rank, account) for rank, account in enumerate(accounts)] + [community()]


def community() -> Buyer:
    """Return the customer of all accounts that pay nothing. It has no address for mail, so no invoice is sent to it."""
    values = {
        "external_id": usage.COMMUNITY,
        "name": "Community",
        "customer_type": "company",
        "billing_entity_code": sellers.EUROPE.code,
        "currency": "EUR",
        "country": "DE",
        "city": "Berlin",
        "billing_configuration": {"document_locale": "en"},
    }
    return Buyer(usage.COMMUNITY, sellers.EUROPE, price_list.FREE_PLAN, values)


def _company(rank: int, account: str) -> Buyer:
    seller = sellers.SELLERS[rank % len(sellers.SELLERS)]
    number = rank // len(sellers.SELLERS)  # its place among the seller's customers
    home = _of(_HOMES[seller.code], number)
    trade = _of(home.trades, number)
    street, zipcode, city, state = _of(home.places, number)
    stem = STEMS[rank]
    name = f"{stem} {trade} {home.form}"
    tariff = "scale" if rank < 6 else "growth" if rank < 18 else "starter"
    values: dict[str, Any] = {
        "external_id": account,
        "name": name,
        "legal_name": name,
        "customer_type": "company",
        "billing_entity_code": seller.code,
        "currency": seller.currency,
        "email": f"accounts@{_domain(stem)}.example",
        "address_line1": street.format(3 + rank * 7 % 60),
        "zipcode": zipcode,
        "city": city,
        "state": state or None,
        "country": home.country,
        "tax_identification_number": vat_number(home.country, rank) or None,
        "net_payment_term": _of(_OWN_TERMS[seller.code], number),
        "billing_configuration": {"document_locale": home.locale},
        "tax_codes": list(home.tax_codes),
    }
    given = {field: value for field, value in values.items() if value not in (None, [])}
    return Buyer(account, seller, price_list.plan_code(tariff, seller.currency), given)


def vat_number(country: str, rank: int) -> str:
    """Return an invented VAT number with right check digits, or nothing for a country that has none."""
    match country:
        case "DE":
            digits = str(24_000_017 + rank * 370_911)
            return f"DE{digits}{mod_11_10.calc_check_digit(digits)}"
        case "AT":
            digits = str(6_000_131 + rank * 48_611)
            return f"ATU{digits}{austrian.calc_check_digit('U' + digits)}"
        case "FR":
            digits = str(80_400_013 + rank * 210_407)
            siren = digits + luhn.calc_check_digit(digits)
            return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02}{siren}"
        case "GB":
            digits = str(2_400_017 + rank * 37_013)
            weighted = sum(weight * int(digit) for weight, digit in zip(range(8, 1, -1), digits, strict=True))
            return f"GB{digits}{97 - weighted % 97:02}"
    return ""


def _of(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]


def _domain(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]+", "-", plain.lower()).strip("-")

"""VAT of the European Union: which rate a customer of a seller there is charged, and why. Owns the decision alone.

Rates and territories come as values; whether a VAT number is registered is found out elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from catalog.domain import vat_rates
from catalog.domain.vat_rates import Rate
from config.kernel import errors
from customers.domain import tax_ids

# Directive 2006/112/EC, article 7: what is intended for Monaco is treated as intended for France.
_TREATED_AS = {"MC": "FR"}
# What the register writes Greece as, and what the world does.
_TO_ISO, _FROM_ISO = {"EL": "GR"}, {"GR": "EL"}
_NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,12}")


class NotInEu(errors.Invalid):
    """Only a seller in the EU can have its VAT decided."""


class Check(StrEnum):
    """What is known of a VAT number."""

    NONE = "none"
    PENDING = "pending"
    VALID = "valid"
    INVALID = "invalid"


class Basis(StrEnum):
    """The rule that decided."""

    BY_HAND = "by_hand"
    TERRITORY = "territory"
    DOMESTIC_COMPANY = "domestic_company"
    REVERSE_CHARGE = "reverse_charge"
    CONSUMER = "consumer"
    UNKNOWN_COUNTRY = "unknown_country"
    OUTSIDE = "outside"


@dataclass(frozen=True)
class Facts:
    """What is decided from. Countries are ISO codes, empty where unknown; ``number`` is as `normalized` gives it."""

    seller_country: str
    country: str
    zipcode: str = ""
    number: str = ""
    check: Check = Check.NONE


@dataclass(frozen=True)
class Decision:
    """The tax of a customer and the rule it comes from. A provisional one waits for the check of the VAT number."""

    code: str
    basis: Basis
    is_provisional: bool = False


def demand_in_eu(country: str) -> None:
    """Demand that a seller is in the EU. Raises NotInEu (`billing_entity_must_be_in_eu`)."""
    if country not in tax_ids.EU:
        raise NotInEu(
            "billing_entity_must_be_in_eu",
            "VAT of the EU is decided for sellers in the EU alone: set the seller's country first.",
            {"eu_tax_management": ["billing_entity_must_be_in_eu"]},
        )


def decide(*, facts: Facts, territories: Sequence[Rate] = ()) -> Decision:
    """Decide the tax of a customer, in this order; the first rule that fits counts.

    The territory of the postcode (some for companies alone), without any check; a company in the seller's country; a
    company in another country of the EU: reverse charge; a consumer in the EU: the customer's country; no country: the
    seller's; all others are outside the EU. Until its VAT number is checked a customer counts as a consumer, which is
    provisional.
    """
    country = _TREATED_AS.get(facts.country, facts.country)
    territory = _territory(country, facts, territories)
    if territory is not None:
        return Decision(code=territory.code, basis=Basis.TERRITORY)
    if facts.check is Check.VALID:
        if country_of(facts.number, country=facts.country) == facts.seller_country:
            return Decision(code=vat_rates.standard(facts.seller_country), basis=Basis.DOMESTIC_COMPANY)
        return Decision(code=vat_rates.REVERSE_CHARGE, basis=Basis.REVERSE_CHARGE)
    waits = facts.check is Check.PENDING
    if not country:
        code = vat_rates.standard(facts.seller_country)
        return Decision(code=code, basis=Basis.UNKNOWN_COUNTRY, is_provisional=waits)
    if country in tax_ids.EU:
        return Decision(code=vat_rates.standard(country), basis=Basis.CONSUMER, is_provisional=waits)
    return Decision(code=vat_rates.EXEMPT, basis=Basis.OUTSIDE, is_provisional=waits)


def normalized(number: str, *, country: str) -> str:
    """Return a VAT number in capitals without blanks and signs, led by the letters of its country.

    A number without letters of a country of the EU gets those of ``country``. Empty where it is none of the EU at all:
    there is nobody to ask about it.
    """
    text = re.sub(r"[\s.\-/]", "", number).upper()
    if not text:
        return ""
    if _TO_ISO.get(text[:2], text[:2]) not in tax_ids.EU:
        text = f"{country}{text}" if country in tax_ids.EU else ""
    text = _FROM_ISO.get(text[:2], text[:2]) + text[2:]
    return text if _NUMBER.fullmatch(text) else ""


def country_of(number: str, *, country: str = "") -> str:
    """Return the ISO code of the country that a normalized number is of, else ``country``."""
    return _TO_ISO.get(number[:2], number[:2]) or country


def next_attempt(*, attempts: int, at: datetime) -> datetime:
    """Return when an unanswered question is asked again: after 1, 2, 4 … minutes, six hours at most."""
    return at + timedelta(minutes=min(2 ** min(attempts, 10), 360))


def _territory(country: str, facts: Facts, territories: Sequence[Rate]) -> Rate | None:
    zipcode = re.sub(r"[\s\-]", "", facts.zipcode)
    if not zipcode:
        return None
    for one in territories:
        if one.country != country or not one.territory or not re.fullmatch(one.postcodes, zipcode):
            continue
        if not one.for_companies or facts.number:
            return one
    return None

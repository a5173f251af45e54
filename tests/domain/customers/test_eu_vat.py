"""The decision about VAT of the EU, as a table, and what holds for all customers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain import vat_rates
from catalog.domain.vat_rates import Rate
from customers.domain import eu_vat, tax_ids
from customers.domain.eu_vat import Basis, Check, Facts

_DAY = date(2007, 1, 1)
TERRITORIES = [
    Rate("ES", "canary_islands", "Canary Islands", Decimal(0), _DAY, r"(35|38)\d{3}"),
    Rate("FR", "reunion", "Réunion", Decimal("0.085"), _DAY, r"974\d{2}", for_companies=True),
    Rate("PT", "madeira", "Madeira", Decimal("0.22"), _DAY, r"9[0-4]\d{2,5}"),
]


@pytest.mark.parametrize(
    ("country", "zipcode", "number", "check", "code", "basis", "waits"),
    [
        ("FR", "75018", "", Check.NONE, "lago_eu_fr_standard", Basis.CONSUMER, False),
        ("IT", "00146", "", Check.NONE, "lago_eu_it_standard", Basis.CONSUMER, False),
        ("IT", "00146", "IT12345678901", Check.INVALID, "lago_eu_it_standard", Basis.CONSUMER, False),
        ("IT", "00146", "IT12345678901", Check.VALID, "lago_eu_reverse_charge", Basis.REVERSE_CHARGE, False),
        ("IT", "00146", "IT12345678901", Check.PENDING, "lago_eu_it_standard", Basis.CONSUMER, True),
        ("FR", "75018", "FR40303265045", Check.VALID, "lago_eu_fr_standard", Basis.DOMESTIC_COMPANY, False),
        # The country of the number counts for a company, not that of its address.
        ("DE", "10115", "FR40303265045", Check.VALID, "lago_eu_fr_standard", Basis.DOMESTIC_COMPANY, False),
        ("US", "80095", "", Check.NONE, "lago_eu_tax_exempt", Basis.OUTSIDE, False),
        ("US", "80095", "DE136695976", Check.VALID, "lago_eu_reverse_charge", Basis.REVERSE_CHARGE, False),
        ("US", "80095", "DE136695976", Check.PENDING, "lago_eu_tax_exempt", Basis.OUTSIDE, True),
        ("", "", "", Check.NONE, "lago_eu_fr_standard", Basis.UNKNOWN_COUNTRY, False),
        ("MC", "98000", "", Check.NONE, "lago_eu_fr_standard", Basis.CONSUMER, False),
        # Territories come before any check.
        ("ES", "38001", "", Check.NONE, "lago_eu_es_exception_canary_islands", Basis.TERRITORY, False),
        ("ES", "38001", "ESX1234567X", Check.PENDING, "lago_eu_es_exception_canary_islands", Basis.TERRITORY, False),
        ("ES", "38 001", "", Check.NONE, "lago_eu_es_exception_canary_islands", Basis.TERRITORY, False),
        ("ES", "28001", "", Check.NONE, "lago_eu_es_standard", Basis.CONSUMER, False),
        ("PT", "9000-001", "", Check.NONE, "lago_eu_pt_exception_madeira", Basis.TERRITORY, False),
        # Those of France are for companies alone.
        ("FR", "97412", "", Check.NONE, "lago_eu_fr_standard", Basis.CONSUMER, False),
        ("FR", "97412", "FR40303265045", Check.VALID, "lago_eu_fr_exception_reunion", Basis.TERRITORY, False),
        ("DE", "97412", "", Check.NONE, "lago_eu_de_standard", Basis.CONSUMER, False),
    ],
)
def test_decide(country: str, zipcode: str, number: str, check: Check, code: str, basis: Basis, waits: bool) -> None:
    facts = Facts(seller_country="FR", country=country, zipcode=zipcode, number=number, check=check)
    found = eu_vat.decide(facts=facts, territories=TERRITORIES)
    assert (found.code, found.basis, found.is_provisional) == (code, basis, waits)


@pytest.mark.parametrize(
    ("number", "country", "expected"),
    [
        ("", "DE", ""),
        ("DE 136 695 976", "", "DE136695976"),
        ("136695976", "DE", "DE136695976"),
        ("el 123456783", "GR", "EL123456783"),
        ("GR123456783", "", "EL123456783"),
        ("123456783", "GR", "EL123456783"),
        ("FR.40-303.265/045", "", "FR40303265045"),
        ("CHE-123.456.788", "CH", ""),
        ("12-3456789", "US", ""),
        ("IT<script>", "IT", ""),
    ],
)
def test_normalized(number: str, country: str, expected: str) -> None:
    assert eu_vat.normalized(number, country=country) == expected


def test_country_of_a_greek_number_is_the_iso_code() -> None:
    assert eu_vat.country_of("EL123456783") == "GR"


@pytest.mark.parametrize("country", ["US", "", "GB", "MC"])
def test_a_seller_outside_the_eu_is_refused(country: str) -> None:
    with pytest.raises(eu_vat.NotInEu) as refused:
        eu_vat.demand_in_eu(country)
    assert refused.value.details == {"eu_tax_management": ["billing_entity_must_be_in_eu"]}


_COUNTRIES = st.sampled_from([*sorted(tax_ids.EU), "US", "GB", "CH", "MC", ""])


@given(
    seller=st.sampled_from(sorted(tax_ids.EU)), country=_COUNTRIES, zipcode=st.from_regex(r"[0-9]{0,5}", fullmatch=True)
)
def test_no_number_no_reverse_charge(seller: str, country: str, zipcode: str) -> None:
    for check in (Check.NONE, Check.INVALID):
        facts = Facts(seller_country=seller, country=country, zipcode=zipcode, number="", check=check)
        found = eu_vat.decide(facts=facts, territories=TERRITORIES)
        assert found.code != vat_rates.REVERSE_CHARGE
        assert vat_rates.is_managed(found.code)
        assert not found.is_provisional

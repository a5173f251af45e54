"""Addresses in the order of their country."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain.document_addresses import Address


@pytest.mark.parametrize(
    ("country", "state", "expected"),
    [
        ("DE", "", ("Main 1", "10969 Town")),
        ("FR", "", ("Main 1", "10969 Town")),
        ("US", "CA", ("Main 1", "Town, CA 10969")),
        ("US", "", ("Main 1", "Town, 10969")),
        ("AU", "NSW", ("Main 1", "Town NSW 10969")),
        ("GB", "", ("Main 1", "Town", "10969")),
        ("IT", "RM", ("Main 1", "10969 Town RM")),
        ("BR", "SP", ("Main 1", "Town - SP", "10969")),
        ("JP", "Tokyo", ("Main 1", "Town, Tokyo 10969")),
        ("", "", ("Main 1", "10969 Town")),
    ],
)
def test_the_order_of_the_town_line(country: str, state: str, expected: tuple[str, ...]) -> None:
    address = Address(address_line1="Main 1", zipcode="10969", city="Town", state=state, country=country)
    assert address.lines() == expected


@pytest.mark.parametrize("country", ["US", "GB", "DE", "BR", "JP", "IT"])
def test_what_is_missing_leaves_no_trace(country: str) -> None:
    assert Address(country=country).lines() == ()
    assert Address(country=country).is_empty
    assert Address(country=country, city="Town").lines() == ("Town",)
    assert Address(country=country, address_line2="  Floor 2 ").lines() == ("Floor 2",)


@given(
    city=st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=20),
    country=st.sampled_from(["US", "GB", "DE", "BR", "XX", ""]),
)
def test_any_text_can_be_a_town(city: str, country: str) -> None:
    lines = Address(city=city, zipcode="1", country=country).lines()
    assert all(line == line.strip() and line for line in lines)
    assert "1" in " ".join(lines)

"""The usual time zone of a country."""

from __future__ import annotations

import zoneinfo

import pytest

from customers.domain import profiles, time_zones


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("DE", "Europe/Berlin"),  # Büsingen has one of its own
        ("US", "America/New_York"),
        ("FR", "Europe/Paris"),
        ("NO", "Europe/Oslo"),
        ("AQ", ""),  # several, none usual
        ("", ""),
        ("XX", ""),
    ],
)
def test_the_usual_zone(country: str, zone: str) -> None:
    assert time_zones.usual(country) == zone


def test_every_usual_zone_is_known() -> None:
    found = {zone for country in profiles.countries() if (zone := time_zones.usual(country))}
    assert len(found) > 150
    assert found <= zoneinfo.available_timezones()


@pytest.mark.parametrize(
    ("account", "is_right"),
    [
        ("DE02120300000000202051", True),
        ("de02 1203 0000 0000 2020 51", True),
        ("DE03120300000000202051", False),  # a check digit is wrong
        ("DE0212030000000020205", False),  # a digit is missing
        ("XX02120300000000202051", False),
        ("4820 0093 6671", True),  # no IBAN: accounts of other countries are written as they are
        ("000123456789", True),
    ],
)
def test_what_looks_like_an_iban_is_one(account: str, is_right: bool) -> None:
    assert profiles.check({"iban": account}) == ({} if is_right else {"iban": ["value_is_invalid"]})

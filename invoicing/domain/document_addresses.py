"""Postal addresses as the country of the address writes them.

Owns the order of the parts. Whether a name stands above and a country below is the caller's business.
"""

from __future__ import annotations

from dataclasses import dataclass

# Patterns of the line with the town; parts that are missing leave no trace. Where the pattern has a bar, lines follow.
_TOWN = {
    "US": "{city}, {state} {zipcode}",
    "CA": "{city}, {state} {zipcode}",
    "AU": "{city} {state} {zipcode}",
    "NZ": "{city} {zipcode}",
    "GB": "{city}|{state}|{zipcode}",
    "IE": "{city}|{state}|{zipcode}",
    "IN": "{city} {zipcode}|{state}",
    "SG": "{city} {zipcode}",
    "JP": "{city}, {state} {zipcode}",
    "KR": "{city}, {state} {zipcode}",
    "CN": "{city}, {state} {zipcode}",
    "BR": "{city} - {state}|{zipcode}",
    "MX": "{zipcode} {city}, {state}",
    "IT": "{zipcode} {city} {state}",
    "ES": "{zipcode} {city}|{state}",
}
_USUAL_TOWN = "{zipcode} {city}|{state}"


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address; `country` is the ISO 3166-1 alpha-2 code, any part may be empty."""

    address_line1: str = ""
    address_line2: str = ""
    zipcode: str = ""
    city: str = ""
    state: str = ""
    country: str = ""

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to write, a country alone not counting."""
        return not self.lines()

    def lines(self) -> tuple[str, ...]:
        """Return the lines in the order of the country, without the country itself; empty lines are left out."""
        town = _TOWN.get(self.country.upper(), _USUAL_TOWN)
        parts = {"city": self.city, "state": self.state, "zipcode": self.zipcode}
        written = [_line(pattern, parts) for pattern in town.split("|")]
        return tuple(line for line in (self.address_line1.strip(), self.address_line2.strip(), *written) if line)


def _line(pattern: str, parts: dict[str, str]) -> str:
    text = pattern.format(**{name: " ".join(value.split()) for name, value in parts.items()})
    return " ".join(text.split()).strip(" ,-").replace(" ,", ",")

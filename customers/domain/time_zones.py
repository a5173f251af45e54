"""The time zone that a company of a country usually keeps its days in. Owns the choice where a country has several."""

from __future__ import annotations

from babel.core import get_global

# Where most people and businesses are.
_OF_SEVERAL = {
    "AR": "America/Argentina/Buenos_Aires",
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia",
    "DE": "Europe/Berlin",
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "US": "America/New_York",
    "UZ": "Asia/Tashkent",
    "VN": "Asia/Ho_Chi_Minh",
}


def usual(country: str) -> str:
    """Return the time zone of an ISO country code; empty text where it has several of which none is usual, or none."""
    if country in _OF_SEVERAL:
        return _OF_SEVERAL[country]
    found = [zone for zone, code in get_global("zone_territories").items() if code == country and "/" in zone]
    return found[0] if len(found) == 1 else ""

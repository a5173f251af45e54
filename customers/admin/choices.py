"""What forms of customers and sellers let people choose from: languages, time zones, countries, currencies."""

from __future__ import annotations

import functools
import zoneinfo

from babel import Locale

from config.kernel import money
from customers.domain import profiles

Choices = list[tuple[str, str]]


@functools.cache
def countries() -> Choices:
    """Countries by name."""
    names = Locale.parse("en").territories
    found = [(code, f"{names.get(code, code)} ({code})") for code in profiles.countries()]
    return [("", "–"), *sorted(found, key=lambda pair: pair[1])]


@functools.cache
def timezones() -> Choices:
    """Time zones of the world, those named by continent and city."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]


def currencies() -> Choices:
    """Currencies that can be invoiced in."""
    return [(code, code) for code in money.currencies()]


def languages() -> Choices:
    """Languages of documents."""
    names = Locale.parse("en").languages
    found = ((code, names.get(code.partition("-")[0], code)) for code in profiles.LOCALES)
    return [(code, name if "-" not in code else f"{name} ({code})") for code, name in found]


def inherited(choices: Choices, words: str) -> Choices:
    """The choices with "as the billing entity" before them."""
    return [("", words), *choices]

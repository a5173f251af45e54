"""What the particulars of a customer or seller must look like. Owns the checks that one value can be given alone.

Each check gives the code that API clients know, under the name of the field. Empty values are always fine here: whether
something may be missing is asked elsewhere.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any

from babel import Locale
from stdnum import iban

from config.kernel import dates, errors, money

LOCALES = ("en", "fr", "de", "es", "it", "nb", "pt-BR", "sv", "zh-TW")
MAX_DAYS = 3650
"""The longest payment term and grace period: beyond that a date is a typing error."""

# One address, printable, without anything that could open another header or recipient.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_URL = re.compile(r"https?://[^\s<>\"'\\]{1,250}", re.IGNORECASE)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_LIKE_IBAN = re.compile(r"[A-Za-z]{2}[0-9]{2}")
_NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})


def emails(text: str) -> tuple[str, ...]:
    """Split a list of e-mail addresses with commas between them; empty places are left out. Checks nothing."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def check(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return codes by field for everything in these values that is not what its field wants."""
    details = {}
    for field, value in values.items():
        test = _TESTS.get(field)
        if test is not None and value not in ("", None) and not test[0](value):
            details[field] = [test[1]]
    return details


def demand(values: Mapping[str, Any]) -> None:
    """Raise Invalid with what `check` finds, if anything."""
    details = check(values)
    if details:
        raise errors.Invalid("validation_errors", f"Please check: {', '.join(details)}.", details)


@functools.cache
def countries() -> frozenset[str]:
    """Return the ISO 3166-1 alpha-2 codes of all countries."""
    codes = (str(code) for code in Locale("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES)


def _is_timezone(name: str) -> bool:
    try:
        dates.zone(name)
    except errors.Invalid:
        return False
    return True


def _is_account(text: str) -> bool:
    """Accounts are written in many ways; only what begins as an IBAN does has to be one, with its check digits."""
    return not _LIKE_IBAN.match(text.strip()) or bool(iban.is_valid(text))


def _are_emails(text: str) -> bool:
    found = emails(text)
    return bool(found) and all(_EMAIL.fullmatch(address) for address in found)


_TESTS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "currency": (money.known, "value_is_invalid"),
    "default_currency": (money.known, "value_is_invalid"),
    "country": (lambda code: code in countries(), "not_a_valid_country_code"),
    "timezone": (_is_timezone, "invalid_timezone"),
    "document_locale": (lambda name: name in LOCALES, "not_a_valid_language_code"),
    "email": (_are_emails, "invalid_email_format"),
    "url": (lambda url: _URL.fullmatch(url) is not None, "url_is_invalid"),
    "logo_url": (lambda url: _URL.fullmatch(url) is not None, "url_is_invalid"),
    "iban": (_is_account, "value_is_invalid"),
    "accent_color": (lambda color: _COLOR.fullmatch(color) is not None, "value_is_invalid"),
    "net_payment_term": (lambda days: 0 <= days <= MAX_DAYS, "value_is_out_of_range"),
    "invoice_grace_period": (lambda days: 0 <= days <= MAX_DAYS, "value_is_out_of_range"),
}

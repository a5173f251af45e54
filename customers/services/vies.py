"""Asking the EU's register about VAT numbers (VIES). Owns the question over the network and the choice of who is asked.

What is asked when, and what follows from an answer, is `vat_checks`'. Nothing here touches the database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
from django.conf import settings
from django.utils.module_loading import import_string

from customers.domain import tax_ids

REGISTER = "the VAT register of the EU"
BY_FORM = "the form of the number"

_SECONDS = 10
_LONGEST = 64_000
_NAME, _ADDRESS, _REFERENCE = 512, 2000, 64
# What the register says where it does not know now; everything else that it says is an answer.
_ANSWERS = {"VALID": True, "INVALID": False, "INVALID_INPUT": False}


class Unavailable(Exception):
    """There is no answer now: the register, that of the country or the way to it is down or busy."""


@dataclass(frozen=True)
class Answer:
    """What the register knows. ``reference`` is its own of the question; name and address may be withheld."""

    is_valid: bool
    name: str = ""
    address: str = ""
    reference: str = ""
    told_by: str = REGISTER


Checker = Callable[..., Answer]
"""A checker is called with ``number=`` (normalized) and ``at=``, and returns an Answer or raises Unavailable."""


def checker() -> Checker | None:
    """Return whoever the setting VIES_CHECKER names, None where numbers are judged by their form alone."""
    path = settings.VIES_CHECKER
    return import_string(path) if path else None


def by_form(*, number: str, at: datetime) -> Answer:
    """Judge a number by its form: check digits included, but nobody knows whether it is registered."""
    return Answer(is_valid=not tax_ids.warning(number=number, country=""), told_by=BY_FORM)


def ask(*, number: str, at: datetime) -> Answer:
    """Ask the register of the EU about a normalized number. Raises Unavailable.

    A number of the wrong form is not valid, and nobody is asked. Needs some seconds at most.
    """
    if tax_ids.warning(number=number, country=""):
        return Answer(is_valid=False, told_by=BY_FORM)
    url = f"{settings.VIES_URL.rstrip('/')}/ms/{number[:2]}/vat/{number[2:]}"
    try:
        response = httpx.get(url, timeout=_SECONDS, headers={"Accept": "application/json"}, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"no connection: {type(error).__name__}") from error
    return _read(response)


def _read(response: httpx.Response) -> Answer:
    if response.status_code != httpx.codes.OK or len(response.content) > _LONGEST:
        raise Unavailable(f"HTTP status {response.status_code}")
    try:
        content = response.json()
    except ValueError as error:
        raise Unavailable("an answer that is no JSON") from error
    said = content.get("userError") if isinstance(content, dict) else None
    if said not in _ANSWERS or bool(content.get("isValid")) is not _ANSWERS[said]:
        # Not known, busy, blocked: never the same as not valid.
        raise Unavailable(str(said or "an answer that says nothing")[:100])
    return Answer(
        is_valid=_ANSWERS[said],
        name=_text(content.get("name"), _NAME),
        address=_text(content.get("address"), _ADDRESS),
        reference=_text(content.get("requestIdentifier"), _REFERENCE),
    )


def _text(value: object, longest: int) -> str:
    """Return a text of the answer; the register writes dashes for what it withholds."""
    return "" if not isinstance(value, str) or value.strip("- ") == "" else value.strip()[:longest]

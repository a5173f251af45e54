"""The legal texts that documents carry where no tax is charged, by language: data that comes with the product."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path

from catalog.domain import vat_rates

PATH = Path(__file__).resolve().parents[1] / "data" / "tax_notes.json"
EXEMPT, CERTIFICATE = "exempt", "certificate"
_OTHER = "other"


def text(*, key: str, locale: str) -> str:
    """Return a text in a language, in English where it has none in that; empty for a key without a text."""
    found = _texts().get(key, {})
    return found.get(locale) or found.get(locale.partition("-")[0]) or found.get("en", "")


def exemption(*, reason: str, locale: str) -> str:
    """Return why a customer is exempt, in a language: the reason is one of those that exemptions have."""
    why = text(key=f"{EXEMPT}_{reason}", locale=locale)
    return why if reason == _OTHER else text(key=EXEMPT, locale=locale).replace("{reason}", why)


def of_tax(*, code: str, is_nothing: bool, locale: str) -> str:
    """Return the text for a tax that the product or an engine keeps; empty where it needs none."""
    if "_exception_" in code and vat_rates.is_managed(code):
        return text(key="territory", locale=locale) if is_nothing else ""
    return text(key=code, locale=locale)


@functools.cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = json.loads(PATH.read_text(encoding="utf-8"))
    return found

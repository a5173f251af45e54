"""Why no tax is charged, as documents say it: in every language, for every reason."""

from __future__ import annotations

import pytest

from catalog.queries import tax_notes
from customers.domain import profiles
from customers.models import TaxExemption


@pytest.mark.parametrize("locale", profiles.LOCALES)
def test_every_reason_is_told_in_every_language(locale: str) -> None:
    found = [tax_notes.exemption(reason=reason, locale=locale) for reason in TaxExemption.Reason.values]
    assert len(set(found)) == len(found)
    for reason, words in zip(TaxExemption.Reason.values, found, strict=True):
        assert words
        assert "{" not in words
        if locale != "en":
            assert words != tax_notes.exemption(reason=reason, locale="en")


@pytest.mark.parametrize(
    ("reason", "locale", "words"),
    [
        ("diplomatic", "en", "Exempt from tax: diplomatic or consular mission."),
        ("diplomatic", "de", "Steuerbefreit: diplomatische oder konsularische Vertretung."),
        ("other", "fr", "Exonéré de taxe."),
    ],
)
def test_the_words(reason: str, locale: str, words: str) -> None:
    assert tax_notes.exemption(reason=reason, locale=locale) == words

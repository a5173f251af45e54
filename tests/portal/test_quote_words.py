"""The words of quotes: all of them in German and French, with the placeholders of the original, and compiled."""

from __future__ import annotations

import pathlib
import re

import pytest
from babel.messages import mofile, pofile
from django.conf import settings

from billing.services import quote_document_view

BASE = pathlib.Path(settings.BASE_DIR)
FOLDER = BASE / "billing" / "locale"
COMPILE = ".venv/bin/pybabel compile -d billing/locale -D django"
_IN_CODE = re.compile(r'pgettext(?:_lazy)?\(\s*"quote",\s*"([^"]+)"\s*,?\s*\)')
_IN_TEMPLATE = re.compile(r'{% translate "([^"]+)" context "quote" %}')
_BLOCK = re.compile(r'{% blocktranslate [^%]*context "quote" trimmed %}(.*?){% endblocktranslate %}', re.DOTALL)
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def used() -> set[str]:
    """Every word that documents, e-mails and pages of quotes ask for."""
    found: set[str] = set()
    for folder in ("services", "portal"):
        for path in (BASE / "billing" / folder).glob("quote*.py"):
            found |= set(_IN_CODE.findall(path.read_text(encoding="utf-8")))
    for folder in ("documents", "email", "portal"):
        for path in (BASE / "templates" / folder).glob("quote*"):
            text = path.read_text(encoding="utf-8")
            found |= set(_IN_TEMPLATE.findall(text))
            found |= {re.sub(r"{{ (\w+) }}", r"%(\1)s", " ".join(words.split())) for words in _BLOCK.findall(text)}
    return found


def test_quotes_are_written_in_the_languages_that_have_words() -> None:
    assert {"en", *(path.name for path in FOLDER.iterdir())} == quote_document_view.SPOKEN


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_word_is_translated_and_compiled(language: str) -> None:
    folder = FOLDER / language / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as file:
        source = {message.id: message for message in pofile.read_po(file) if message.id}
    with (folder / "django.mo").open("rb") as file:
        compiled = {message.id: message.string for message in mofile.read_mo(file) if message.id}

    assert len(source) > 150
    assert used() - source.keys() == set()
    assert source.keys() - used() == set()
    assert compiled == {key: message.string for key, message in source.items()}, f"run {COMPILE}"
    for message in source.values():
        assert message.context == "quote"
        assert message.string
        assert set(_PLACEHOLDER.findall(message.string)) == set(_PLACEHOLDER.findall(message.id))

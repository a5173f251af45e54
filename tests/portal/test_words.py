"""The words of the portal: all of them in German and French, with the placeholders of the original, and compiled."""

from __future__ import annotations

import pathlib
import re

import pytest
from babel.messages import mofile, pofile
from django.conf import settings

BASE = pathlib.Path(settings.BASE_DIR)
FOLDER = BASE / "config" / "platform" / "locale"
COMPILE = ".venv/bin/pybabel compile -d config/platform/locale -D django"
_IN_CODE = re.compile(r'pgettext(?:_lazy)?\(\s*"portal",\s*"([^"]+)"')
_IN_TEMPLATE = re.compile(r'{% translate "([^"]+)" context "portal" %}')


def used() -> set[str]:
    """Every word that the pages ask for."""
    found: set[str] = set()
    for folder in ("config/platform/portal", "customers/portal", "invoicing/portal", "billing/portal"):
        for path in (BASE / folder).rglob("*.py"):
            found |= set(_IN_CODE.findall(path.read_text(encoding="utf-8")))
    for path in (BASE / "templates" / "portal").iterdir():
        found |= set(_IN_TEMPLATE.findall(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("language", ["de", "fr"])
def test_every_word_is_translated_and_compiled(language: str) -> None:
    folder = FOLDER / language / "LC_MESSAGES"
    with (folder / "django.po").open("rb") as file:
        source = {message.id: message for message in pofile.read_po(file) if message.id}
    with (folder / "django.mo").open("rb") as file:
        compiled = {message.id: message.string for message in mofile.read_mo(file) if message.id}

    assert len(source) > 80
    assert source.keys() == used()
    assert compiled == {key: message.string for key, message in source.items()}, f"run {COMPILE}"
    for message in source.values():
        assert message.context == "portal"
        assert set(re.findall(r"\{\w+\}", message.string)) == set(re.findall(r"\{\w+\}", message.id))

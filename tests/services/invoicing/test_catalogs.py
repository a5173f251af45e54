"""The catalogues of words: complete in every language, with the placeholders of the original, and compiled."""

import pathlib
import re

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from django.conf import settings

from invoicing.domain import document_language

LANGUAGES = ["de", "es", "fr", "it", "nb", "pt_BR", "sv", "zh_Hant"]
COMPILE = ".venv/bin/pybabel compile -d locale -D django"

_FOLDER = pathlib.Path(settings.BASE_DIR) / "locale"
_IN_CODE = re.compile(r'pgettext\(\s*"(document|email)",\s*"([^"]+)"')
_IN_TEMPLATE = re.compile(r'{% translate "([^"]+)" context "(document|email)" %}')
_BLOCK = re.compile(
    r'{% blocktranslate [^%]*context "(document|email)" trimmed %}(.*?){% endblocktranslate %}', re.DOTALL
)
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+\}")


def used() -> set[tuple[str, str]]:
    """Every word that documents and e-mails ask for, with its context."""
    found: set[tuple[str, str]] = set()
    for path in (pathlib.Path(settings.BASE_DIR) / "invoicing").rglob("*.py"):
        found |= set(_IN_CODE.findall(path.read_text(encoding="utf-8")))
    for folder in ("documents", "email"):
        for path in (pathlib.Path(settings.BASE_DIR) / "templates" / folder).iterdir():
            text = path.read_text(encoding="utf-8")
            found |= {(context, word) for word, context in _IN_TEMPLATE.findall(text)}
            for context, words in _BLOCK.findall(text):
                found.add((context, re.sub(r"{{ (\w+) }}", r"%(\1)s", " ".join(words.split()))))
    return found


def catalog(language: str) -> Catalog:
    with (_FOLDER / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        return pofile.read_po(file)


def test_every_language_of_documents_has_a_catalogue() -> None:
    folders = {path.name for path in _FOLDER.iterdir() if path.is_dir()}
    assert folders == set(LANGUAGES)
    wanted = {code for code in document_language.TRANSLATED.values() if code != "en"}
    assert {name.lower().replace("_", "-") for name in LANGUAGES} == wanted
    assert wanted <= {code for code, _ in settings.LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated(language: str) -> None:
    words = used()
    assert len(words) > 50
    known = {(message.context, message.id): message for message in catalog(language) if message.id}
    assert words - set(known) == set()
    assert set(known) - words == set()
    for message in known.values():
        assert message.string
        assert not message.fuzzy
        assert set(_PLACEHOLDER.findall(message.string)) == set(_PLACEHOLDER.findall(message.id))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_up_to_date(language: str) -> None:
    with (_FOLDER / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        messages = [message for message in mofile.read_mo(file) if message.id]
    compiled = {((message.context or b"").decode(), message.id): message.string for message in messages}
    source = {(message.context, message.id): message.string for message in catalog(language) if message.id}
    assert compiled == source, f"run {COMPILE}"

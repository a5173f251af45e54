"""The language of a document: which catalogue its words come from and which conventions its figures follow.

Owns the choice only; words are in the catalogues under `locale/`, figures in `document_formats`.
"""

from __future__ import annotations

from dataclasses import dataclass

import babel

# The languages that documents are written in: the translator's code by ISO 639-1 code.
TRANSLATED = {
    "en": "en",
    "de": "de",
    "fr": "fr",
    "es": "es",
    "it": "it",
    "nb": "nb",
    "no": "nb",
    "pt": "pt-br",
    "sv": "sv",
    "zh": "zh-hant",
}
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """`code` names the catalogue of words ("pt-br"), `conventions` the CLDR locale of dates and figures ("pt_BR")."""

    code: str
    conventions: str


def choose(*, locale: str, seller_country: str) -> Language:
    """Choose the language for a locale such as "de", "pt-BR" or "en_GB"; English where there are no words for it.

    A region that the locale names decides about dates and figures. English without one follows the seller: American
    conventions in the United States and where the country is unknown, British ones elsewhere, because 05/06 must not be
    read in two ways by neighbours.
    """
    name, _, region = locale.strip().replace("-", "_").partition("_")
    name = name.lower()
    if name not in TRANSLATED:
        name, region = DEFAULT, ""
    code = TRANSLATED[name]
    language = code.partition("-")[0]
    if not region:
        region = _usual_region(language, seller_country)
    return Language(code=code, conventions=_known(language, region.upper()))


def _usual_region(language: str, seller_country: str) -> str:
    if language == "en":
        return "US" if seller_country.upper() in {"", "US"} else "GB"
    return {"pt": "BR", "zh": "TW"}.get(language, "")


def _known(language: str, region: str) -> str:
    name = f"{language}_{region}" if region else language
    try:
        babel.Locale.parse(name)
    except (ValueError, babel.UnknownLocaleError):
        return language
    return name

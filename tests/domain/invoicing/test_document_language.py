"""Which language and which conventions a document gets."""

import pytest

from invoicing.domain import document_language


@pytest.mark.parametrize(
    ("locale", "country", "code", "conventions"),
    [
        ("de", "DE", "de", "de"),
        ("de", "US", "de", "de"),
        ("de-CH", "CH", "de", "de_CH"),
        ("de_AT", "AT", "de", "de_AT"),
        ("fr-CA", "CA", "fr", "fr_CA"),
        ("pt-BR", "BR", "pt-br", "pt_BR"),
        ("pt", "PT", "pt-br", "pt_BR"),
        ("no", "NO", "nb", "nb"),
        ("en", "US", "en", "en_US"),
        ("en", "", "en", "en_US"),
        ("en", "DE", "en", "en_GB"),
        ("en-US", "DE", "en", "en_US"),
        ("zh-TW", "US", "zh-hant", "zh_TW"),
        # Words exist in nine languages; for any other both words and figures are English.
        ("ja", "JP", "en", "en_GB"),
        ("", "GB", "en", "en_GB"),
        ("../../x", "GB", "en", "en_GB"),
        ("de-XX", "DE", "de", "de"),
        ("de-../..", "DE", "de", "de"),
    ],
)
def test_the_language_of_a_locale(locale: str, country: str, code: str, conventions: str) -> None:
    chosen = document_language.choose(locale=locale, seller_country=country)
    assert (chosen.code, chosen.conventions) == (code, conventions)

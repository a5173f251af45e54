"""Particulars of customers and sellers: what passes and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.kernel import errors
from customers.domain import profiles


@pytest.mark.parametrize(
    ("field", "good", "bad", "code"),
    [
        ("currency", ["EUR", "JPY", "BHD"], ["eur", "XXX", "EURO", " EUR"], "value_is_invalid"),
        ("country", ["DE", "US", "GB", "XK"], ["de", "EU", "UK", "ZZ", "DEU"], "not_a_valid_country_code"),
        ("timezone", ["UTC", "Europe/Berlin"], ["Berlin", "europe/berlin", "/etc/localtime"], "invalid_timezone"),
        ("document_locale", ["en", "pt-BR"], ["EN", "pt-br", "english"], "not_a_valid_language_code"),
        (
            "email",
            ["a@b.test", "a.b+c@d-e.test, x@y.test", "O'Neil@acme.test"],
            ["a", "a@b", "a@b.test;c@d.test", "A <a@b.test>", "a@b.test\r\nBcc: x@y.test", "a@-.test\x00", ","],
            "invalid_email_format",
        ),
        (
            "url",
            ["https://acme.test", "HTTP://acme.test/?a=b#c"],
            ["acme.test", "ftp://x", "javascript:x"],
            "url_is_invalid",
        ),
        ("accent_color", ["#4f46e5", "#FFFFFF"], ["4f46e5", "#fff", "red;"], "value_is_invalid"),
        ("net_payment_term", [0, 30, 3650], [-1, 3651], "value_is_out_of_range"),
        ("invoice_grace_period", [0, 3650], [-1, 10**9], "value_is_out_of_range"),
    ],
)
def test_each_field(field: str, good: list[object], bad: list[object], code: str) -> None:
    assert [profiles.check({field: value}) for value in good] == [{}] * len(good)
    assert [profiles.check({field: value}) for value in bad] == [{field: [code]}] * len(bad)


@pytest.mark.parametrize("empty", ["", None])
def test_nothing_is_always_fine(empty: object) -> None:
    assert profiles.check(dict.fromkeys(["currency", "country", "email", "net_payment_term"], empty)) == {}


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(errors.Invalid) as refused:
        profiles.demand({"currency": "X", "country": "X", "name": "X"})
    assert refused.value.details == {"currency": ["value_is_invalid"], "country": ["not_a_valid_country_code"]}
    profiles.demand({"name": "X"})


def test_addresses_are_split_at_commas() -> None:
    assert profiles.emails(" a@b.test,, c@d.test ,") == ("a@b.test", "c@d.test")
    assert profiles.emails("") == ()


@given(st.text(max_size=40))
def test_no_text_breaks_the_checks_and_no_line_break_passes(text: str) -> None:
    for field in ("currency", "country", "timezone", "document_locale", "email", "url", "accent_color"):
        found = profiles.check({field: text})
        assert not ("\n" in text and text.strip(" ") and found == {})

"""What a log may keep of a body."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.platform.services import redaction

JSON = "application/json"


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        ({"token": "t", "Password": "p", "x": 1}, {"token": "[hidden]", "Password": "[hidden]", "x": 1}),
        ({"a": [{"iban": "DE1"}, {"bank_name": "B"}]}, {"a": [{"iban": "[hidden]"}, {"bank_name": "[hidden]"}]}),
        (
            {"hmac_key": "k", "client_secret": "s", "my_token": 1},
            dict.fromkeys(("hmac_key", "client_secret", "my_token"), "[hidden]"),
        ),
        ({"EMAIL": "a@b", "emails": 1}, {"EMAIL": "[hidden]", "emails": 1}),
        ({"secret": {"deep": [1]}}, {"secret": "[hidden]"}),
        ({"token": None, "password": ""}, {"token": None, "password": ""}),
        ({"pricing_group_keys": ["a"], "code": "k"}, {"pricing_group_keys": ["a"], "code": "k"}),
        ({"file_url": "https://x/api/v1/files/tok/1.pdf"}, {"file_url": "[hidden]"}),
        ([1, "x"], [1, "x"]),
    ],
)
def test_what_is_hidden(content: Any, kept: Any) -> None:
    shown = redaction.shown(json.dumps(content).encode(), content_type=JSON, hidden=["email"])
    assert json.loads(shown) == kept


@pytest.mark.parametrize(
    ("raw", "content_type", "kept"),
    [
        (b"", JSON, ""),
        (b"  ", JSON, ""),
        (b"{password: 1}", JSON, "[no JSON, 13 bytes]"),
        (b'{"password": "\xff"}', JSON, "[no JSON, 17 bytes]"),
        (b"%PDF-1.7", "application/pdf", "[application/pdf, 8 bytes]"),
        (b"a,b", "text/csv; charset=utf-8", "[text/csv, 3 bytes]"),
        (b"[" * 100_000, JSON, "[no JSON, 100000 bytes]"),
    ],
)
def test_of_anything_but_json_only_its_length_is_kept(raw: bytes, content_type: str, kept: str) -> None:
    assert redaction.shown(raw, content_type=content_type, hidden=[]) == kept


def test_a_long_body_is_cut_between_characters() -> None:
    shown = redaction.shown(json.dumps({"x": "ü" * 40_000}).encode(), content_type=JSON, hidden=[])
    assert redaction.LONGEST - 1 <= len(shown.encode()) <= redaction.LONGEST
    assert shown.endswith("ü")


@given(
    st.recursive(
        st.none() | st.integers() | st.just("geheim"),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "x_token"]), inner, max_size=3)
        ),
    )
)
def test_nothing_below_a_secret_is_left(content: Any) -> None:
    shown = redaction.redacted({"secret": ["geheim"], "password": {"a": content}, "rest": 1}, hidden=[])
    assert shown == {"secret": "[hidden]", "password": "[hidden]" if {"a": content} else content, "rest": 1}

"""The text that can be read on a seller's colour."""

from __future__ import annotations

import pytest

from customers.domain import accents


@pytest.mark.parametrize(
    ("color", "text"),
    [
        ("#000000", "#ffffff"),
        ("#ffffff", "#000000"),
        ("#4f46e5", "#ffffff"),
        ("#ffcc00", "#000000"),
        ("#00aa55", "#ffffff"),
        ("nonsense", "#ffffff"),
        ("", "#ffffff"),
    ],
)
def test_text_on_a_color(color: str, text: str) -> None:
    assert accents.text_on(color) == text


@pytest.mark.parametrize(
    ("given", "kept"), [("#FFCC00", "#FFCC00"), ("red", accents.DEFAULT), ("#fff;}", accents.DEFAULT)]
)
def test_only_colors_are_kept(given: str, kept: str) -> None:
    assert accents.checked(given) == kept

"""By which properties units are broken down for show."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.domain.pricing import presentation
from catalog.domain.pricing.presentation import InvalidPresentation, PresentationKey


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (None, ()),
        ([], ()),
        (["region"], (PresentationKey("region"),)),
        (["region", "team"], (PresentationKey("region"), PresentationKey("team"))),
        ([{"value": "region"}], (PresentationKey("region"),)),
        ([{"value": "region", "options": {}}], (PresentationKey("region"),)),
        ([{"value": "region", "options": {"display_in_invoice": None}}], (PresentationKey("region"),)),
        (
            [{"value": "region", "options": {"display_in_invoice": True}}, "team"],
            (PresentationKey("region", display_in_invoice=True), PresentationKey("team")),
        ),
    ],
)
def test_reads(given: Any, keys: tuple[PresentationKey, ...]) -> None:
    assert presentation.parse({presentation.KEY: given}) == keys
    assert presentation.parse({presentation.KEY: presentation.written(keys)}) == keys


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("region", "invalid_type"),
        ({"value": "region"}, "invalid_type"),
        ([1], "invalid_type"),
        ([""], "invalid_type"),
        (["x" * 256], "invalid_type"),
        (["a\x00"], "invalid_type"),
        ([None], "invalid_type"),
        ([{}], "invalid_type"),
        ([{"value": 1}], "invalid_type"),
        ([{"value": "region", "options": "all"}], "invalid_type"),
        ([{"value": "region", "options": {"display_in_invoice": "yes"}}], "invalid_type"),
        (["a", "b", "c"], "too_many_keys"),
        (["a", {"value": "a"}], "value_is_duplicated"),
    ],
)
def test_refuses(given: Any, code: str) -> None:
    with pytest.raises(InvalidPresentation) as refusal:
        presentation.parse({presentation.KEY: given})
    assert refusal.value.details == {"properties": [code]}

"""Tax numbers: what looks right, what looks wrong, and what cannot be told."""

from __future__ import annotations

import pytest

from customers.domain import tax_ids


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("", "DE"),
        ("DE136695976", "DE"),
        ("de 136 695 976", "DE"),
        ("136695976", "DE"),
        ("DE136695976", ""),
        ("FR40303265045", "US"),
        ("EL094259216", "GR"),
        ("094259216", "GR"),
        ("GB980780684", "GB"),
        ("anything", ""),
        ("anything", "ZZ"),
    ],
)
def test_nothing_to_say(number: str, country: str) -> None:
    assert tax_ids.warning(number=number, country=country) == ""


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("DE136695977", "DE"),
        ("DE136695977", ""),
        ("nonsense", "DE"),
        ("FR1", "FR"),
        ("GB1", "GB"),
        ("nonsense", "JP"),
        ("x" * 500, "DE"),
    ],
)
def test_a_warning(number: str, country: str) -> None:
    assert tax_ids.warning(number=number, country=country).startswith("This does not look like a")

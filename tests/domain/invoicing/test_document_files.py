"""Names of document files are safe whatever an invoice number looks like."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain import document_files


def test_usual_numbers_name_their_file() -> None:
    path = document_files.path(year=2026, entity_id=7, entity_code="acme", number="ACME-202605-001", suffix="pdf")
    assert path == "invoices/2026/7-acme/ACME-202605-001.pdf"


@pytest.mark.parametrize(
    "number", ["../../etc/passwd", "a/b", "a\\b", "a\nb", "..", "a.b", "ä", "\x00", " a", "x" * 300]
)
def test_other_numbers_are_made_safe(number: str) -> None:
    stem = document_files.stem(number)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", stem)


@given(st.text(max_size=100), st.text(max_size=100))
def test_two_numbers_never_share_a_file(one: str, other: str) -> None:
    assert (document_files.stem(one) == document_files.stem(other)) == (one == other)

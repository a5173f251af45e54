"""Reading and writing of decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain import decimals


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10", "10"),
        ("0.050", "0.05"),
        ("-3.5", "-3.5"),
        ("-0", "0"),
        (7, "7"),
        (Decimal("1E+2"), "100"),
        ("999999999999999.999999999999999", "999999999999999.999999999999999"),
        ("1.0000000000000000000", "1"),  # zeros at the end are no decimals
        ("000123", "123"),
    ],
)
def test_plain_decimals_are_read(value: object, expected: str) -> None:
    found = decimals.read(value)
    assert found is not None
    assert decimals.text(found) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            " 1",
            "1 ",
            "+1",
            "1e3",
            "1E400",
            "NaN",
            "Infinity",
            "-inf",
            "1,5",
            "0x10",
            "1_000",
            ".5",
            "5.",
            "½",
            "١",
        ),
        *(0.1, 1.0, True, None, [], {}, b"1", Decimal("NaN"), Decimal("Infinity"), Decimal("1E+400"), 10**400),
        *("1000000000000000", "0.0000000000000001", Decimal("1E-400"), "1" * 41),
    ],
)
def test_whatever_else_is_refused(value: object) -> None:
    assert decimals.read(value) is None


def test_numbers_with_a_fraction_are_read_by_their_shortest_text_where_allowed() -> None:
    assert decimals.read_number(0.1) == Decimal("0.1")
    assert decimals.read_number("0.1") == Decimal("0.1")
    assert decimals.read_number(1e300) is None
    assert decimals.read_number(1e-9) is None  # its shortest text has an exponent
    assert decimals.read_number(float("nan")) is None


@given(st.decimals(-(10**14), 10**14, places=15))
def test_what_is_written_is_read_again(value: Decimal) -> None:
    written = decimals.text(value)
    assert decimals.read(written) == value
    assert "E" not in written

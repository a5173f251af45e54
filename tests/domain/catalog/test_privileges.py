"""Values of privileges: what is read as which type, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain import privileges
from catalog.domain.privileges import MAX_INTEGER, Definition, ValueType
from config.kernel import errors

DEFINITIONS = {
    "integer": Definition("max", ValueType.INTEGER),
    "boolean": Definition("root", ValueType.BOOLEAN),
    "string": Definition("region", ValueType.STRING),
    "select": Definition("sso", ValueType.SELECT, options=("google", "okta")),
}


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("integer", 10, 10),
        ("integer", 0, 0),
        ("integer", -3, -3),
        ("integer", "25", 25),
        ("integer", MAX_INTEGER, MAX_INTEGER),
        ("boolean", True, True),
        ("boolean", False, False),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("string", "eu-west", "eu-west"),
        ("string", 100, "100"),
        ("string", "true", "true"),
        ("select", "okta", "okta"),
    ],
)
def test_what_is_read(kind: str, raw: object, expected: object) -> None:
    found = privileges.parse(definition=DEFINITIONS[kind], value=raw)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("integer", True, "value_is_invalid"),
        ("integer", 10.0, "value_is_invalid"),
        ("integer", "10.5", "value_is_invalid"),
        ("integer", "", "value_is_invalid"),
        ("integer", "٣", "value_is_invalid"),
        ("integer", None, "value_is_invalid"),
        ("integer", [12, 13], "value_is_invalid"),
        ("integer", MAX_INTEGER + 1, "value_is_out_of_range"),
        ("integer", "9" * 40, "value_is_out_of_range"),
        ("integer", "9" * 5000, "value_is_invalid"),
        ("boolean", 1, "value_is_invalid"),
        ("boolean", "yes", "value_is_invalid"),
        ("boolean", None, "value_is_invalid"),
        ("string", True, "value_is_invalid"),
        ("string", {}, "value_is_invalid"),
        ("string", None, "value_is_invalid"),
        ("string", "  ", "value_is_mandatory"),
        ("string", "x" * 256, "value_is_too_long"),
        ("string", 10**300, "value_is_invalid"),
        ("select", "azure", "value_not_in_select_options"),
        ("select", True, "value_is_invalid"),
    ],
)
def test_what_is_refused(kind: str, raw: object, code: str) -> None:
    definition = DEFINITIONS[kind]
    with pytest.raises(errors.Invalid) as refusal:
        privileges.parse(definition=definition, value=raw)
    assert refusal.value.details == {f"{definition.code}_privilege_value": [code]}


@given(value=st.integers(min_value=-MAX_INTEGER, max_value=MAX_INTEGER))
def test_numbers_and_their_digits_are_the_same(value: int) -> None:
    one = DEFINITIONS["integer"]
    assert privileges.parse(definition=one, value=str(value)) == privileges.parse(definition=one, value=value) == value


def test_declarations() -> None:
    rows: list[dict[str, Any]] = [
        {"code": "max", "value_type": "integer"},
        {"code": "note", "name": "A note"},
        {"code": "sso", "value_type": "select", "config": {"select_options": ["google", "okta"]}},
    ]
    found = privileges.define_all(rows)
    assert [(one.code, str(one.value_type), one.name, one.options) for one in found] == [
        ("max", "integer", "", ()),
        ("note", "string", "A note", ()),
        ("sso", "select", "", ("google", "okta")),
    ]
    assert [one.config for one in found] == [{}, {}, {"select_options": ["google", "okta"]}]


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({}, "code", "value_is_mandatory"),
        ({"code": " "}, "code", "value_is_mandatory"),
        ({"code": 7}, "code", "value_is_mandatory"),
        ({"code": "x" * 256}, "code", "value_is_too_long"),
        ({"code": "a", "name": "x" * 256}, "name", "value_is_too_long"),
        ({"code": "a", "name": []}, "name", "value_is_invalid"),
        ({"code": "a", "value_type": "number"}, "value_type", "value_is_invalid"),
        ({"code": "a", "value_type": []}, "value_type", "value_is_invalid"),
        ({"code": "a", "value_type": "select"}, "config", "value_is_mandatory"),
        ({"code": "a", "value_type": "select", "config": []}, "config", "value_is_invalid"),
        ({"code": "a", "value_type": "select", "config": {"select_options": "abc"}}, "config", "value_is_mandatory"),
        ({"code": "a", "value_type": "select", "config": {"select_options": [1]}}, "config", "value_is_invalid"),
        (
            {"code": "a", "value_type": "select", "config": {"select_options": ["a", "a"]}},
            "config",
            "value_is_duplicated",
        ),
        ({"code": "a", "value_type": "integer", "config": {"select_options": ["a"]}}, "config", "value_must_be_blank"),
    ],
)
def test_wrong_declarations(row: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(errors.Invalid) as refusal:
        privileges.define(row)
    assert refusal.value.details == {f"privilege.{field}": [code]}


def test_two_privileges_of_one_code() -> None:
    with pytest.raises(errors.Invalid) as refusal:
        privileges.define_all([{"code": "max"}, {"code": "max", "value_type": "integer"}])
    assert refusal.value.details == {"privilege.code": ["value_is_duplicated"]}


def test_only_a_choice_has_options() -> None:
    with pytest.raises(ValueError, match="max"):
        Definition("max", ValueType.INTEGER, options=("a",))

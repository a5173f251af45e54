"""What can be set of features. Owns the types of values and reading them; knows no plan and no subscription."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from config.kernel import errors

MAX_INTEGER = 2**53 - 1
"""The largest number that every reader of JSON reads exactly."""

MAX_TEXT = 255
MAX_OPTIONS = 200
_DIGITS = re.compile(r"-?[0-9]{1,40}")

Value = int | str | bool


class ValueType(StrEnum):
    """What kind of value a privilege has."""

    INTEGER = "integer"
    STRING = "string"
    BOOLEAN = "boolean"
    SELECT = "select"


@dataclass(frozen=True, slots=True)
class Definition:
    """A privilege as it is declared. Only a choice has options, and it has at least one."""

    code: str
    value_type: ValueType
    name: str = ""
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.value_type == ValueType.SELECT) != bool(self.options):
            raise ValueError(f"{self.code}: {self.value_type} with options {self.options}")

    @property
    def config(self) -> dict[str, list[str]]:
        """What readers are told of it beside its type."""
        return {"select_options": list(self.options)} if self.options else {}


def define(raw: Mapping[str, Any]) -> Definition:
    """Read ``{"code", "name", "value_type", "config": {"select_options"}}``. Without a type it is a text.

    Raises Invalid with codes under ``privilege.code``, ``privilege.name``, ``privilege.value_type`` and
    ``privilege.config``.
    """
    code, name = raw.get("code"), raw.get("name")
    if not isinstance(code, str) or not code.strip():
        raise _refused("code", "value_is_mandatory")
    if len(code) > MAX_TEXT:
        raise _refused("code", "value_is_too_long")
    if name is not None and (not isinstance(name, str) or len(name) > MAX_TEXT):
        raise _refused("name", "value_is_too_long" if isinstance(name, str) else "value_is_invalid")
    kind = raw.get("value_type")
    try:
        value_type = ValueType.STRING if kind is None else ValueType(kind)
    except ValueError as error:
        raise _refused("value_type", "value_is_invalid") from error
    return Definition(code, value_type, name or "", _options(raw.get("config"), value_type))


def define_all(rows: Sequence[Mapping[str, Any]]) -> tuple[Definition, ...]:
    """Read the privileges of a feature. Raises Invalid as `define`, and where a code is there twice."""
    found = tuple(define(row) for row in rows)
    if len({one.code for one in found}) < len(found):
        raise _refused("code", "value_is_duplicated")
    return found


def parse(*, definition: Definition, value: object) -> Value:
    """Read a value of a privilege: a number or its digits, true or false or their words, a text, one of the options.

    A boolean is no number, and numbers are whole. Raises Invalid under ``<code>_privilege_value``.
    """
    kind = definition.value_type
    if kind == ValueType.INTEGER:
        return _integer(definition, value)
    if kind == ValueType.BOOLEAN:
        return _boolean(definition, value)
    text = _text(definition, value)
    if kind == ValueType.SELECT and text not in definition.options:
        raise _wrong(definition, "value_not_in_select_options")
    return text


def _integer(definition: Definition, value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(definition, "value_is_invalid")
    if abs(value) > MAX_INTEGER:
        raise _wrong(definition, "value_is_out_of_range")
    return value


def _boolean(definition: Definition, value: object) -> bool:
    if value is True or value == "true":
        return True
    if value is False or value == "false":
        return False
    raise _wrong(definition, "value_is_invalid")


def _text(definition: Definition, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INTEGER:
        value = str(value)
    if not isinstance(value, str):
        raise _wrong(definition, "value_is_invalid")
    if not value.strip():
        raise _wrong(definition, "value_is_mandatory")
    if len(value) > MAX_TEXT:
        raise _wrong(definition, "value_is_too_long")
    return value


def _options(config: object, value_type: ValueType) -> tuple[str, ...]:
    if config is not None and not isinstance(config, Mapping):
        raise _refused("config", "value_is_invalid")
    given = (config or {}).get("select_options")
    if value_type != ValueType.SELECT:
        if given:
            raise _refused("config", "value_must_be_blank")
        return ()
    if not isinstance(given, list | tuple) or not given:
        raise _refused("config", "value_is_mandatory")
    if not all(isinstance(one, str) and one.strip() and len(one) <= MAX_TEXT for one in given):
        raise _refused("config", "value_is_invalid")
    if len(given) > MAX_OPTIONS:
        raise _refused("config", "value_is_too_long")
    if len(set(given)) < len(given):
        raise _refused("config", "value_is_duplicated")
    return tuple(given)


def _refused(field: str, code: str) -> errors.Invalid:
    return errors.Invalid("validation_errors", "The privilege is not valid.", {f"privilege.{field}": [code]})


def _wrong(definition: Definition, code: str) -> errors.Invalid:
    message = f"The value of {definition.code} is not valid."
    return errors.Invalid("validation_errors", message, {f"{definition.code}_privilege_value": [code]})

"""The figures of a version as they are kept: totals to JSON and back, so that what was shown can be shown again.

Owns this one codec of the product's own values. What people send is read by `quote_reading`, never here.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from billing.domain.quote_figures import Totals
from catalog.domain import decimals


def written(totals: Totals) -> dict[str, Any]:
    """Return figures as JSON: decimals as text, days in ISO form."""
    return {one.name: _plain(getattr(totals, one.name)) for one in dataclasses.fields(totals)}


def read(data: Mapping[str, Any]) -> Totals | None:
    """Return figures from what `written` made, or nothing where none are kept."""
    return _made(Totals, data) if data else None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    if isinstance(value, Decimal):
        return decimals.text(value)
    return value.isoformat() if isinstance(value, date) else value


def _made(kind: Any, data: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in data.items() if name in hints})


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        return _value(next(one for one in typing.get_args(hint) if one is not types.NoneType), value)
    if dataclasses.is_dataclass(hint):
        return _made(hint, value)
    if hint is Decimal:
        return Decimal(value)
    if hint is date:
        return date.fromisoformat(value)
    if typing.get_origin(hint) is tuple:
        return tuple(_value(typing.get_args(hint)[0], one) for one in value)
    if isinstance(value, Mapping) and typing.get_args(hint):
        return {key: _value(typing.get_args(hint)[1], inner) for key, inner in value.items()}
    return value

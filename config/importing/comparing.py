"""What differs between an object there and the same object here, as both APIs show them. Owns which fields are the same
by meaning: ids and times of making are not compared, and numbers are compared as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

NOT_COMPARED = frozenset(
    {
        "created_at", "updated_at", "slug", "sequential_id", "organization_id", "previous_value", "last_processed_at",
        "last_balance_sync_at", "last_consumed_credit_at", "started_at", "activated_at", "grouped_by",
        "active_subscriptions_count", "draft_invoices_count", "plans_count", "customers_count", "add_ons_count",
        "charges_count", "commitments_count",
    }
)  # fmt: skip
"""Fields that say when or how often, not what."""

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]{5})")
_NOTHING = (None, "", [], {}, False, 0, "0", "0.0")
_NAMES = ("code", "key", "external_id")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field whose value is another one here; ``ours`` is None also where there is no such field here."""

    field: str
    theirs: Any
    ours: Any


def differences(theirs: Any, ours: Any, *, but: Collection[str] = (), field: str = "") -> list[Difference]:
    """Return where an object here differs from theirs, by the fields that theirs has. ``but`` names more to leave out.

    A field that is missing here and says nothing there is no difference.
    """
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        found: list[Difference] = []
        for name, value in theirs.items():
            if name in but or name in NOT_COMPARED or _is_id(name):
                continue
            path = f"{field}.{name}" if field else name
            found += differences(value, ours.get(name), but=but, field=path)
        return found
    if _is_rows(theirs) and (_is_rows(ours) or not ours):
        return _of_rows(theirs, ours or [], but, field)
    if _same(theirs, ours):
        return []
    return [Difference(field, theirs, ours)]


def _is_id(name: str) -> bool:
    return name in {"id", "parent_id"} or name.startswith("lago_") or name.endswith("_provider_methods")


def _is_rows(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(row, Mapping) for row in value)


def _of_rows(theirs: Sequence[Any], ours: Sequence[Any], but: Collection[str], field: str) -> list[Difference]:
    """Compare rows by their code or key where they have one, else in their order."""
    name = next((name for name in _NAMES if all(isinstance(row, Mapping) and row.get(name) for row in theirs)), None)
    found: list[Difference] = []
    for number, row in enumerate(theirs):
        label = f"{field}[{row[name] if name else number}]"
        if name:
            mine = next((one for one in ours if isinstance(one, Mapping) and one.get(name) == row[name]), None)
        else:
            mine = ours[number] if number < len(ours) else None
        found += [Difference(label, row, None)] if mine is None else differences(row, mine, but=but, field=label)
    return found


def _same(theirs: Any, ours: Any) -> bool:
    if any(theirs == nothing for nothing in _NOTHING) and any(ours == nothing for nothing in _NOTHING):
        return True
    if isinstance(theirs, list) and isinstance(ours, list):
        return sorted(map(str, theirs)) == sorted(map(str, ours))
    return theirs == ours or _value(theirs) == _value(ours)


def _value(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    text = str(value)
    if _NUMBER.fullmatch(text):
        return Decimal(text)
    if _INSTANT.fullmatch(text):
        return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
    return text

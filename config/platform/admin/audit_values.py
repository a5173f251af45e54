"""The values of the audit trail as people read them: money with its currency, lists joined, days and moments as such.

The trail keeps plain values. An amount in minor units has its currency beside it, or is in that of the object that the
entry is about, which `with_currency` reads along. Owns the words, not the trail.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Case, CharField, Model, OuterRef, QuerySet, Subquery, Value, When
from django.utils import dateparse

from config.kernel import money
from config.platform.admin import cells
from config.platform.models import AuditEntry
from config.platform.services import approval_actions

MINOR = "_cents"
CURRENCIES = ("currency", "amount_currency", "default_currency")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d.*")


def with_currency(entries: QuerySet[AuditEntry], *, about: Model | None = None) -> QuerySet[AuditEntry]:
    """Read along, as ``object_currency``, the currency of the object that each entry is about, where it has one.

    Where all entries are ``about`` one object, say so: the statement then looks in its table alone.
    """
    kinds = apps.get_models() if about is None else [type(about)]
    cases = [
        When(
            object_type=model._meta.label_lower,
            then=Subquery(model._default_manager.filter(pk=OuterRef("object_id")).order_by().values("currency")[:1]),
        )
        for model in kinds
        if _has_currency(model)
    ]
    return entries.annotate(object_currency=Case(*cases, default=Value(""), output_field=CharField()))


def names(entry: AuditEntry) -> list[str]:
    """The names of the values, without a currency that the amounts beside it show already."""
    found = list(dict.fromkeys([*entry.old, *entry.new]))
    if any(name.endswith(MINOR) for name in found):
        found = [name for name in found if name not in CURRENCIES or _differs(entry, name)]
    return found


def label(name: str) -> str:
    """A value's name as people say it."""
    return name.removesuffix(MINOR).removeprefix("is_").replace("_", " ")


def shown(entry: AuditEntry, name: str, value: Any) -> str:
    """One value as text."""
    if name.endswith(MINOR) and isinstance(value, int) and (currency := _currency(entry)):
        return cells.money_text(money.from_minor(value, currency))
    if name == "action" and (action := approval_actions.every().get(str(value))) is not None:
        return action.label
    return text(value)


def text(value: Any) -> str:
    """A plain value as text: lists joined, names and values beside each other, days and moments as such."""
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(text(one) for one in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{label(str(name))}: {text(one)}" for name, one in value.items())
    return _dated(str(value))


def _dated(value: str) -> str:
    try:
        if _DAY.fullmatch(value) and (day := dateparse.parse_date(value)):
            return cells.day_text(day)
        if _INSTANT.fullmatch(value) and (at := dateparse.parse_datetime(value)) and at.tzinfo:
            return cells.instant_text(at)
    except ValueError:
        return value
    return value


def _currency(entry: AuditEntry) -> str:
    for side in (entry.new, entry.old):
        for name in CURRENCIES:
            if money.known(str(side.get(name, ""))):
                return str(side[name])
    currency = getattr(entry, "object_currency", "") or ""
    return currency if money.known(currency) else ""


def _differs(entry: AuditEntry, name: str) -> bool:
    return name in entry.old and name in entry.new and entry.old[name] != entry.new[name]


def _has_currency(model: type[Model]) -> bool:
    try:
        return model._meta.get_field("currency").concrete
    except FieldDoesNotExist:
        return False

"""Objects with the most around them, and a row of every table that has none yet: for tests of whole pages.

Rows are written as fields allow, not as services would: what they say is plausible to a page that lists them. Triggers
and foreign keys sleep meanwhile.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, models, transaction

OWN = {"catalog", "customers", "invoicing", "billing", "platform"}

SAID: Mapping[str, Mapping[str, Any]] = {
    "invoicing.correction": {"plan": [], "effect": {"documents": [], "taxes": [], "balances": [], "accounts": []}},
    "invoicing.document": {"credit_note": None, "payment_receipt": None},
    "invoicing.correctiondocument": {"credit_note": None},
    "invoicing.recurringtransactionrule": {"interval": "monthly"},
    "billing.adjustedline": {"label": "Another name"},
    "billing.appliedusagethreshold": {"lifetime_cents": 2},
    "billing.contractcommitment": {"item": None, "kind": "term"},
    "billing.subscriptionprivilege": {"value": "1"},
    "billing.topupfiring": {"granted_credits": 1},
    "billing.triggeredwalletalert": {"current_value": 0, "crossed": []},
    "billing.walletdepletion": {"ongoing_balance_amount": Decimal(0)},
}
"""What rows must say beyond what their fields tell, by model."""

Fullest = dict[type[models.Model], list[Any]]


def fullest() -> Fullest:
    """The keys of each model's rows, those first that most kinds of rows refer to, then those that most rows do."""
    kinds: dict[type[models.Model], Counter[Any]] = {}
    rows: dict[type[models.Model], Counter[Any]] = {}
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.concrete_fields:
            if not isinstance(field, models.ForeignKey) or not model._meta.managed:
                continue
            counted = model._base_manager.exclude(**{field.name: None}).values_list(field.attname)
            for key, count in counted.annotate(n=models.Count("*")).order_by():
                kinds.setdefault(field.related_model, Counter())[key] += 1
                rows.setdefault(field.related_model, Counter())[key] += count
    return {model: sorted(rows[model], key=lambda key: (-kinds[model][key], -rows[model][key], key)) for model in rows}


def examples(model: type[models.Model], best: Fullest, *, most: int) -> list[Any]:
    """The keys of rows in all states that rows are in, the fullest of each state, and the newest."""
    known = {key: number for number, key in enumerate(best.get(model, []))}
    states: dict[tuple[Any, ...], Any] = {}
    rows = sorted(model._default_manager.order_by("-pk")[:200], key=lambda row: known.get(row.pk, len(known)))
    for row in rows:
        states.setdefault(tuple(_state(row)), row.pk)
    return list(states.values())[:most]


def _state(row: models.Model) -> Iterator[Any]:
    for field in row._meta.concrete_fields:
        if field.choices or isinstance(field, models.BooleanField):
            yield getattr(row, field.attname)
        elif field.null:
            yield getattr(row, field.attname) is None


def fill(*, at: datetime) -> dict[str, str]:
    """Write a row into every empty table of the product; return why where a row is refused. Needs a transaction."""
    empty = [model for model in apps.get_models(include_auto_created=True) if _is_empty(model)]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        refused = _filled(empty, at)  # then those that refer to one of these
        why = _filled(list(refused), at)
        cursor.execute("SET LOCAL session_replication_role = origin")
    return {model._meta.label_lower: said for model, said in why.items()}


def _is_empty(model: type[models.Model]) -> bool:
    meta = model._meta
    is_single = any(field.name == "singleton" for field in meta.fields)
    return meta.app_label in OWN and meta.managed and not is_single and not model._base_manager.exists()


def _filled(empty: list[type[models.Model]], at: datetime) -> dict[type[models.Model], str]:
    best = fullest()
    written = {model: _write(model, at, best, SAID.get(model._meta.label_lower, {})) for model in empty}
    return {model: why for model, why in written.items() if why}


def _write(model: type[models.Model], at: datetime, best: Fullest, said: Mapping[str, Any]) -> str:
    why = ""
    for is_full in (True, False):
        values = {
            field.attname: _value(field, at, best)
            for field in model._meta.concrete_fields
            if field.name not in said and not isinstance(field, models.AutoField) and _is_needed(field, is_full=is_full)
        }
        try:
            with transaction.atomic():
                model._base_manager.bulk_create([model(**values, **said)])
        except IntegrityError as error:
            why = str(error).splitlines()[0]
        else:
            return ""
    return why


def _is_needed(field: models.Field, *, is_full: bool) -> bool:
    if field.has_default() or field.db_default is not models.NOT_PROVIDED:
        return False
    if isinstance(field, models.ForeignKey):
        return is_full or not field.null
    return not field.null and not (field.blank and isinstance(field, models.CharField | models.TextField))


def _value(field: models.Field, at: datetime, best: Fullest) -> Any:
    if isinstance(field, models.ForeignKey):
        known = best.get(field.related_model) or [*field.related_model._base_manager.values_list("pk", flat=True)[:1]]
        return known[0] if known else None
    if field.choices:
        return next(iter(dict(field.flatchoices)))
    if isinstance(field, models.DateTimeField):
        return at
    for kind, value in (
        (models.DateField, at.date()),
        (models.DecimalField, Decimal(1)),
        (models.IntegerField, 1),
        (models.BooleanField, False),
        (models.JSONField, {}),
        (models.CharField, "EUR" if "currency" in field.name else "x"),
        (models.TextField, "x"),
        (models.FileField, "x"),
        (models.UUIDField, uuid.uuid4()),
        (models.BinaryField, b"x"),
        (ArrayField, []),
    ):
        if isinstance(field, kind):
            return value
    raise TypeError(str(field))

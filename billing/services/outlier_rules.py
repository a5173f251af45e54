"""Rules by which rehearsed invoices are flagged: making, changing and switching them off. Owns their checks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from moneyed import Money

from billing.models import OutlierRule
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit

_LIMIT = Decimal(10) ** 8
_LONGEST = 255
_BY_FACTOR = (OutlierRule.Kind.TIMES_MORE, OutlierRule.Kind.TIMES_LESS, OutlierRule.Kind.OFF_CONTRACT)


class InvalidOutlierRule(errors.Invalid):
    """The rule says nothing that can be checked."""


class OutlierRuleNotFound(errors.NotFound):
    """There is no such rule."""


@dataclass(frozen=True)
class RuleValues:
    """What a rule says. ``factor`` goes with the kinds that compare, ``amount`` with the one above an amount."""

    name: str
    kind: str
    factor: Decimal | None = None
    amount: Money | None = None
    is_active: bool = True


DEFAULTS = (
    RuleValues("More than three times last period", OutlierRule.Kind.TIMES_MORE.value, Decimal(3)),
    RuleValues("Negative", OutlierRule.Kind.NEGATIVE.value),
    RuleValues("No usage where there always was some", OutlierRule.Kind.ZERO_USAGE.value),
    RuleValues("Another tax treatment", OutlierRule.Kind.NEW_TAX.value),
    RuleValues("No purchase order number", OutlierRule.Kind.NO_PURCHASE_ORDER.value),
)
"""What a new installation begins with."""


@transaction.atomic
def create(*, values: RuleValues, actor: Actor, at: datetime) -> OutlierRule:
    """Make a rule. Rehearsals that are there keep their flags. Raises InvalidOutlierRule by field."""
    row = OutlierRule(created_at=at)
    _fill(row, values, at)
    row.save()
    audit.record(actor=actor, at=at, verb="create", instance=row, new=_facts(row))
    return row


@transaction.atomic
def update(*, rule_id: int, values: RuleValues, actor: Actor, at: datetime) -> OutlierRule:
    """Change a rule, or switch it off. Raises OutlierRuleNotFound, InvalidOutlierRule by field."""
    row = _locked(rule_id)
    old = _facts(row)
    _fill(row, values, at)
    if _facts(row) != old:
        row.save()
        audit.record(actor=actor, at=at, verb="update", instance=row, old=old, new=_facts(row))
    return row


@transaction.atomic
def delete(*, rule_id: int, actor: Actor, at: datetime) -> None:
    """Delete a rule. Raises OutlierRuleNotFound."""
    row = _locked(rule_id)
    audit.record(actor=actor, at=at, verb="delete", instance=row, old=_facts(row))
    row.delete()


@transaction.atomic
def restore_defaults(*, actor: Actor, at: datetime) -> list[OutlierRule]:
    """Make the default rules of which no rule of their kind is there. Calling it again makes none."""
    known = set(OutlierRule.objects.values_list("kind", flat=True))
    return [create(values=one, actor=actor, at=at) for one in DEFAULTS if one.kind not in known]


def _locked(rule_id: int) -> OutlierRule:
    try:
        return db.lock_one(OutlierRule.objects.filter(pk=rule_id))
    except OutlierRule.DoesNotExist:
        raise OutlierRuleNotFound("outlier_rule_not_found", "There is no such rule.") from None


def _fill(row: OutlierRule, values: RuleValues, at: datetime) -> None:
    wrong: dict[str, list[str]] = {}
    if not values.name.strip() or len(values.name) > _LONGEST:
        wrong["name"] = ["value_is_too_long" if values.name.strip() else "value_is_mandatory"]
    if values.kind not in OutlierRule.Kind.values:
        wrong["kind"] = ["value_is_invalid"]
    if values.kind in _BY_FACTOR and (values.factor is None or not 0 < values.factor < _LIMIT):
        wrong["factor"] = ["value_is_mandatory" if values.factor is None else "value_is_out_of_range"]
    is_above = values.kind == OutlierRule.Kind.ABOVE_AMOUNT
    if is_above and (values.amount is None or money.rounded(values.amount) != values.amount):
        wrong["amount"] = ["value_is_mandatory" if values.amount is None else "value_is_invalid"]
    if wrong:
        raise InvalidOutlierRule("validation_errors", "The rule cannot be checked.", wrong)
    row.name, row.kind, row.is_active, row.updated_at = values.name, values.kind, values.is_active, at
    row.factor = values.factor if values.kind in _BY_FACTOR else None
    amount = values.amount if is_above else None
    currency = "" if amount is None else amount.currency.code
    if row.currency != currency:
        row.amount, row.currency = None, currency
    row.amount = amount


def _facts(row: OutlierRule) -> dict[str, object]:
    return {"name": row.name, "kind": row.kind, "factor": row.factor, "amount": row.amount, "is_active": row.is_active}

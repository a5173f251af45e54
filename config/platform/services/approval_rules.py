"""The rules for second persons: making, changing and switching them off. Changing them may need a second person too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction

from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.models import ApprovalRule
from config.platform.services import approval_actions, approvals, audit

_LIMIT_END = Decimal(10) ** 16
_LONGEST = 3660


@dataclass(frozen=True)
class RuleValues:
    """What a rule says. ``above_amount`` is in major units of ``currency``; without both it applies always.

    ``counts`` and ``days`` say what is held against the limit beside the amount itself: see `ApprovalRule`. Empty is
    the usual: all of the same document, or each by itself for an action that does not add up.
    """

    action: str
    group_id: int
    currency: str = ""
    above_amount: Decimal | None = None
    counts: str = ""
    days: int | None = None


@transaction.atomic
def create(*, values: RuleValues, actor: Actor, at: datetime) -> ApprovalRule:
    """Make a rule; it counts at once. Raises Invalid with codes per field, and what demands a second person."""
    approvals.demand(action=approval_actions.CHANGE_RULES, amount=None, actor=actor)
    _check(values)
    row = ApprovalRule(created_at=at, updated_at=at, **_columns(values))
    _require_new(row)
    row.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="create", instance=row, new=told(row))
    return row


@transaction.atomic
def change(*, rule_id: int, values: RuleValues, is_active: bool, actor: Actor, at: datetime) -> ApprovalRule:
    """Change a rule, or switch it on or off. Requests that wait keep the groups that they were asked of.

    Setting what is set changes nothing. Raises as `create`, and NotFound (`approval_rule_not_found`).
    """
    if not ApprovalRule.objects.filter(pk=rule_id).exists():
        raise errors.NotFound("approval_rule_not_found", "There is no such rule.")
    row = db.lock_one(ApprovalRule.objects.filter(pk=rule_id))
    _check(values)
    before = told(row)
    for name, value in _columns(values).items():
        setattr(row, name, value)
    row.is_active = is_active
    after = told(ApprovalRule.objects.model(**{**_columns(values), "is_active": is_active}))
    if before == after:
        return row
    approvals.demand(action=approval_actions.CHANGE_RULES, amount=None, actor=actor)
    if is_active:
        _require_new(row)
    row.updated_at = at
    row.save(update_fields=["action", "currency", "above_amount", "counts", "days", "group", "is_active", "updated_at"])
    audit.record(actor=actor, at=at, verb="update", instance=row, old=before, new=after)
    return row


def told(row: ApprovalRule) -> dict[str, Any]:
    """Return a rule as the audit trail keeps it."""
    limit = row.limit
    counted = {} if limit is None else {"counts": row.counts, "days": row.days}
    return {
        "action": row.action,
        **counted,
        "above": None if limit is None else f"{money.quantize(limit.amount, currency=row.currency)} {row.currency}",
        "group": row.group.name,
        "is_active": row.is_active,
    }


def _check(values: RuleValues) -> None:
    action = approval_actions.one(values.action)
    problems: dict[str, list[str]] = {}
    if not Group.objects.filter(pk=values.group_id).exists():
        problems["group"] = ["value_is_invalid"]
    if values.above_amount is None and values.currency:
        problems["above_amount"] = ["value_is_mandatory"]
    if values.above_amount is not None:
        if not action.measured:
            problems["above_amount"] = ["action_has_no_amount"]
        elif not 0 <= values.above_amount < _LIMIT_END:
            problems["above_amount"] = ["value_is_out_of_range"]
        if not money.known(values.currency):
            problems["currency"] = ["invalid_currency"]
        elif "above_amount" not in problems and values.above_amount != money.quantize(
            values.above_amount, currency=values.currency
        ):
            problems["above_amount"] = ["value_is_invalid"]
    problems |= _counting(values)
    if problems:
        raise errors.Invalid("validation_errors", "", problems)


def _counting(values: RuleValues) -> dict[str, list[str]]:
    """What is wrong with what counts against the limit."""
    counts = _counts(values)
    if counts not in ApprovalRule.Counts.values:
        return {"counts": ["value_is_invalid"]}
    if counts != ApprovalRule.Counts.EACH and not approval_actions.one(values.action).adds_up:
        return {"counts": ["action_does_not_add_up"]}
    if values.days is not None and (counts == ApprovalRule.Counts.EACH or not 0 < values.days <= _LONGEST):
        return {"days": ["value_is_out_of_range"]}
    return {}


def _counts(values: RuleValues) -> str:
    usual = ApprovalRule.Counts.DOCUMENT if approval_actions.one(values.action).adds_up else ApprovalRule.Counts.EACH
    return values.counts or usual


def _columns(values: RuleValues) -> dict[str, Any]:
    return {
        "action": values.action,
        "group_id": values.group_id,
        "currency": values.currency,
        "above_amount": values.above_amount,
        "counts": _counts(values),
        "days": values.days,
    }


def _require_new(row: ApprovalRule) -> None:
    same = ApprovalRule.objects.filter(
        action=row.action, currency=row.currency, above_amount=row.above_amount, group_id=row.group_id, is_active=True
    )
    if row.above_amount is None:
        same = ApprovalRule.objects.filter(
            action=row.action, currency="", above_amount__isnull=True, group_id=row.group_id, is_active=True
        )
    if same.exclude(pk=row.pk).exists():
        raise errors.Invalid("validation_errors", "", {"action": ["value_already_exist"]})

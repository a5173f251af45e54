"""Approval rules as rows: making, changing and retiring them, and which of them a version meets.

Owns the rules; the comparison is `billing.domain.quote_approvals`', what people say `quote_approvals`'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import Group
from django.db import transaction

from billing.domain import quote_approvals
from billing.domain.quote_approvals import Facts, Rule, Subject
from billing.domain.quote_figures import Totals
from billing.domain.quote_values import QuoteTerms
from billing.models import Quote, QuoteApprovalRule
from config.kernel import db, errors, money
from config.kernel.actors import Actor
from config.platform.services import audit

_IN_MONEY = (QuoteApprovalRule.Subject.TOTAL, QuoteApprovalRule.Subject.FREE_CREDITS)
_MOST = Decimal(10) ** 11
PROPOSED = (
    ("Deep discounts", QuoteApprovalRule.Subject.DISCOUNT, Decimal("0.2")),
    ("Long terms", QuoteApprovalRule.Subject.TERM, Decimal(36)),
    ("Long payment terms", QuoteApprovalRule.Subject.PAYMENT_TERM, Decimal(30)),
)
"""Rules that most houses begin with: name, subject, threshold."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that is needed: by which rule, of which group, and why."""

    rule_id: int
    group_id: int
    group: str
    cause: str


@dataclass(frozen=True, slots=True)
class RuleValues:
    """A rule as it is given. A discount is a fraction; a currency only goes with an amount."""

    name: str
    subject: str
    threshold: Decimal
    group_id: int
    currency: str = ""
    is_active: bool = True


class InvalidRule(errors.Invalid):
    """The rule says something that cannot be."""


def needed(*, quote: Quote, terms: QuoteTerms, totals: Totals) -> list[Consent]:
    """Return the consents that terms need by the rules that are active now. One query."""
    rows = {row.pk: row for row in QuoteApprovalRule.objects.filter(is_active=True).select_related("group")}
    rules = [Rule(row.pk, Subject(row.subject), row.threshold, row.currency) for row in rows.values()]
    found = quote_approvals.needed(rules=rules, facts=facts(quote=quote, terms=terms, totals=totals))
    return [Consent(one.rule_id, rows[one.rule_id].group_id, str(rows[one.rule_id].group), one.cause) for one in found]


def facts(*, quote: Quote, terms: QuoteTerms, totals: Totals) -> Facts:
    """Return what rules are held against. An amendment has the months that it adds to the contract as its term.

    Prices that fall with each renewal are a discount too, where the contract renews by itself.
    """
    months = Decimal(terms.term_months or 0)
    if quote.kind == Quote.Kind.AMENDMENT and any(change.ends_on for change in terms.changes):
        months = totals.term_months
    return Facts(
        currency=totals.currency,
        discount_rate=totals.deepest_discount_rate,
        renewal_cut_rate=max(-terms.uplift_rate, Decimal(0)) if terms.renewal == "automatic" else Decimal(0),
        term_months=int(money.ceil_to(months, 0)),
        payment_term_days=terms.payment_term_days or 0,
        total_amount=totals.total_amount,
        free_credits=totals.free_credits_amount,
    )


@transaction.atomic
def create(*, values: RuleValues, actor: Actor, at: datetime) -> QuoteApprovalRule:
    """Make a rule; it counts for what is submitted from now on. Raises InvalidRule with codes per field."""
    _demand(values)
    row = QuoteApprovalRule(created_at=at, updated_at=at, **_fields(values))
    row.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="create", instance=row, new=_fields(values))
    return row


@transaction.atomic
def propose(*, group_id: int, actor: Actor, at: datetime) -> list[QuoteApprovalRule]:
    """Make the rules that most houses begin with, each asking the same group, where there is no rule yet.

    Raises NotAllowed (`rules_exist`), so that a second click makes nothing; InvalidRule (`group`).
    """
    db.advisory_lock("billing.quote_approval_rules")
    if QuoteApprovalRule.objects.exists():
        raise errors.NotAllowed("rules_exist", "There are rules already: change these.")
    wanted = [RuleValues(name, subject, threshold, group_id) for name, subject, threshold in PROPOSED]
    return [create(values=values, actor=actor, at=at) for values in wanted]


@transaction.atomic
def update(*, rule_id: int, values: RuleValues, actor: Actor, at: datetime) -> QuoteApprovalRule:
    """Change a rule; consents that were asked for stay what they are. Raises NotFound, InvalidRule."""
    _demand(values)
    row = QuoteApprovalRule.objects.filter(pk=rule_id).first()
    if row is None:
        raise errors.NotFound("quote_approval_rule_not_found", "There is no such rule.")
    row = db.lock_one(QuoteApprovalRule.objects.filter(pk=rule_id))
    wanted = _fields(values)
    old = {name: getattr(row, name) for name in wanted if getattr(row, name) != wanted[name]}
    if old:
        for name in old:
            setattr(row, name, wanted[name])
        row.updated_at = at
        row.save(update_fields=[*old, "updated_at"])
        audit.record(actor=actor, at=at, verb="update", instance=row, old=old, new={name: wanted[name] for name in old})
    return row


def _fields(values: RuleValues) -> dict[str, object]:
    return {
        "name": values.name,
        "subject": values.subject,
        "threshold": values.threshold,
        "currency": values.currency,
        "group_id": values.group_id,
        "is_active": values.is_active,
    }


def _demand(values: RuleValues) -> None:
    wrong: dict[str, list[str]] = {}
    if not values.name.strip() or len(values.name) > 255:
        wrong["name"] = ["value_is_mandatory"]
    if values.subject not in QuoteApprovalRule.Subject.values:
        wrong["subject"] = ["invalid_value"]
    is_rate = values.subject == QuoteApprovalRule.Subject.DISCOUNT
    if not values.threshold.is_finite() or not 0 <= values.threshold <= (1 if is_rate else _MOST):
        wrong["threshold"] = ["value_is_out_of_range"]
    in_money = values.subject in _IN_MONEY
    if in_money and not money.known(values.currency):
        wrong["currency"] = ["invalid_currency"]
    elif not in_money and values.currency:
        wrong["currency"] = ["unsupported_value"]
    if not Group.objects.filter(pk=values.group_id).exists():
        wrong["group"] = ["group_not_found"]
    if wrong:
        raise InvalidRule("validation_errors", f"Please check: {', '.join(wrong)}.", wrong)

"""Rules that top up a wallet by themselves: agreeing on them, changing and ending them. Owns these rows; when they fire
is decided by whoever knows current usage.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.db import transaction

from config.kernel import actors, db, errors, events
from config.kernel.actors import Actor
from config.platform.services import approvals, audit
from invoicing.domain import top_up_rules
from invoicing.domain import wallets as worths
from invoicing.domain.facts import BalancesMoved
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.queries import wallet_rules as known
from invoicing.queries import wallets
from invoicing.services import announcements, approval_actions, chosen_sections, wallet_notes

MOST = 1
"""How many rules a wallet has at most."""

_FIELDS = (
    "trigger",
    "method",
    "interval",
    "paid_credits",
    "granted_credits",
    "grants_target_top_up",
    "threshold_credits",
    "target_ongoing_balance",
    "started_at",
    "expiration_at",
    "invoice_requires_successful_payment",
    "ignore_paid_top_up_limits",
    "purchase_order_number",
    "transaction_name",
    "transaction_metadata",
)


class RuleValues(TypedDict, total=False):
    """A rule as it comes in; of one that is there (``lago_id``) only what is to change. Amounts are credits."""

    lago_id: uuid.UUID
    trigger: str
    method: str
    interval: str
    paid_credits: Decimal
    granted_credits: Decimal
    grants_target_top_up: bool
    threshold_credits: Decimal
    target_ongoing_balance: Decimal | None
    started_at: datetime | None
    expiration_at: datetime | None
    invoice_requires_successful_payment: bool
    ignore_paid_top_up_limits: bool
    purchase_order_number: str
    transaction_name: str
    transaction_metadata: Sequence[Mapping[str, Any]]
    custom_section_codes: Sequence[str] | None


@transaction.atomic
def agree(
    *, wallet_id: int, values: Sequence[RuleValues], actor: Actor, at: datetime, tells: bool = True
) -> list[RecurringTransactionRule]:
    """Make these the rules of an active wallet: one at most. What is not among them ends.

    One of an id that is there is changed, any other is new. Sending what is there changes nothing. With ``tells`` what
    changed is told as a change of the wallet; without, that is the caller's. Raises NotFound
    (`wallet_not_found`, `recurring_transaction_rule_not_found`), NotAllowed (`wallet_not_active`), InvalidRule
    (`invalid_number_of_recurring_rules`, `invalid_recurring_rule`), and ApprovalRequired for one that gives credits.
    """
    wallet = wallets.locked(wallet_id)
    if wallet.status != Wallet.Status.ACTIVE:
        raise errors.NotAllowed("wallet_not_active", "The wallet is terminated.")
    if len(values) > MOST:
        message = f"A wallet has {MOST} rule at most."
        raise top_up_rules.refused(message, "invalid_number_of_recurring_rules")
    held = {rule.uuid: rule for rule in db.lock(known.of_wallet(wallet))}
    unknown = {one["lago_id"] for one in values if "lago_id" in one} - set(held)
    if unknown:
        raise errors.NotFound("recurring_transaction_rule_not_found", "There is no such rule of the wallet.")
    kept = {one["lago_id"] for one in values if "lago_id" in one}
    before = {rule.uuid: _facts(rule) for rule in held.values()}
    for public_id, rule in held.items():
        if public_id not in kept:
            _end(rule, wallet, actor, at)
    events.publish(BalancesMoved(customer_ids=(wallet.customer_id,), at=at))
    agreed = [
        _change(held[one["lago_id"]], wallet, one, actor, at) if "lago_id" in one else _make(wallet, one, actor, at)
        for one in values
    ]
    if tells and before != {rule.uuid: _facts(rule) for rule in agreed}:
        announcements.wallet_changed(wallets=[wallet], at=at)
    return agreed


def expire(*, as_of: datetime) -> int:
    """End the rules whose time is over, and return how many. May run any number of times and beside itself."""
    with transaction.atomic():
        rows = known.expiring(as_of=as_of).select_related("wallet")
        ending = list(rows.select_for_update(no_key=True, skip_locked=True, of=("self",)))
        for rule in ending:
            _end(rule, rule.wallet, actors.job("wallet_top_ups"), as_of)
        announcements.wallet_changed(wallets=list({rule.wallet_id: rule.wallet for rule in ending}.values()), at=as_of)
    return len(ending)


def _make(wallet: Wallet, values: RuleValues, actor: Actor, at: datetime) -> RecurringTransactionRule:
    rule = RecurringTransactionRule(
        created_at=at,
        updated_at=at,
        wallet=wallet,
        invoice_requires_successful_payment=wallet.invoice_requires_successful_payment,
    )
    _assign(rule, values, at)
    _demand_second(rule, wallet, actor)
    rule.save(force_insert=True)
    audit.record(actor=actor, at=at, verb="add_top_up_rule", instance=wallet, new=_facts(rule))
    return rule


def _change(
    rule: RecurringTransactionRule, wallet: Wallet, values: RuleValues, actor: Actor, at: datetime
) -> RecurringTransactionRule:
    old = _facts(rule)
    _assign(rule, values, at)
    new = _facts(rule)
    if new != old:
        _demand_second(rule, wallet, actor)
        rule.held_until, rule.updated_at = None, at
        rule.save()
        audit.record(actor=actor, at=at, verb="change_top_up_rule", instance=wallet, old=old, new=new)
    return rule


def _demand_second(rule: RecurringTransactionRule, wallet: Wallet, actor: Actor) -> None:
    """Ask for a second person by what a rule gives each time it fires, whose job is exempt then.

    What it gives up to a target depends on usage: nobody knows how much that is.
    """
    if rule.method == RecurringTransactionRule.Method.TARGET and rule.grants_target_top_up:
        approvals.demand(action=approval_actions.GRANT_CREDITS, amount=None, actor=actor)
    elif rule.granted_credits:
        amount = worths.money_of(rule.granted_credits, rate=wallet.rate_amount, currency=wallet.currency)
        approvals.demand(action=approval_actions.GRANT_CREDITS, amount=amount, actor=actor)


def _end(rule: RecurringTransactionRule, wallet: Wallet, actor: Actor, at: datetime) -> None:
    rule.status = RecurringTransactionRule.Status.TERMINATED
    rule.terminated_at = rule.updated_at = at
    rule.save(update_fields=["status", "terminated_at", "updated_at"])
    audit.record(actor=actor, at=at, verb="end_top_up_rule", instance=wallet, old=_facts(rule))


def _assign(rule: RecurringTransactionRule, values: RuleValues, at: datetime) -> None:
    given: Mapping[str, Any] = values
    for field in _FIELDS:
        if field in given:
            setattr(rule, field, given[field])
    if "transaction_metadata" in given:
        rule.transaction_metadata = wallet_notes.pairs(given["transaction_metadata"])
    if "custom_section_codes" in given:
        rule.custom_section_ids = chosen_sections.chosen(codes=given["custom_section_codes"])
    if rule.trigger == top_up_rules.THRESHOLD:
        rule.interval = ""
    top_up_rules.demand_good(known.terms(rule))
    if given.get("expiration_at") is not None and given["expiration_at"] <= at:
        raise top_up_rules.refused("A rule ends in the future.")
    if len(rule.transaction_name) > 255 or len(rule.purchase_order_number) > 255:
        raise top_up_rules.refused("The name or the order number is too long.")


def _facts(rule: RecurringTransactionRule) -> dict[str, Any]:
    facts = {field: getattr(rule, field) for field in (*_FIELDS, "custom_section_ids")}
    return {"rule": str(rule.uuid), **facts}

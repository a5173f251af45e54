"""Firing a rule that tops up its wallet: the top-up itself, and the row that says what it went by. Owns both, and
holding a rule back. When a rule fires is `threshold_top_ups`' and `interval_top_ups`'.

The wallet is locked, and its ongoing balance is of now. Behind the lock stand unique keys: a firing has a number, one
by interval its day, and the transactions have ids that follow from it.
"""

from __future__ import annotations

import decimal
import logging
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Max
from moneyed import Money

from billing.models import TopUpFiring
from config.kernel import actors, errors, money
from config.platform.services import audit
from invoicing.domain import top_up_rules, wallets
from invoicing.domain.top_up_rules import Limits, Wanted
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.queries import wallet_rules
from invoicing.services import wallet_top_ups
from invoicing.services.wallet_top_ups import TopUp

log = logging.getLogger(__name__)

JOB = "wallets"


def fire(
    *, rule: RecurringTransactionRule, wallet: Wallet, pending: Decimal, at: datetime, day: date | None = None
) -> TopUpFiring:
    """Ask for the credits of a rule, by the ongoing balance of its locked wallet, and write what came of it.

    ``pending`` are the credits that are bought and not paid yet, ``day`` is the local day of a rule by interval. A
    refusal (a limit of the wallet) is written too; a threshold rule waits an hour then. One that fires suspiciously
    often is marked.
    """
    number = (TopUpFiring.objects.filter(rule=rule).aggregate(last=Max("number"))["last"] or 0) + 1
    ongoing = wallet.credits_ongoing_balance
    wanted = top_up_rules.wanted(
        wallet_rules.terms(rule), ongoing=ongoing, pending=pending, limits=_limits(rule, wallet)
    )
    outcome, reason = TopUpFiring.Outcome.NOTHING, ""
    if not wanted.is_nothing:
        outcome = TopUpFiring.Outcome.TOPPED_UP
        try:
            wallet_top_ups.top_up(
                wallet_id=wallet.pk, wanted=_wanted(rule, wanted, number, day), actor=actors.job(JOB), at=at
            )
        except errors.DomainError as refusal:
            outcome, reason = TopUpFiring.Outcome.REFUSED, str(refusal)
            log.warning("the top-up rule %s of wallet %s was refused: %s", rule.uuid, wallet.uuid, refusal)
    firing = TopUpFiring.objects.create(
        created_at=at,
        rule=rule,
        number=number,
        day=day,
        outcome=outcome,
        reason=reason,
        ongoing_credits=ongoing,
        pending_credits=pending,
        paid_credits=wanted.paid,
        granted_credits=wanted.granted,
    )
    if outcome == TopUpFiring.Outcome.REFUSED:
        audit.record(actor=actors.job(JOB), at=at, verb="refuse_top_up", instance=wallet, reason=reason)
        if day is None:
            hold(rule=rule, until=at + top_up_rules.HOLD, at=at)
    elif outcome == TopUpFiring.Outcome.TOPPED_UP:
        _warn(rule, wallet, at)
    return firing


def hold(*, rule: RecurringTransactionRule, until: datetime | None, at: datetime) -> None:
    """Let a rule wait until then, or wait no more."""
    if rule.held_until == until:
        return
    rule.held_until, rule.updated_at = until, at
    rule.save(update_fields=["held_until", "updated_at"])


def _wanted(rule: RecurringTransactionRule, wanted: Wanted, number: int, day: date | None) -> TopUp:
    return TopUp(
        paid_credits=wanted.paid,
        granted_credits=wanted.granted,
        invoice_requires_successful_payment=rule.invoice_requires_successful_payment,
        ignore_paid_top_up_limits=rule.ignore_paid_top_up_limits,
        name=rule.transaction_name,
        purchase_order_number=rule.purchase_order_number,
        custom_section_ids=rule.custom_section_ids,
        metadata=tuple(rule.transaction_metadata),
        source=rule.trigger,
        rule_id=rule.pk,
        rule_day=day,
        key=f"rule:{rule.uuid}:{number}",
    )


def _limits(rule: RecurringTransactionRule, wallet: Wallet) -> Limits:
    """Return the limits of a purchase in credits: what buys at least the one and at most the other."""
    if rule.ignore_paid_top_up_limits:
        return Limits()
    least, most = wallet.paid_top_up_min_amount, wallet.paid_top_up_max_amount
    return Limits(
        least=None if least is None else _reaching(least, wallet.rate_amount),
        most=None if most is None else wallets.credits_of(most, rate=wallet.rate_amount),
    )


def _reaching(amount: Money, rate: Decimal) -> Decimal:
    with decimal.localcontext(money.DECIMAL_CONTEXT):
        return money.ceil_to(amount.amount / rate, wallets.PLACES)


def _warn(rule: RecurringTransactionRule, wallet: Wallet, at: datetime) -> None:
    lately = TopUpFiring.objects.filter(
        rule=rule, outcome=TopUpFiring.Outcome.TOPPED_UP, created_at__gt=at - top_up_rules.BURST_WITHIN
    )
    if not top_up_rules.is_burst(list(lately.values_list("created_at", flat=True)), at=at):
        return
    rule.warned_at = rule.updated_at = at
    rule.save(update_fields=["warned_at", "updated_at"])
    log.warning("the top-up rule %s of wallet %s fires suspiciously often", rule.uuid, wallet.uuid)
    audit.record(actor=actors.job(JOB), at=at, verb="warn_of_top_ups", instance=wallet, new={"rule": str(rule.uuid)})

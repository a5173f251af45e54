"""Rules that top up wallets as readers want them. Never writes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from invoicing.domain.top_up_rules import Terms
from invoicing.models import RecurringTransactionRule, Wallet

Rule = RecurringTransactionRule


def running(*, trigger: str, at: datetime) -> QuerySet[Rule]:
    """Return the active rules of active wallets that go by a trigger, whose time is not over, with their wallets."""
    rows = Rule.objects.filter(
        Q(expiration_at__isnull=True) | Q(expiration_at__gt=at),
        status=Rule.Status.ACTIVE,
        trigger=trigger,
        wallet__status=Wallet.Status.ACTIVE,
    )
    return rows.select_related("wallet__customer__billing_entity").order_by("pk")


def expiring(*, as_of: datetime) -> QuerySet[Rule]:
    """Return active rules whose time is over."""
    return Rule.objects.filter(status=Rule.Status.ACTIVE, expiration_at__lte=as_of).order_by("pk")


def of_wallet(wallet: Wallet) -> QuerySet[Rule]:
    """Return the active rules of a wallet."""
    return Rule.objects.filter(wallet=wallet, status=Rule.Status.ACTIVE).order_by("pk")


def terms(rule: Rule) -> Terms:
    """Return what a rule asks for as plain values."""
    return Terms(
        trigger=rule.trigger,
        method=rule.method,
        interval=rule.interval,
        paid=rule.paid_credits,
        granted=rule.granted_credits,
        grants_target=rule.grants_target_top_up,
        threshold=rule.threshold_credits,
        target=rule.target_ongoing_balance,
    )

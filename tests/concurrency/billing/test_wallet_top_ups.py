"""Wallets that fall to their thresholds, looked at by several at once: one top-up. And days of intervals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import TopUpFiring
from billing.services import interval_top_ups, ongoing_balances, rule_firings
from config.kernel import jobs
from invoicing.models import Wallet, WalletTransaction
from invoicing.services import wallet_top_ups
from invoicing.services.wallet_top_ups import TopUp
from tests.concurrency.threads import together
from tests.factories import billing
from tests.factories import invoicing as parties
from tests.factories import wallets as purses
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)

MAY = billing.instant("2026-05-01")
AT = billing.instant("2026-05-08T11:00")


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages go nowhere."""

    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)


def make(**rule: Any) -> Wallet:
    customer = parties.make_customer(parties.make_entity(), timezone="UTC")
    rules: Any = [{"paid_credits": Decimal(10), "granted_credits": Decimal(5), **rule}]
    wanted = TopUp(granted_credits=Decimal(1))
    return wallet_top_ups.create_wallet(
        values=purses.values(customer), wanted=wanted, actor=ACTOR, at=MAY, recurring=rules
    )


def test_four_who_look_top_up_once() -> None:
    make(trigger="threshold", threshold_credits=Decimal(3))
    outcomes = together([lambda: ongoing_balances.run(as_of=AT)] * 4)
    assert [outcome.failed for outcome in outcomes] == [{}] * 4
    assert sum(outcome.top_ups for outcome in outcomes) == 1
    assert WalletTransaction.objects.filter(rule__isnull=False).count() == 2


def test_four_on_the_day_of_an_interval_top_up_once() -> None:
    make(trigger="interval", interval="weekly")
    outcomes = together([lambda: interval_top_ups.run(as_of=AT)] * 4)
    assert [outcome.failed for outcome in outcomes] == [{}] * 4
    assert sum(outcome.top_ups for outcome in outcomes) == 1
    assert WalletTransaction.objects.filter(rule__isnull=False).count() == 2


def test_control_without_the_lock_the_key_is_what_stops_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows what the lock is for: another one answers the same fall while this one does."""
    wallet = make(trigger="threshold", threshold_credits=Decimal(3))
    rule = wallet.recurring_transaction_rules.get()
    inside: list[Any] = []
    wanted = rule_firings.top_up_rules.wanted

    def fire() -> TopUpFiring:
        with transaction.atomic():
            return rule_firings.fire(rule=rule, wallet=wallet, pending=Decimal(0), at=AT)

    def slow(*given: Any, **named: Any) -> Any:
        if not inside:
            inside.append(True)
            inside.extend(together([fire]))
        return wanted(*given, **named)

    monkeypatch.setattr(rule_firings.top_up_rules, "wanted", slow)
    with pytest.raises(IntegrityError, match="billing_top_up_firing_once"):
        fire()
    assert inside[1].outcome == "topped_up"
    assert TopUpFiring.objects.count() == 1
    assert WalletTransaction.objects.filter(rule__isnull=False).count() == 2

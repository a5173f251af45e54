"""What of documents and money meets a rule for second persons on its side ways too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group

from config.kernel.actors import Actor
from config.platform.services import approval_rules
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired
from invoicing.models import RecurringTransactionRule, Wallet
from invoicing.services import approval_actions, wallet_rules
from tests.factories import invoicing as make
from tests.factories.wallets import make_wallet

pytestmark = pytest.mark.django_db

PERSON = Actor(kind="user", label="Alice")
WEEKLY: dict[str, Any] = {"trigger": "interval", "interval": "weekly", "method": "fixed"}


def agree(wallet: Wallet, actor: Actor = PERSON, **values: Any) -> list[RecurringTransactionRule]:
    given: Any = {**WEEKLY, **values}
    return wallet_rules.agree(wallet_id=wallet.pk, values=[given], actor=actor, at=make.AT)


def test_a_rule_that_gives_credits_again_and_again_needs_the_second_person() -> None:
    """Credits are worth 2.00 EUR: 5 of them are within the limit of 10.00, 5.01 are above it."""
    rule = RuleValues(approval_actions.GRANT_CREDITS, Group.objects.create(name="Checkers").pk, "EUR", Decimal(10))
    approval_rules.create(values=rule, actor=make.ACTOR, at=make.AT)
    wallet = make_wallet(make.make_customer(make.make_entity(), currency="EUR"), rate_amount=Decimal(2))
    target = {"method": "target", "target_ongoing_balance": Decimal(1), "grants_target_top_up": True}
    for values in ({"granted_credits": Decimal("5.01")}, target):
        with pytest.raises(ApprovalRequired):
            agree(wallet, **values)
        with pytest.raises(ApprovalRequired):  # a client cannot ask
            agree(wallet, replace(PERSON, kind="api_key"), **values)
    assert not RecurringTransactionRule.objects.exists()
    [made] = agree(wallet, granted_credits=Decimal(5), paid_credits=Decimal(5000))
    with pytest.raises(ApprovalRequired):
        agree(wallet, lago_id=made.uuid, granted_credits=Decimal(6))
    agree(wallet, lago_id=made.uuid, granted_credits=Decimal(6), actor=make.ACTOR)  # what jobs do was agreed before

"""What of documents and money meets a rule for second persons on its side ways too."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from moneyed import Money

from config.kernel.actors import Actor
from config.platform.services import approval_rules
from config.platform.services.approval_rules import RuleValues
from config.platform.services.approvals import ApprovalRequired
from customers.models import Customer
from invoicing.models import InvoiceLine, RecurringTransactionRule, Wallet
from invoicing.services import approval_actions, payments, standalone_lines, wallet_rules
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


def test_ways_around_a_payment_meet_a_rule_of_their_own() -> None:
    """Declaring 10.01 EUR paid books nothing and hides a debt; a fee told as refunded books money that went out."""
    checkers = Group.objects.create(name="Checkers").pk
    for action in (approval_actions.DECLARE_PAID, approval_actions.REFUND_FEE):
        rule = RuleValues(action, checkers, "EUR", Decimal(10))
        approval_rules.create(values=rule, actor=make.ACTOR, at=make.AT)
    customer = make.make_customer(make.make_entity())
    small, big = make.issue(customer, "10"), make.issue(customer, "10.01")
    key = replace(PERSON, kind="api_key")
    for actor in (PERSON, key):
        with pytest.raises(ApprovalRequired):
            payments.declare(invoice_id=big.pk, payment_status="succeeded", actor=actor, at=make.AT)
    payments.declare(invoice_id=small.pk, payment_status="succeeded", actor=key, at=make.AT)
    payments.declare(invoice_id=small.pk, payment_status="failed", actor=key, at=make.AT)
    part = {"reference": "", "paid_at": make.AT, "actor": key, "at": make.AT}
    payments.record(invoice_id=big.pk, amount=Money("0.01", "EUR"), **part)
    payments.declare(invoice_id=big.pk, payment_status="succeeded", actor=key, at=make.AT)  # 10.00 are due

    line = alone(customer, "11")
    standalone_lines.set_payment_status(line_id=line.pk, payment_status="succeeded", actor=key, at=make.AT)
    with pytest.raises(ApprovalRequired):
        standalone_lines.set_payment_status(line_id=line.pk, payment_status="refunded", actor=key, at=make.AT)
    line.refresh_from_db()
    assert line.payment_status == "succeeded"


def alone(customer: Customer, amount: str) -> InvoiceLine:
    """A fee that stands alone, without tax."""
    spec = standalone_lines.StandaloneSpec(
        customer_id=customer.pk,
        billing_entity_id=customer.billing_entity_id,
        currency="EUR",
        line=make.line(amount),
    )
    [row] = standalone_lines.create_many(specs=[spec], actor=make.ACTOR, at=make.AT)
    return row

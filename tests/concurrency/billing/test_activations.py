"""A first payment and its time-out, or a decline, at the same moment: one decides, and money and state agree."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from billing.domain.activation import Rule
from billing.models import ActivationRule, Subscription
from billing.services import activations, subscription_moves
from config.kernel import db, jobs
from invoicing.models import Invoice, Payment
from invoicing.services import open_invoices, payments
from tests.concurrency.threads import together
from tests.factories import billing, catalog, customers
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
START = instant("2026-05-01T09:00")
LATE = START + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subscription of 30.00 that waits for an hour; messages go nowhere."""

    def drop(path: str, **kwargs: object) -> None:
        """Send nothing."""

    monkeypatch.setattr(jobs, "enqueue", drop)
    begin("sub")


def begin(external_id: str) -> None:
    version = catalog.make_plan(external_id, cents=3000, pay_in_advance=True, at=instant("2026-01-01"))
    customer = customers.make_customer(f"of-{external_id}")
    billing.make_subscription(customer, version, external_id, at=START, activation_rules=[Rule(timeout_hours=1)])


def pay(external_id: str = "sub", amount: str = "30", at: datetime = LATE) -> Any:
    rule = ActivationRule.objects.get(subscription__external_id=external_id)
    return payments.record(
        invoice_id=rule.invoice_id, amount=Money(Decimal(amount), "EUR"), reference="", paid_at=at, actor=ACTOR, at=at
    )


def state() -> tuple[str, str, str, int]:
    rule = ActivationRule.objects.get(subscription__external_id="sub")
    invoice = Invoice.objects.get(pk=rule.invoice_id)
    return rule.subscription.status, rule.status, invoice.status, Payment.objects.count()


@pytest.mark.parametrize("round_", range(4))
def test_a_payment_and_the_time_out(round_: int) -> None:
    paid, _ = together([pay, lambda: subscription_moves.expire_unpaid(as_of=LATE)])
    if isinstance(paid, Payment):
        assert state() == ("active", "satisfied", "finalized", 1)
    else:
        assert isinstance(paid, payments.UnableToPay)
        assert state() == ("canceled", "expired", "closed", 0)


def test_a_payment_and_a_decline() -> None:
    pk = Subscription.objects.get().pk
    paid, declined = together([pay, lambda: activations.decline(subscription_id=pk, reason="", actor=ACTOR, at=LATE)])
    assert isinstance(paid, Payment) != isinstance(declined, Subscription)
    assert state() in (("active", "satisfied", "finalized", 1), ("canceled", "declined", "closed", 0))


def test_two_halves_of_the_payment() -> None:
    outcomes = together([lambda: pay(amount="15"), lambda: pay(amount="15")])
    assert all(isinstance(one, Payment) for one in outcomes)
    assert state() == ("active", "satisfied", "finalized", 2)


def test_two_whole_payments() -> None:
    outcomes = together([pay, pay])
    assert sorted(isinstance(one, Payment) for one in outcomes) == [False, True]
    assert state() == ("active", "satisfied", "finalized", 1)


def test_control_without_the_lock_of_the_customer_they_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows what the lock is for: a payment holds the invoice and wants the customer, a decline the other way round."""
    monkeypatch.setattr(open_invoices, "locked", lambda pk: db.lock_one(Invoice.objects.filter(pk=pk)))
    pk = Subscription.objects.get().pk
    found = []
    for number in range(6):
        if number:
            begin(f"again{number}")
            pk = Subscription.objects.get(external_id=f"again{number}").pk
        name = Subscription.objects.get(pk=pk).external_id
        found += together(
            [
                lambda name=name: pay(name),
                lambda pk=pk: activations.decline(subscription_id=pk, reason="", actor=ACTOR, at=LATE),
            ]
        )
    assert any(isinstance(one, Exception) for one in found)

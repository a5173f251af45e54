"""Wallets beside current usage: what is open of all subscriptions and drafts, rules that top up, alerts, and who is
looked at when.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import TopUpFiring, TriggeredWalletAlert, WalletCheck, WalletDepletion
from billing.services import interval_top_ups, ongoing_balances, wallet_alerts
from billing.services.ongoing_balances import Looked
from catalog.models import PlanVersion
from config.platform.models import AuditEntry
from customers.models import Customer
from invoicing.models import Invoice, Wallet, WalletTransaction
from invoicing.services import voiding, wallet_top_ups
from invoicing.services.wallet_top_ups import TopUp
from tests.factories import billing as made
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories import plan_stories as story
from tests.factories import wallets as purses
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db

MAY = instant("2026-05-01")


@pytest.fixture
def customer() -> Customer:
    """10 % tax."""
    tax = parties.make_tax(rate=Decimal("0.1"))
    return parties.make_customer(parties.make_entity(taxes=[tax]), timezone="UTC", currency="EUR")


@pytest.fixture
def plan() -> PlanVersion:
    """1.00 for each gigabyte."""
    return goods.make_plan("p", cents=0, charges=[goods.standard(goods.make_metric("gigabytes", "sum_agg"), "1")])


def make_wallet(customer: Customer, given: str = "0", rule: dict[str, Any] | None = None, **values: Any) -> Wallet:
    content = purses.values(customer, **values)
    rules: Any = [] if rule is None else [{name: _decimal(value) for name, value in rule.items()}]
    wanted = TopUp(granted_credits=Decimal(given))
    return wallet_top_ups.create_wallet(values=content, wanted=wanted, actor=ACTOR, at=MAY, recurring=rules)


def _decimal(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def use(moment: str, units: int) -> None:
    made.send("sub", "gigabytes", moment, gigabytes=str(units))


def look(at: str) -> Looked:
    found = ongoing_balances.run(as_of=instant(at))
    assert found.failed == {}
    return found


def left(wallet: Wallet) -> tuple[str, str, str]:
    """Balance, current usage and ongoing balance."""
    wallet.refresh_from_db()
    amounts = (wallet.balance_amount, wallet.ongoing_usage_amount, wallet.ongoing_balance_amount)
    first, second, third = (f"{one.amount.normalize():f}" for one in amounts)
    return first, second, third


def top_ups(wallet: Wallet) -> list[tuple[str, str, Decimal]]:
    rows = WalletTransaction.objects.filter(wallet=wallet, rule__isnull=False).order_by("pk")
    return [(row.transaction_status, row.status, row.credit_amount.normalize()) for row in rows]


def test_usage_drafts_and_invoices_of_a_month(customer: Customer, plan: PlanVersion) -> None:
    customer.invoice_grace_period = 5
    customer.save()
    story.begin(customer, plan, "2026-05-01")
    first, last = make_wallet(customer, "50", code="first", priority=1), make_wallet(customer, "20", code="last")
    look("2026-05-01T00:01")
    assert (left(first), left(last)) == (("50", "0", "50"), ("20", "0", "20"))
    assert not WalletCheck.objects.exists()
    assert look("2026-05-01T00:02").customers == 0
    # 100 with 10 % tax: the first pays its 50, the last takes the other 60 and goes below nothing.
    use("2026-05-02T10:00", 100)
    look("2026-05-02T10:01")
    assert (left(first), left(last)) == (("50", "50", "0"), ("20", "60", "-40"))
    assert {row.wallet.code for row in WalletDepletion.objects.all()} == {"first", "last"}
    # The month is over: the same on a draft, and nothing of June.
    story.run("2026-06-01T00:10")
    assert look("2026-06-01T00:11").customers == 1
    assert (left(first), left(last)) == (("50", "50", "0"), ("20", "60", "-40"))
    draft = Invoice.objects.get()
    voiding.void_draft(invoice_id=draft.pk, reason="wrong", actor=ACTOR, at=instant("2026-06-01T01:00"))
    look("2026-06-01T01:01")
    assert (left(first), left(last)) == (("50", "0", "50"), ("20", "0", "20"))
    # Used up twice, told twice: it was not in between.
    use("2026-06-02T10:00", 100)
    look("2026-06-02T10:01")
    look("2026-06-03T10:02")
    assert sorted(WalletDepletion.objects.values_list("wallet__code", "number")) == [
        ("first", 1),
        ("first", 2),
        ("last", 1),
        ("last", 2),
    ]


def test_a_wallet_for_other_usage_is_left_alone(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    other = make_wallet(customer, "50", code="other", fee_types=["subscription"])
    foreign = make_wallet(parties.make_customer(customer.billing_entity, "c2", currency="EUR"), "50")
    use("2026-05-02T10:00", 10)
    look("2026-05-02T10:01")
    assert (left(other), left(foreign)) == (("50", "0", "50"), ("50", "0", "50"))


def test_a_threshold_buys_once_for_a_fall(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    rule = {"trigger": "threshold", "threshold_credits": 20, "paid_credits": 15, "granted_credits": 1}
    wallet = make_wallet(customer, "50", rule)
    assert look("2026-05-01T00:01").top_ups == 0
    # 55 used: -5 are left. Gap 20 + 5 - 1 = 24 of 15: 15 x (1 + 1), and 1 given.
    use("2026-05-02T10:00", 50)
    assert look("2026-05-02T10:01").top_ups == 1
    assert top_ups(wallet) == [("purchased", "pending", Decimal(30)), ("granted", "settled", Decimal(1))]
    assert left(wallet) == ("51", "55", "-4")
    # What waits for its payment counts: nothing more is bought.
    assert look("2026-05-02T10:02").top_ups == 0
    assert look("2026-05-03T12:00").top_ups == 0
    bought = WalletTransaction.objects.get(transaction_status="purchased")
    assert bought.invoice is not None
    purses.pay(bought.invoice)
    look("2026-05-03T12:01")
    assert left(wallet) == ("81", "55", "26")
    firing = TopUpFiring.objects.get()
    assert (firing.outcome, firing.ongoing_credits, firing.pending_credits) == ("topped_up", -5, 0)
    assert bought.source == "threshold"


def test_more_usage_while_a_purchase_waits_buys_more(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    wallet = make_wallet(customer, "50", {"trigger": "threshold", "threshold_credits": 20, "paid_credits": 15})
    use("2026-05-02T10:00", 50)
    look("2026-05-02T10:01")
    # Another 33: ongoing -38, 30 wait. Gap 20 + 38 - 30 = 28: 15 x (1 + 1).
    use("2026-05-02T11:00", 30)
    look("2026-05-02T11:01")
    assert [row[2] for row in top_ups(wallet)] == [30, 30]


def test_a_declined_purchase_is_not_asked_for_again_at_once(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    wallet = make_wallet(customer, "50", {"trigger": "threshold", "threshold_credits": 20, "paid_credits": 40})
    use("2026-05-02T10:00", 40)
    look("2026-05-02T10:01")
    bought = WalletTransaction.objects.get(transaction_status="purchased")
    voiding.void(invoice_id=bought.invoice_id or 0, actor=ACTOR, at=instant("2026-05-02T10:30"))
    assert look("2026-05-02T10:31").top_ups == 0
    assert look("2026-05-02T11:29").top_ups == 0
    assert look("2026-05-02T11:31").top_ups == 1
    assert [row[1] for row in top_ups(wallet)] == ["failed", "pending"]


def test_a_refusal_is_told_and_held(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    rule = {"trigger": "threshold", "threshold_credits": 20, "paid_credits": 5}
    wallet = make_wallet(customer, "10", rule, paid_top_up_min_amount_cents=10_000)
    assert look("2026-05-01T00:01").top_ups == 0
    assert look("2026-05-01T00:30").top_ups == 0
    firing = TopUpFiring.objects.get()
    assert (firing.outcome, firing.paid_credits) == ("refused", 5 * 3)  # gap 20 - 10 = 10: 5 x (2 + 1)
    assert "less than" in firing.reason
    assert top_ups(wallet) == []
    assert AuditEntry.objects.filter(verb="refuse_top_up").count() == 1
    look("2026-05-01T01:02")
    assert TopUpFiring.objects.count() == 2


def test_three_top_ups_in_ten_minutes_are_marked(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    wallet = make_wallet(customer, "50", {"trigger": "threshold", "threshold_credits": 20, "granted_credits": 5})
    use("2026-05-02T10:00", 40)
    # 6 left, and 5 more each time: 11, 16, 21.
    assert [look(f"2026-05-02T10:0{minute}").top_ups for minute in (1, 2, 3, 4)] == [1, 1, 1, 0]
    rule = wallet.recurring_transaction_rules.get()
    assert rule.warned_at == instant("2026-05-02T10:03")
    assert left(wallet)[2] == "21"


def test_an_interval_tops_up_once_a_day_to_its_target(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    rule = {"trigger": "interval", "interval": "weekly", "method": "target", "target_ongoing_balance": 60}
    wallet = make_wallet(customer, "50", {**rule, "grants_target_top_up": True, "transaction_name": "Weekly"})
    use("2026-05-02T10:00", 10)

    def run(at: str) -> int:
        found = interval_top_ups.run(as_of=instant(at))
        assert found.failed == {}
        return found.top_ups

    # Made on Friday the 1st: not due that day. On the 8th 50 - 11 = 39 are left.
    assert [run(at) for at in ("2026-05-01T12:00", "2026-05-07T23:59", "2026-05-08T00:55")] == [0, 0, 1]
    assert top_ups(wallet) == [("granted", "settled", Decimal(21))]
    # Once a day, also where it lacks again; a day on which nothing lacked is done as well.
    use("2026-05-08T02:00", 10)
    assert [run(at) for at in ("2026-05-08T02:55", "2026-05-14T12:00")] == [0, 0]
    assert TopUpFiring.objects.get().day.isoformat() == "2026-05-08"
    # The 15th was missed, and is made up for.
    assert [run(at) for at in ("2026-05-16T00:55", "2026-05-16T01:55")] == [1, 0]
    assert top_ups(wallet)[1:] == [("granted", "settled", Decimal(11))]
    first = TopUpFiring.objects.order_by("pk")[0]
    figures: dict[str, Any] = {"ongoing_credits": 0, "pending_credits": 0}
    with pytest.raises(IntegrityError, match="billing_top_up_firing_day"), transaction.atomic():
        TopUpFiring.objects.create(rule=first.rule, number=9, day=first.day, outcome="nothing", **figures)


def test_a_rule_ends_in_its_time(customer: Customer) -> None:
    rule = {"trigger": "interval", "interval": "weekly", "paid_credits": 5, "expiration_at": MAY + timedelta(days=7)}
    wallet = make_wallet(customer, "1", rule)
    assert interval_top_ups.run(as_of=instant("2026-05-08T00:55")).ended == 1
    assert interval_top_ups.run(as_of=instant("2026-05-08T01:55")).ended == 0
    assert wallet.recurring_transaction_rules.get().status == "terminated"
    assert top_ups(wallet) == []


def test_alerts_tell_a_fall_once_and_arm_again(customer: Customer, plan: PlanVersion) -> None:
    story.begin(customer, plan, "2026-05-01")
    wallet = make_wallet(customer, "100")
    values: Any = {
        "alert_type": "wallet_ongoing_balance_amount",
        "code": "low",
        "thresholds": [{"value": Decimal(5_000)}, {"value": Decimal(1_000), "recurring": True, "code": "step"}],
    }
    wallet_alerts.create(wallet=wallet, values=values, actor=ACTOR, at=MAY)
    other: Any = {"alert_type": "wallet_credits_balance", "code": "b", "thresholds": [{"value": Decimal(50)}]}
    wallet_alerts.create(wallet=wallet, values=other, actor=ACTOR, at=MAY)
    assert look("2026-05-01T00:01").alerts == 0
    use("2026-05-02T10:00", 60)  # 66.00: 34.00 are left
    assert look("2026-05-02T10:01").alerts == 1
    assert look("2026-05-02T10:02").alerts == 0
    told = TriggeredWalletAlert.objects.get()
    assert (told.alert_code, told.previous_value, told.current_value) == ("low", 10_000, 3_400)
    assert [one["value"] for one in told.crossed] == ["5000.000000000000000", "4000.000000000000000"]
    purses.give(wallet, "50")
    look("2026-05-02T10:03")
    use("2026-05-02T11:00", 40)  # 150 - 110 = 40
    assert look("2026-05-02T11:01").alerts == 1
    assert TriggeredWalletAlert.objects.count() == 2


def test_one_that_fails_stops_no_other(customer: Customer, plan: PlanVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    second = parties.make_customer(customer.billing_entity, "c2", currency="EUR")
    make_wallet(customer, "1")
    good = make_wallet(second, "2")
    read = ongoing_balances.wallet_usage.nets

    def nets(*, customer_id: int, at: Any) -> Any:
        if customer_id == customer.pk:
            raise RuntimeError("not now")
        return read(customer_id=customer_id, at=at)

    monkeypatch.setattr(ongoing_balances.wallet_usage, "nets", nets)
    found = ongoing_balances.run(as_of=instant("2026-05-01T00:01"))
    assert (found.customers, found.failed) == (1, {customer.external_id: "not now"})
    good.refresh_from_db()
    assert good.ongoing_refreshed_at == instant("2026-05-01T00:01")
    assert set(WalletCheck.objects.values_list("error", flat=True)) == {"not now"}
    monkeypatch.undo()
    assert look("2026-05-01T00:02").customers == 1

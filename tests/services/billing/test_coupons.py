"""Coupons on what billing makes: plans and their private versions, usage in advance, and invoices that wait."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money

from billing.domain.activation import Rule
from billing.models import Subscription
from billing.services import runs, subscription_moves
from customers.models import AppliedCoupon, Customer
from invoicing.models import Invoice, InvoiceCoupon
from invoicing.queries import coupon_uses
from invoicing.services import payments
from tests.factories import advance, billing, catalog, customers, usage
from tests.factories import coupons as make_coupons
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db
START = instant("2026-05-01T09:00")


@pytest.fixture
def customer() -> Customer:
    return customers.make_customer()


def waiting(customer: Customer, **coupon: Any) -> AppliedCoupon:
    """A subscription of 30.00 in advance that runs once it is paid, of a customer with a coupon."""
    applied = make_coupons.give(customer, at=instant("2026-04-01"), **coupon)
    plan = catalog.make_plan(cents=3000, pay_in_advance=True, at=instant("2026-01-01"))
    billing.make_subscription(customer, plan, at=START, activation_rules=[Rule(timeout_hours=48)])
    applied.refresh_from_db()
    return applied


def test_what_waits_for_its_payment_asks_for_what_coupons_leave(customer: Customer) -> None:
    applied = waiting(customer)
    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.coupons_amount.amount, invoice.total_amount.amount) == ("open", 10, 20)
    assert applied.ended_by == "use"

    payments.record(invoice_id=invoice.pk, amount=Money(20, "EUR"), reference="", paid_at=START, actor=ACTOR, at=START)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.payment_status, invoice.coupons_amount.amount) == ("finalized", "succeeded", 10)
    assert Subscription.objects.get().status == "active"
    assert InvoiceCoupon.objects.count() == 1
    assert coupon_uses.agrees(invoice=invoice)


def test_what_is_not_paid_gives_its_coupons_back(customer: Customer) -> None:
    applied = waiting(customer, frequency="recurring", frequency_duration=1)
    assert applied.status == "terminated"

    assert subscription_moves.expire_unpaid(as_of=START + timedelta(hours=48)).done == 1

    applied.refresh_from_db()
    assert (applied.status, applied.used_amount, applied.frequency_duration_remaining) == (
        "active",
        Money(0, "EUR"),
        1,
    )
    assert Invoice.objects.get().status == "closed"


def test_what_coupons_pay_in_full_waits_for_nothing(customer: Customer) -> None:
    waiting(customer, rate="1", frequency="forever")

    invoice = Invoice.objects.get()
    assert (invoice.status, invoice.payment_status, invoice.total_amount.amount) == ("finalized", "succeeded", 0)
    assert Subscription.objects.get().status == "active"


def test_a_plans_coupon_lowers_all_that_is_billed_of_it_and_of_its_private_versions(customer: Customer) -> None:
    calls, seats = catalog.make_metric("calls"), catalog.make_add_on("seats")
    charges = [catalog.standard(calls, "0.10")]
    pro = catalog.make_plan(
        "pro", cents=1000, charges=charges, fixed_charges=[catalog.fixed(seats, 2, "5")], at=instant("2026-01-01"),
        minimum_commitment={"amount_cents": 10_000},
    )  # fmt: skip
    basic = catalog.make_plan("basic", cents=500, charges=charges, at=instant("2026-01-01"))
    billing.make_subscription(customer, pro, "a", at=instant("2026-05-01"))
    billing.make_subscription(customer, basic, "b", at=instant("2026-05-01"))
    own: Any = {"amount_cents": 2000, "name": "Agreed"}
    billing.make_subscription(customer, pro, "c", at=instant("2026-05-01"), own_terms=own)
    for name in ("a", "b", "c"):
        billing.send(name, "calls", "2026-05-03T10:00")
    make_coupons.give(customer, rate="0.5", plan_codes=["pro"], at=instant("2026-05-02"))

    runs.run_scheduled(as_of=instant("2026-06-01T02:00"))

    invoice = Invoice.objects.get()
    shares: dict[tuple[str, str], Decimal] = {}
    for line in invoice.lines.all():
        if line.amount.amount:
            key = (line.group_key, line.kind)
            shares[key] = line.precise_coupons_amount / line.amount.amount
    # Half of everything of both subscriptions of the plan, and nothing of the other one.
    assert {key: share for key, share in shares.items() if key[0] == "b"} == {
        ("b", "subscription"): 0,
        ("b", "charge"): 0,
    }
    assert {key for key in shares if key[0] != "b"} == {
        (name, kind) for name in ("a", "c") for kind in ("subscription", "charge", "fixed_charge", "commitment")
    }
    assert {share for key, share in shares.items() if key[0] != "b"} == {Decimal("0.5")}
    assert coupon_uses.agrees(invoice=invoice)


def test_usage_that_is_invoiced_at_once_takes_coupons(customer: Customer) -> None:
    advance.make_subscription(advance.make_plan(catalog.make_metric("calls"), "2", invoiceable=True))
    make_coupons.give(customer, rate="0.1", metric_codes=["calls"], frequency="forever", at=instant("2026-05-02"))
    usage.store(usage.make_event("2026-05-03T10:00:00", code="calls"))
    assert advance.bill("2026-05-03T10:01") == 1

    invoice = Invoice.objects.get()
    assert (invoice.fees_amount.amount, invoice.coupons_amount.amount) == (2, Decimal("0.20"))

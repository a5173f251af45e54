"""Every amount of a quote beside what is billed: units, own tiers, a minimum, a trial, a ramp that begins mid-month."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from billing.models import Contract
from billing.queries import quotes as known
from billing.services import subscription_moves
from customers.models import Customer
from invoicing.models import Invoice, InvoiceLine
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import invoicing as parties
from tests.factories import quotes as made
from tests.factories.billing import instant, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Customer:
    return parties.make_customer(parties.make_entity(taxes=[parties.make_tax()]))


@pytest.fixture
def sam() -> User:
    return made.person("sam")


def pass_days(*days: str) -> None:
    for day in days:
        subscription_moves.activate_pending(as_of=instant(day))
        subscription_moves.terminate_ended(as_of=instant(day))
        contracts.pass_days(day)


def fees() -> list[Decimal]:
    """The amounts of all lines of all invoices, before tax, in their order."""
    return [
        line.amount.amount for line in InvoiceLine.objects.filter(invoice__isnull=False).order_by("invoice_id", "pk")
    ]


def tiers(*rows: tuple[int, int | None, str]) -> dict[str, Any]:
    ranges = [{"from_value": a, "to_value": b, "per_unit_amount": c, "flat_amount": "0"} for a, b, c in rows]
    return {"graduated_ranges": ranges}


def test_units_own_tiers_and_a_minimum(customer: Customer, sam: User) -> None:
    calls = goods.make_metric("calls")
    graduated = {
        "billable_metric_id": calls.uuid,
        "charge_model": "graduated",
        "properties": tiers((0, 10, "1"), (11, None, "0.5")),
    }
    seats = goods.fixed(goods.make_add_on("seat"), 10, "7.777")
    plan = goods.make_plan("p", cents=10000, charges=[graduated], fixed_charges=[seats])
    (charge,) = plan.charges.all()
    own = {
        "charges": [{"id": str(charge.key), "properties": tiers((0, 5, "0.8"), (6, None, "0.123"))}],
        "minimum_commitment": {"amount_cents": 40000},
    }
    phase = {"plan_code": "p", "units": {"seat": "33"}, "overrides": own}
    form = made.offered(customer, {"term_months": 2, "items": [{"external_id": "sub", "phases": [phase]}]}, by=sam)
    totals = known.view(form.version).totals
    assert totals is not None
    # 100.00 and 33 × 7.777 = 256.641 → 256.64
    assert [line.amount for line in totals.phases[0].lines] == [Decimal("100.00"), Decimal("256.64")]
    assert totals.phases[0].minimum_amount == Decimal("400.00")

    made.accept(form)
    send("sub", "calls", *[f"2026-01-02T10:{minute:02}" for minute in range(8)])
    pass_days("2026-02-01")

    # 5 × 0.80 + 3 × 0.123 = 4.369 → 4.37; what is missing to the minimum: 400.00 − 361.01
    assert sorted(fees()) == [Decimal(text) for text in ("4.37", "38.99", "100.00", "256.64")]


def test_a_ramp_that_begins_mid_month(customer: Customer, sam: User) -> None:
    """From January 10 on, by periods of the contract, every step is whole months: nothing is billed by the day."""
    goods.make_plan("p", cents=9999, pay_in_advance=True)
    phases = [
        {"plan_code": "p", "discount_rate": "0.3333"},
        {"plan_code": "p", "after_months": 2, "discount_rate": "0.1"},
    ]
    offered = {"term_months": 4, "starts_on": "2026-01-10", "items": [{"external_id": "sub", "phases": phases}]}
    form = made.offered(customer, offered, by=sam)
    totals = known.view(form.version).totals
    assert totals is not None
    # 99.99 × 0.6667 = 66.663333 → 66.66; 99.99 × 0.9 = 89.991 → 89.99
    quoted = [Decimal("66.66")] * 2 + [Decimal("89.99")] * 2
    assert totals.total_amount == sum(quoted)

    made.accept(form, at="2026-01-05")
    pass_days("2026-01-10", "2026-02-10", "2026-03-10", "2026-04-10", "2026-05-10", "2026-06-10")

    assert fees() == quoted
    assert Contract.objects.get().ends_on.isoformat() == "2026-05-09"
    assert sum(invoice.fees_amount.amount for invoice in Invoice.objects.all()) == totals.total_amount


@pytest.mark.parametrize("in_advance", [False, True])
def test_a_trial(customer: Customer, sam: User, in_advance: bool) -> None:
    goods.make_plan("p", cents=9999, pay_in_advance=in_advance, trial_period=Decimal(10))
    offered = {"term_months": 2, "starts_on": "2026-01-10", "items": [{"phases": [{"plan_code": "p"}]}]}
    form = made.offered(customer, offered, by=sam)
    totals = known.view(form.version).totals
    assert totals is not None

    made.accept(form, at="2026-01-05")
    pass_days("2026-01-10", "2026-01-20", "2026-02-10", "2026-03-10", "2026-04-10")

    # 21 of the 31 days until February 9: 99.99 × 21 / 31 = 67.735… → 67.74, and a whole month
    assert fees() == [Decimal("67.74"), Decimal("99.99")]
    assert totals.total_amount == Decimal("167.73") == sum(fees())


def test_credits_of_parts_in_a_currency_without_cents(sam: User) -> None:
    """100.5 credits of ¥1 are quoted as they are invoiced."""
    customer = parties.make_customer(parties.make_entity(), currency="JPY")
    goods.make_plan("p", cents=1000, currency="JPY")
    offered = made.terms("p", credits=[{"paid_credits": "100.5", "granted_credits": "0"}])
    form = made.offered(customer, offered, by=sam, currency="JPY")
    totals = known.view(form.version).totals
    assert totals is not None

    made.accept(form)

    assert [invoice.total_amount.amount for invoice in Invoice.objects.all()] == [totals.credits_amount]

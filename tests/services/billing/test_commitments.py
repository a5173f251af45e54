"""Minimum commitments in the database: what counts, drafts, ends and changes of plan, taxes, and what refuses twice."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing.domain import trace
from billing.domain.late_usage import Decision
from billing.domain.simulation import Frame
from billing.models import BilledPeriod, LateUsage, RatedCharge, Subscription
from billing.queries.simulation_contracts import Subject
from billing.services import (
    advance_events,
    late_usage,
    runs,
    simulation_offers,
    simulations,
    subscription_plans,
    terminations,
)
from billing.services.plan_changes import state_of
from billing.services.simulations import Wanted
from catalog.models import PlanVersion
from catalog.services import plans
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import invoices
from tests.factories import billing as made
from tests.factories import books
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


def make_plan(code: str = "pro", *, minimum: int = 100000, cents: int = 10000, **values: Any) -> PlanVersion:
    return goods.make_plan(code, cents=cents, minimum_commitment={"amount_cents": minimum}, **values)


def run(at: str) -> None:
    runs.run(as_of=instant(at), trigger="test", actor=ACTOR)


def lines(invoice: Invoice | None = None) -> list[tuple[str, str]]:
    """Return the kind and the amount of the lines of an invoice, the last one unless told."""
    invoice = invoice or Invoice.objects.order_by("pk").last()
    assert invoice is not None
    return [(line.kind, f"{line.amount.amount:.2f}") for line in invoice.lines.order_by("position")]


def committed() -> list[str]:
    rows = RatedCharge.objects.filter(line__kind="commitment").order_by("pk").select_related("line")
    assert all(trace.verify(row.trace) for row in rows)
    return [f"{row.from_at:%m-%d}..{row.to_at:%m-%d} {row.line.amount.amount:.2f}" for row in rows]


def test_usage_and_fixed_charges_count_and_reach_it(customer: Customer) -> None:
    metric, seats = goods.make_metric("requests"), goods.make_add_on("seats")
    plan = make_plan(charges=[goods.standard(metric, "100")], fixed_charges=[goods.fixed(seats, 10, "20")])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10", "2026-01-20")
    run("2026-02-01T00:10")
    # 1000 - 100 - 2 x 100 - 10 x 20
    assert lines() == [
        ("subscription", "100.00"), ("charge", "200.00"), ("fixed_charge", "200.00"), ("commitment", "500.00")
    ]  # fmt: skip
    line = InvoiceLine.objects.get(kind="commitment")
    assert (line.label, line.item_code, line.units) == ("Minimum commitment – True-up", "pro", Decimal(1))
    assert line.amount_details == {"commitment": "1000", "counted": "500"}
    assert (line.from_at, line.to_at) == (instant("2026-01-01"), instant("2026-02-01"))

    made.send("sub", "requests", *["2026-02-10"] * 7)
    run("2026-03-01T00:10")
    # 100 + 700 + 200 are the minimum: there is nothing missing, and no line of nothing.
    assert lines() == [("subscription", "100.00"), ("charge", "700.00"), ("fixed_charge", "200.00")]
    assert committed() == ["01-01..02-01 500.00"]


def test_what_is_paid_in_advance_counts_where_it_is_used(customer: Customer) -> None:
    events, units = goods.make_metric("events", "sum_agg"), goods.make_metric("units", "sum_agg", recurring=True)
    alone = goods.make_metric("alone", "sum_agg")
    plan = make_plan(
        pay_in_advance=True,
        charges=[
            goods.standard(events, "1", pay_in_advance=True),
            goods.standard(units, "1", pay_in_advance=True),
            goods.standard(alone, "1", pay_in_advance=True, invoiceable=False),
        ],
    )
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "events", "2026-01-10", events=30)
    made.send("sub", "units", "2026-01-10", units=15)
    made.send("sub", "alone", "2026-01-10", alone=5)
    assert advance_events.sweep(as_of=instant("2026-01-10")).fees == 3
    run("2026-02-01T00:10")
    # 1000 - 100 - 30 - 15 - 5 for January; the 15 on this invoice are those of February.
    assert lines() == [("subscription", "100.00"), ("charge", "15.00"), ("commitment", "850.00")]
    run("2026-03-01T00:10")
    assert lines()[-1] == ("commitment", "885.00")  # 1000 - 100 - 15


def test_usage_in_advance_that_waits_is_billed_before_its_time_is_settled(customer: Customer) -> None:
    plan = make_plan(charges=[goods.standard(goods.make_metric("events", "sum_agg"), "1", pay_in_advance=True)])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "events", "2026-01-31T23:59:59", events=30)
    run("2026-02-01T00:10")
    # The event is on an invoice of its own; 1000 - 100 - 30.
    assert lines() == [("subscription", "100.00"), ("commitment", "870.00")]
    assert advance_events.sweep(as_of=instant("2026-02-01T01:00")).fees == 0
    assert sum(line.amount.amount for line in InvoiceLine.objects.all()) == 1000


@pytest.mark.parametrize("in_advance", [False, True])
def test_a_year_counts_all_of_its_months(customer: Customer, *, in_advance: bool) -> None:
    metric = goods.make_metric("requests")
    plan = make_plan(
        interval="yearly",
        pay_in_advance=in_advance,
        bill_charges_monthly=True,
        charges=[goods.standard(metric, "10")],
    )
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    made.send("sub", "requests", "2026-01-10", "2026-06-10", "2026-12-10")
    run("2026-03-01T00:10")
    assert committed() == []
    # Those of the months that the run catches up with count as well: 1000 - 100 - 3 x 10.
    run("2027-01-01T00:10")
    assert committed() == ["01-01..01-01 870.00"]
    assert sum(line.amount.amount for line in InvoiceLine.objects.filter(from_at__year=2026)) == 1000


def test_a_draft_follows_its_usage_and_is_settled_again_when_it_is_voided(entity: BillingEntity) -> None:
    customer = parties.make_customer(entity, invoice_grace_period=3)
    plan = make_plan(charges=[goods.standard(goods.make_metric("requests"), "100")])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    assert lines() == [("subscription", "100.00"), ("commitment", "900.00")]
    made.send("sub", "requests", "2026-01-31")

    draft = Invoice.objects.get()
    invoices.refresh(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-02"))
    assert lines() == [("subscription", "100.00"), ("charge", "100.00"), ("commitment", "800.00")]

    invoices.void_draft(invoice_id=draft.pk, actor=ACTOR, at=instant("2026-02-02T10:00"), reason="wrong")
    run("2026-02-02T11:00")
    assert Invoice.objects.count() == 2
    assert lines() == [("subscription", "100.00"), ("charge", "100.00"), ("commitment", "800.00")]
    assert BilledPeriod.objects.filter(released_at__isnull=True).count() == 1


def test_the_database_refuses_to_settle_a_time_twice(customer: Customer) -> None:
    made.make_subscription(customer, make_plan(), at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    row = RatedCharge.objects.get(line__kind="commitment")
    other = InvoiceLine.objects.get(kind="subscription")
    with books.behind_its_back():
        RatedCharge.objects.filter(line=other).delete()
    row.pk, row.uuid, row.line = None, "00000000-0000-4000-8000-000000000001", other
    with pytest.raises(IntegrityError, match="billing_rated_once"), transaction.atomic():
        row.save(force_insert=True)
    run("2026-02-01T00:20")
    assert committed() == ["01-01..02-01 900.00"]


def test_a_free_plan_in_advance_has_its_minimum(customer: Customer) -> None:
    made.make_subscription(customer, make_plan(cents=0, pay_in_advance=True), at=instant("2026-01-16"))
    assert Invoice.objects.count() == 0
    run("2026-02-01T00:10")
    assert lines() == [("commitment", "516.13")]  # 1000 / 31 x 16


def test_a_backdated_plan_in_advance_begins_with_its_first_fee(customer: Customer) -> None:
    plan = make_plan(pay_in_advance=True)
    made.make_subscription(customer, plan, at=instant("2026-03-10"), subscription_at=instant("2026-01-10"))
    run("2026-04-01T00:10")
    assert lines() == [("subscription", "100.00")]
    run("2026-05-01T00:10")
    assert committed() == ["04-01..05-01 900.00"]


@pytest.mark.parametrize(
    ("in_advance", "expected"),
    [
        (False, [("subscription", "53.57"), ("commitment", "482.14")]),  # 15/28 of 100; 535.714... - 53.57
        (True, [("commitment", "435.71")]),  # 535.714... - 100: the fee counts in full, though it is credited in part
    ],
)
def test_an_end_settles_the_days_until_then(
    customer: Customer, expected: list[tuple[str, str]], *, in_advance: bool
) -> None:
    subscription = made.make_subscription(customer, make_plan(pay_in_advance=in_advance), at=instant("2026-02-01"))
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-02-15T10:00"))
    assert lines() == expected
    run("2026-03-01T00:10")
    assert len(committed()) == 1


def test_an_end_without_an_invoice_settles_nothing(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-02-01"))
    terminations.terminate(
        subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-02-15"), on_termination_invoice="skip"
    )
    run("2026-03-01T00:10")
    assert committed() == []


def change(subscription: Subscription, plan: str, at: str) -> None:
    current = Subscription.objects.get(pk=subscription.pk)
    subscription_plans.change_plan(
        subscription_id=current.pk, plan_code=plan, seen=state_of(current), actor=ACTOR, at=instant(at)
    )


def test_an_upgrade_settles_the_old_plan_and_the_new_one_begins(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-02-01"))
    make_plan("max", cents=20000, minimum=200000)
    change(subscription, "max", "2026-02-15T10:00")
    # The old plan: 15/28 of 1000, less 14/28 of 100. The new one: 14/28 of 2000, less 14/28 of 200.
    assert lines() == [("subscription", "50.00"), ("commitment", "485.71")]
    run("2026-03-01T00:10")
    assert lines() == [("subscription", "100.00"), ("commitment", "900.00")]
    run("2026-04-01T00:10")
    assert lines() == [("subscription", "200.00"), ("commitment", "1800.00")]


def test_a_downgrade_settles_the_whole_last_period_of_the_old_plan(customer: Customer) -> None:
    subscription = made.make_subscription(customer, make_plan(), at=instant("2026-02-01"))
    goods.make_plan("low", cents=1000)
    change(subscription, "low", "2026-02-15T10:00")
    assert Invoice.objects.count() == 0
    run("2026-03-01T00:10")
    assert lines() == [("subscription", "100.00"), ("commitment", "900.00")]
    run("2026-04-01T00:10")
    assert lines() == [("subscription", "10.00")]


def test_another_minimum_is_billed_from_the_next_invoice_on(customer: Customer) -> None:
    made.make_subscription(customer, make_plan(), at=instant("2026-01-01"))
    for changes, expected in (
        ({"amount_cents": 50000, "invoice_display_name": "Annual deal"}, ["01-01..02-01 400.00"]),
        ({}, ["01-01..02-01 400.00"]),
    ):
        at = instant("2026-01-20" if changes else "2026-02-20")
        plans.update(code="pro", values={"minimum_commitment": changes}, actor=ACTOR, at=at)  # type: ignore[typeddict-item]
        run("2026-02-01T00:10" if changes else "2026-03-01T00:10")
        assert committed() == expected
    assert InvoiceLine.objects.get(kind="commitment").label == "Annual deal"


def test_its_taxes_are_its_own_or_those_of_the_plan(customer: Customer) -> None:
    vat, low = goods.make_tax("vat", "0.19"), goods.make_tax("low", "0.07")
    made.make_subscription(customer, make_plan(tax_codes=["vat"]), at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    values: Any = {"minimum_commitment": {"tax_codes": ["low"]}}
    plans.update(code="pro", values=values, actor=ACTOR, at=instant("2026-02-02"))
    run("2026-03-01T00:10")
    found = InvoiceLine.objects.filter(kind="commitment").order_by("pk")
    assert [[tax.tax_id for tax in line.applied_taxes.all()] for line in found] == [[vat.pk], [low.pk]]
    assert found[1].taxes_amount.amount == 63  # 900 x 7 %


def test_what_no_plan_has_costs_no_query(customer: Customer) -> None:
    made.make_subscription(customer, goods.make_plan("free", cents=100), at=instant("2026-01-01"))
    with CaptureQueriesContext(connection) as captured:
        run("2026-02-01T00:10")
    assert not [query for query in captured if "unnest" in query["sql"] and "billing_ratedcharge" in query["sql"]]


def test_late_usage_goes_against_the_minimum_of_the_time_in_which_it_is_billed(customer: Customer) -> None:
    plan = make_plan(charges=[goods.standard(goods.make_metric("requests"), "10")])
    made.make_subscription(customer, plan, at=instant("2026-01-01"))
    run("2026-02-01T00:10")
    made.send("sub", "requests", "2026-01-20")
    late_usage.run(as_of=instant("2026-02-03"))
    entry = LateUsage.objects.get()
    late_usage.decide(
        entry_id=entry.pk, decision=Decision.BILL, reason="Agreed.", actor=ACTOR, at=instant("2026-02-04")
    )
    run("2026-03-01T00:10")
    # January was settled in February; the late line is billed in March, and March lacks so much less.
    assert lines() == [("subscription", "100.00"), ("commitment", "900.00"), ("charge", "10.00")]
    run("2026-04-01T00:10")
    assert committed() == ["01-01..02-01 900.00", "02-01..03-01 900.00", "03-01..04-01 890.00"]
    # Three months of 1000, as if the event had come in time.
    assert sum(line.amount.amount for line in InvoiceLine.objects.all()) == 3000


@pytest.mark.parametrize("in_advance", [False, True])
def test_a_simulation_comes_to_what_was_billed(customer: Customer, *, in_advance: bool) -> None:
    plan = make_plan(charges=[goods.standard(goods.make_metric("requests"), "100")], pay_in_advance=in_advance)
    made.make_subscription(customer, plan, at=instant("2026-01-16"))
    made.send("sub", "requests", "2026-01-20", "2026-02-20")
    frame = Frame(date(2026, 1, 1), date(2026, 4, 1))
    wanted = Wanted(frame=frame, subject=Subject(subscription="sub"), other=simulation_offers.stored(code="pro"))
    [played] = simulations.play(wanted=wanted)
    for month in ("02", "03", "04"):
        run(f"2026-{month}-01T00:10")
    billed = InvoiceLine.objects.filter(from_at__lt=instant("2026-04-01"))
    assert played.own.total == sum(line.amount.amount for line in billed) == Decimal("2516.13")
    assert played.other is not None
    assert played.other.total == played.own.total

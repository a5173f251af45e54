"""Contracts whose days pass in another order than planned: a late job, a pause over a phase or the end of a term."""

from __future__ import annotations

import functools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import chosen_times
from billing.domain.contract_terms import InvalidTerm
from billing.models import Contract, ContractPhase, Subscription
from billing.services import (
    contract_amendments,
    contract_commitments,
    contract_endings,
    progressive_billing,
    runs,
    subscription_moves,
    subscription_plans,
    subscription_updates,
    terminations,
)
from billing.services.contract_amendments import Change
from billing.services.contract_drafts import InvalidContract, NewCommitment
from catalog.models import PlanVersion
from catalog.services import price_lists
from config.kernel import errors
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, InvoiceLine
from invoicing.services import invoices, voiding
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant, send
from tests.factories.contracts import activate, chain, draft, move, pass_days, phase
from tests.factories.pause_stories import pause, resume
from tests.factories.plan_stories import amounts
from tests.factories.platform import ACTOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def entity() -> BillingEntity:
    return parties.make_entity()


@pytest.fixture
def customer(entity: BillingEntity) -> Customer:
    return parties.make_customer(entity)


@pytest.fixture
def plan() -> PlanVersion:
    return goods.make_plan("platform", cents=31000)


def bill(*days: str) -> None:
    """Bill what is due on days on which the job of contracts did not run."""
    for day in days:
        run = runs.run(as_of=instant(day), trigger="test", actor=ACTOR)
        assert run.failures_count == 0, list(run.items.values_list("error", flat=True))


RAMP = (
    phase("platform"),
    phase("platform", "2026-02-01", amount_cents=40000),
    phase("platform", "2026-03-01", amount_cents=50000),
    phase("platform", "2026-04-01", amount_cents=60000),
)
RENEWING: dict[str, Any] = {
    "term_months": 1,
    "renewal": "automatic",
    "notice_days": 5,
    "uplift_rate": Decimal("0.1"),
}


def test_an_outage_over_phases_bills_each_by_its_own_price(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP))

    bill("2026-05-01")

    assert amounts(customer) == ["platform 310", "platform 400", "platform 500", "platform 600"]
    assert ContractPhase.objects.filter(scheduled_at__isnull=True).count() == 0
    assert move("2026-05-01").phases == 0


def test_an_outage_over_a_phase_inside_a_month_cuts_it(customer: Customer, plan: PlanVersion) -> None:
    phases = (phase("platform"), phase("platform", "2026-02-01"), phase("platform", "2026-02-15", amount_cents=62000))
    activate(draft(customer, *phases))
    bill("2026-03-01")
    # 310.00; 310.00 × 14 / 28, 620.00 × 14 / 28
    assert amounts(customer) == ["platform 310", "platform 155", "platform 310"]


def test_an_outage_over_the_end_bills_the_last_phases(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, *RAMP, term_months=4))
    # The contract is over for the job first, then its subscription ends.
    assert move("2026-05-01").ended == 1
    bill("2026-05-01")
    subscription_moves.terminate_ended(as_of=instant("2026-05-01"))
    assert amounts(customer) == ["platform 310", "platform 400", "platform 500", "platform 600"]
    contract.refresh_from_db()
    assert contract.state == "ended"


def test_an_end_before_the_job_bills_the_last_phases(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP, term_months=4))
    subscription_moves.terminate_ended(as_of=instant("2026-05-01"))
    assert amounts(customer) == ["platform 310", "platform 400", "platform 500", "platform 600"]


def test_an_outage_over_renewals_bills_each_term_by_its_uplift(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, phase("platform", amount_cents=10000), **RENEWING))
    bill("2026-04-01")
    # 100.00, 110.00, 121.00
    assert amounts(customer) == ["platform 100", "platform 110", "platform 121"]
    assert Contract.objects.get().terms.count() == 4
    assert move("2026-04-01").renewed == 0


def test_a_start_that_waited_comes_to_all_its_phases(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP), "2025-12-01")
    subscription_moves.activate_pending(as_of=instant("2026-05-01"))
    bill("2026-05-01")
    assert amounts(customer) == ["platform 310", "platform 400", "platform 500", "platform 600"]


def test_a_pause_over_a_phase_runs_on_by_the_phase_of_the_day(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP))
    pause(Subscription.objects.get(status="active"), "2026-01-10T12:00")
    assert [row[0] for row in chain()] == ["terminated", "canceled", "paused"]

    pass_days("2026-02-01", "2026-03-01")
    resume(Subscription.objects.get(status="paused"), "2026-03-17")

    assert [row[:2] for row in chain()[2:]] == [("active", "500"), ("pending", "600")]
    pass_days("2026-04-01", "2026-05-01")
    # 310.00 × 10 / 31; 500.00 × 15 / 31, 600.00
    assert amounts(customer) == ["platform 100", "platform 241.94", "platform 600"]


def test_a_resume_that_comes_late_goes_through_its_phases(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP))
    current = Subscription.objects.get(status="active")
    pause(current, "2026-01-10T12:00", resume_on=date(2026, 2, 15))
    subscription_moves.resume_paused(as_of=instant("2026-04-01"))
    bill("2026-04-01")
    # 310.00 × 10 / 31; 400.00 × 14 / 28, 500.00
    assert amounts(customer) == ["platform 100", "platform 200", "platform 500"]
    assert [row[:2] for row in chain() if row[0] == "active"] == [("active", "600")]


def test_an_amendment_in_a_pause_goes_from_the_resume_on(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), **RENEWING))
    pause(Subscription.objects.get(status="active"), "2026-01-10T12:00")
    # Renewed on 27 January, in the pause.
    pass_days("2026-01-27", "2026-02-01")
    resume(Subscription.objects.get(status="paused"), "2026-02-15")
    pass_days("2026-03-01")
    # 310.00 × 10 / 31; 341.00 × 14 / 28
    assert amounts(customer) == ["platform 100", "platform 170.5"]
    contract.refresh_from_db()
    assert contract.ends_on == date(2026, 3, 31)


def test_a_term_that_ends_in_a_pause_is_settled(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=1, commitments=[NewCommitment(100000)]))
    pause(Subscription.objects.get(status="active"), "2026-01-10T12:00")
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    moved = move("2026-02-01")
    assert (moved.ended, moved.settled) == (1, 1)
    # 1,000.00 − 310.00 × 10 / 31
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 900
    assert [row[0] for row in chain()] == ["terminated", "canceled"]
    contract.refresh_from_db()
    assert contract.state == "ended"


def test_a_resume_that_is_agreed_in_the_term_comes_before_it_is_settled(customer: Customer, plan: PlanVersion) -> None:
    terms: dict[str, Any] = {**RENEWING, "uplift_rate": Decimal(0), "commitments": [NewCommitment(100000)]}
    activate(draft(customer, phase("platform"), **terms))
    pause(Subscription.objects.get(status="active"), "2026-01-10T12:00", resume_on=date(2026, 1, 22))
    assert move("2026-02-01").settled == 0
    subscription_moves.resume_paused(as_of=instant("2026-02-01"))
    bill("2026-02-01")
    assert move("2026-02-01").settled == 1
    # 1,000.00 − 310.00 × (10 + 10) / 31
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 800


def test_a_phase_is_not_called_off_by_hand(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP))
    current, waiting = Subscription.objects.order_by("pk")
    with pytest.raises(errors.NotAllowed) as refused:
        subscription_plans.cancel_change(subscription_id=current.pk, actor=ACTOR, at=instant("2026-01-10"))
    assert refused.value.code == "subscription_of_a_contract"
    with pytest.raises(errors.NotAllowed):
        terminations.terminate(subscription_id=waiting.pk, actor=ACTOR, at=instant("2026-01-10"))
    assert [row[0] for row in chain()] == ["active", "pending"]


def test_the_end_is_the_contracts(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, *RAMP))
    current = Subscription.objects.order_by("pk")[0]
    at = instant("2026-01-10")
    agreed = current.ending_at
    by_hand = {"subscription_id": current.pk, "actor": ACTOR, "at": at}
    for verb in (
        functools.partial(subscription_updates.update, changes={"ending_at": instant("2029-01-01")}),
        functools.partial(terminations.schedule, when=chosen_times.PERIOD_END),
        terminations.call_off,
    ):
        with pytest.raises(errors.NotAllowed) as refused:
            verb(**by_hand)
        assert refused.value.code == "subscription_of_a_contract"
    current.refresh_from_db()
    assert current.ending_at == agreed is not None


def committed(cents: int) -> dict[str, Any]:
    return {"commitments": [NewCommitment(cents)]}


def test_a_fee_in_advance_over_an_early_end_counts_for_its_days_of_service(customer: Customer) -> None:
    goods.make_plan("advance", cents=31000, pay_in_advance=True)
    contract = activate(draft(customer, phase("advance"), billing_time="calendar", **committed(36500000)))
    contract_endings.end(contract_id=contract.pk, ends_on=date(2026, 1, 21), actor=ACTOR, at=instant("2026-01-10"))
    subscription_moves.terminate_ended(as_of=instant("2026-01-22"))
    assert move("2026-01-22").settled == 1
    row = contract.commitments.get()
    # 310.00 less 310.00 × 10 / 31, all of it for days of the term; 365,000.00 × 21 / 365
    assert (row.billed_amount.amount, row.due_amount.amount) == (210, 21000)


def test_a_fee_in_arrears_over_the_end_of_a_term_counts_by_its_days(customer: Customer, plan: PlanVersion) -> None:
    terms: dict[str, Any] = {**RENEWING, "uplift_rate": Decimal(0), "billing_time": "calendar", **committed(100000)}
    activate(draft(customer, phase("platform"), starts_on="2026-01-11", **terms), "2026-01-11")
    pass_days("2026-02-01", "2026-02-11")
    # The ten days of February are not billed yet.
    assert not InvoiceLine.objects.filter(kind="commitment").exists()
    pass_days("2026-03-01")
    # 1,000.00 − 310.00 × 21 / 31 − 310.00 × 10 / 28
    assert [row.amount.amount for row in InvoiceLine.objects.filter(kind="commitment")] == [Decimal("679.29")]


def test_fixed_charges_in_arrears_are_billed_before_a_term_is_settled(customer: Customer) -> None:
    seats = goods.fixed(goods.make_add_on(), 10, "10")
    metric = goods.make_metric()
    goods.make_plan(
        "yearly",
        cents=0,
        interval="yearly",
        bill_charges_monthly=True,
        charges=[goods.standard(metric, "1")],
        fixed_charges=[seats],
    )
    terms: dict[str, Any] = {**RENEWING, "uplift_rate": Decimal(0), **committed(100000)}
    activate(draft(customer, phase("yearly"), **terms))
    pass_days("2026-02-01")
    assert not InvoiceLine.objects.filter(kind="commitment").exists()


def test_usage_billed_up_to_a_threshold_counts_once(customer: Customer) -> None:
    metric = goods.make_metric()
    goods.make_plan(
        "usage", cents=1000, charges=[goods.standard(metric, "2")], usage_thresholds=[{"amount_cents": 500}]
    )
    contract = activate(draft(customer, phase("usage"), term_months=1, **committed(10000)))
    send("sub", "requests", "2026-01-10", "2026-01-11", "2026-01-12")
    current = Subscription.objects.get()
    assert progressive_billing.bill(customer_id=customer.pk, external_id="sub", as_of=instant("2026-01-15")) is not None
    row = contract.commitments.get()
    assert contract_commitments.progress(contract=contract, commitments=[row])[row.pk].billed == 6
    send("sub", "requests", "2026-01-20")
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    assert move("2026-02-01").settled == 1
    current.refresh_from_db()
    row.refresh_from_db()
    # 10.00, 3 × 2.00 up to the threshold and 2.00 after it
    assert (row.billed_amount.amount, row.line.amount.amount) == (18, 82)


def test_usage_up_to_a_threshold_counts_where_no_last_invoice_bills_it(customer: Customer) -> None:
    metric = goods.make_metric()
    goods.make_plan(
        "usage", cents=1000, charges=[goods.standard(metric, "2")], usage_thresholds=[{"amount_cents": 500}]
    )
    contract = activate(draft(customer, phase("usage"), term_months=1, **committed(10000)))
    send("sub", "requests", "2026-01-10", "2026-01-11", "2026-01-12")
    progressive_billing.bill(customer_id=customer.pk, external_id="sub", as_of=instant("2026-01-15"))
    current = Subscription.objects.get()
    terminations.terminate(
        subscription_id=current.pk, on_termination_invoice="skip", actor=ACTOR, at=instant("2026-01-20")
    )
    assert move("2026-02-01").settled == 1
    assert contract.commitments.get().billed_amount.amount == 6


def test_a_voided_draft_of_a_term_is_billed_again_before_the_term_is_settled(
    entity: BillingEntity, plan: PlanVersion
) -> None:
    customer = parties.make_customer(entity, external_id="grace", invoice_grace_period=40)
    terms: dict[str, Any] = {**RENEWING, "term_months": 2, "uplift_rate": Decimal(0), **committed(100000)}
    activate(draft(customer, phase("platform"), **terms))
    pass_days("2026-02-01", "2026-03-01")
    first, second = Invoice.objects.order_by("pk")
    invoices.finalize(invoice_id=second.pk, actor=ACTOR, at=instant("2026-03-02"))
    voiding.void_draft(invoice_id=first.pk, reason="", actor=ACTOR, at=instant("2026-03-02"))
    assert move("2026-03-02").settled == 0

    bill("2026-03-03")
    again = Invoice.objects.get(status="draft")
    assert move("2026-03-03").settled == 0
    invoices.finalize(invoice_id=again.pk, actor=ACTOR, at=instant("2026-03-03"))
    assert move("2026-03-03").settled == 1
    # 1,000.00 − 2 × 310.00
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 380


@pytest.mark.parametrize(("scope", "least"), [("all", 55000), ("fee", 50000)])
def test_an_uplift_of_all_prices_raises_the_minimum_of_the_plan(customer: Customer, scope: str, least: int) -> None:
    goods.make_plan("least", cents=31000, minimum_commitment={"amount_cents": 50000})
    activate(draft(customer, phase("least"), uplift_scope=scope, **RENEWING))
    pass_days("2026-01-27", "2026-02-01")
    current = Subscription.objects.select_related("plan_version").get(status="active")
    assert current.plan_version.amount.amount == 341
    assert price_lists.read(current.plan_version).minimum_commitment.amount_cents == least


@pytest.mark.parametrize("renews", [True, False])
def test_a_minimum_of_the_contract_is_raised_by_itself_or_ends(
    customer: Customer, plan: PlanVersion, renews: bool
) -> None:
    least = NewCommitment(50000, kind="period", external_id="sub", renews=renews)
    activate(draft(customer, phase("platform"), uplift_scope="all", commitments=[least], **RENEWING))
    pass_days("2026-01-27", "2026-02-01")
    found = price_lists.read(Subscription.objects.get(status="active").plan_version).minimum_commitment
    assert (None if found is None else found.amount_cents) == (55000 if renews else None)


def test_days_that_no_calendar_has_are_refused(customer: Customer, plan: PlanVersion) -> None:
    with pytest.raises(InvalidTerm):
        draft(customer, phase("platform"), starts_on="9999-12-01")
    contract = activate(draft(customer, phase("platform")))
    change = Change(date(2026, 1, 10))
    extend = functools.partial(contract_amendments.extend_term, contract_id=contract.pk, change=change, actor=ACTOR)
    with pytest.raises(InvalidTerm):
        extend(ends_on=date(9999, 12, 31), at=instant("2026-01-10"))
    with pytest.raises(InvalidContract) as refused:
        contract_endings.preview(
            contract=contract,
            verb=functools.partial(extend, ends_on=date(2027, 12, 31), at=instant("2026-01-10")),
            on=date(9999, 12, 31),
            actor=ACTOR,
            at=instant("2026-01-10"),
        )
    assert refused.value.code == "outside_of_the_term"
    with pytest.raises(InvalidTerm):
        draft(customer, phase("platform"), renewal_months=0)

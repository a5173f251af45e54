"""Contracts: drafting, activation, ramps, renewal with an uplift, notice, and commitments over the term."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain import verification
from billing.domain.contract_states import InvalidContractState
from billing.domain.ramps import InvalidRamp
from billing.domain.renewals import InvalidNotice
from billing.models import Contract, ContractPhase, RatedCharge, Subscription
from billing.services import contract_days, contract_renewals, plan_changes, runs, subscription_moves, terminations
from billing.services.contract_drafts import InvalidContract, NewCommitment, NewItem
from catalog.models import PlanVersion
from catalog.services import plans
from config.kernel import dates, errors
from customers.models import BillingEntity, Customer
from invoicing.models import Invoice, InvoiceLine
from tests.factories import catalog as goods
from tests.factories import contracts as made
from tests.factories import invoicing as parties
from tests.factories.billing import instant, make_subscription, send
from tests.factories.contracts import activate, chain, draft, months, move, pass_days, phase
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
    return goods.make_plan("platform", cents=100000)


def test_a_draft_sells_nothing(customer: Customer, plan: PlanVersion) -> None:
    contract = draft(customer, phase("platform"))

    assert (contract.number, contract.state, contract.ends_on) == ("CT-000001", "draft", date(2026, 12, 31))
    assert not Subscription.objects.exists()
    assert move("2026-03-01").phases == 0


def test_a_ramp_bills_each_phase_by_its_own_price(customer: Customer, plan: PlanVersion) -> None:
    contract = draft(
        customer,
        phase("platform", amount_cents=50000),
        phase("platform", "2026-04-01", amount_cents=75000),
        phase("platform", "2026-07-01"),
    )

    activate(contract)

    assert chain() == [("active", "500", "2026-01-01"), ("pending", "750", "2026-04-01")]
    pass_days(*months("2026-02-01", 7))
    assert amounts(customer) == ["platform 500"] * 3 + ["platform 750"] * 3 + ["platform 1000"]
    assert [row[:2] for row in chain()] == [("terminated", "500"), ("terminated", "750"), ("active", "1000")]
    last = Subscription.objects.get(status="active")
    # A contract that does not renew: the end is agreed from the first day on, and carried along.
    assert last.ending_at == instant("2027-01-01") - (instant("2026-01-01T00:00:01") - instant("2026-01-01")) / 10**6
    assert last.contract_item_id == contract.items.get().pk
    assert ContractPhase.objects.filter(scheduled_at__isnull=True).count() == 0


def test_a_phase_inside_a_month_cuts_it(customer: Customer, plan: PlanVersion) -> None:
    activate(
        draft(customer, phase("platform", amount_cents=31000), phase("platform", "2026-01-16", amount_cents=62000))
    )

    pass_days("2026-01-16", "2026-02-01")

    # 310.00 × 15 / 31, then 620.00 × 16 / 31
    assert amounts(customer) == ["platform 150", "platform 320"]


def test_a_contract_signed_late_bills_what_has_passed_by_its_phases(customer: Customer, plan: PlanVersion) -> None:
    contract = draft(
        customer,
        phase("platform", amount_cents=50000),
        phase("platform", "2026-02-01", amount_cents=60000),
        phase("platform", "2026-03-01", amount_cents=70000),
        at="2026-03-20",
    )

    activate(contract, "2026-03-20")
    pass_days("2026-03-20", "2026-04-01")

    assert amounts(customer) == ["platform 500", "platform 600", "platform 700"]


def test_a_contract_in_the_future_waits(customer: Customer, plan: PlanVersion) -> None:
    contract = draft(customer, phase("platform", amount_cents=50000), starts_on="2026-03-01")
    activate(contract, "2026-01-10")
    assert chain() == [("pending", "500", "2026-03-01")]

    pass_days("2026-02-01")

    assert not Invoice.objects.exists()


def test_own_prices_are_locked_while_the_plan_changes(customer: Customer, plan: PlanVersion) -> None:
    from_catalog = draft(customer, phase("platform"))
    activate(from_catalog)
    before = Subscription.objects.get().plan_version_id

    plans.update(code="platform", values={"amount_cents": 200000}, actor=ACTOR, at=instant("2026-01-10"))
    pass_days("2026-02-01")

    assert Subscription.objects.get().plan_version_id == before
    assert amounts(customer) == ["platform 1000"]


def test_phases_have_to_fill_the_term(customer: Customer, plan: PlanVersion) -> None:
    with pytest.raises(InvalidRamp):
        draft(customer, phase("platform"), phase("platform", "2027-02-01"))
    with pytest.raises(InvalidRamp):
        draft(customer, phase("platform", "2026-02-01"))
    assert not Contract.objects.exists()


def test_a_contract_of_two_currencies_is_refused(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("dollars", currency="USD")
    with pytest.raises(InvalidContract):
        draft(customer, phase("platform"), phase("dollars", "2026-07-01"))


def test_activation_is_all_or_nothing(customer: Customer, plan: PlanVersion) -> None:
    make_subscription(customer, plan, "taken", at=instant("2026-01-01"))
    items = [NewItem("free", (phase("platform"),)), NewItem("taken", (phase("platform"),))]
    contract = draft(customer, items=items)

    with pytest.raises(errors.Invalid):
        activate(contract)

    contract.refresh_from_db()
    assert contract.state == "draft"
    assert not Subscription.objects.filter(external_id="free").exists()


def test_a_contract_is_activated_once(customer: Customer, plan: PlanVersion) -> None:
    contract = draft(customer, phase("platform"))
    activate(contract)
    with pytest.raises(InvalidContractState):
        activate(contract)
    assert Subscription.objects.count() == 1


def test_its_subscriptions_change_by_amendments_alone(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("other", cents=5000)
    activate(draft(customer, phase("platform")))
    current = Subscription.objects.get()

    with pytest.raises(errors.NotAllowed) as refused:
        make_subscription(customer, PlanVersion.objects.get(plan__code="other"), at=instant("2026-01-05"))

    assert refused.value.code == "subscription_of_a_contract"
    assert plan_changes.pending(current) is None


def test_a_contract_without_renewal_ends(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=2))
    pass_days("2026-02-01")
    subscription_moves.terminate_ended(as_of=instant("2026-03-01"))
    pass_days("2026-03-01", "2026-04-01")

    contract.refresh_from_db()
    assert (contract.state, Subscription.objects.get().status) == ("ended", "terminated")
    # Two whole months, and nothing of March.
    assert amounts(customer) == ["platform 1000", "platform 1000"]


RENEWING: dict[str, Any] = {
    "term_months": 2,
    "renewal": "automatic",
    "notice_days": 10,
    "uplift_rate": Decimal("0.05"),
}


def test_a_renewal_raises_the_fee_from_the_first_day_of_the_new_term(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform", amount_cents=33333), **RENEWING))
    pass_days("2026-02-01")
    # Notice could be given until 18 February, the last day included.
    assert move("2026-02-18").renewed == 0
    assert move("2026-02-19").renewed == 1
    assert move("2026-02-19T01:00").renewed == 0

    contract.refresh_from_db()
    assert (contract.ends_on, contract.state) == (date(2026, 4, 30), "active")
    # 333.33 × 1.05 = 349.9965
    assert chain() == [("active", "333.33", "2026-01-01"), ("pending", "350", "2026-03-01")]
    pass_days("2026-03-01", "2026-04-01")
    assert amounts(customer) == ["platform 333.33", "platform 333.33", "platform 350"]
    amendment = contract.amendments.get()
    assert (amendment.kind, amendment.effective_on) == ("renewal", date(2026, 3, 1))


def test_uplifts_compound_over_renewals(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform", amount_cents=10000), **RENEWING))
    pass_days(*months("2026-02-01", 6))

    contract.refresh_from_db()
    assert contract.terms.count() == 4
    # 100.00, 105.00, 110.25, 115.7625
    fees = ["100", "100", "105", "105", "110.25", "110.25"]
    assert amounts(customer) == [f"platform {fee}" for fee in fees]


def test_an_uplift_of_all_prices_raises_usage_too(customer: Customer) -> None:
    metric = goods.make_metric()
    goods.make_plan("usage", cents=1000, charges=[goods.standard(metric, "0.003")])
    values = {**RENEWING, "uplift_scope": "all", "uplift_rate": Decimal("0.1")}
    activate(draft(customer, phase("usage"), **values))
    pass_days("2026-02-01", "2026-02-19", "2026-03-01")

    current = Subscription.objects.get(status="active")
    assert current.plan_version.charges.get().properties == {"amount": "0.0033"}
    assert current.plan_version.amount.amount == 11


def test_without_an_uplift_nothing_changes_at_a_renewal(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), **{**RENEWING, "uplift_rate": Decimal(0)}))
    pass_days("2026-02-01", "2026-02-19", "2026-03-01")
    contract.refresh_from_db()
    assert contract.ends_on == date(2026, 4, 30)
    assert [row[0] for row in chain()] == ["active"]
    assert ContractPhase.objects.count() == 1


def test_notice_in_time_ends_the_contract(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), **RENEWING))
    assert Subscription.objects.get().ending_at is None

    contract_renewals.give_notice(
        contract_id=contract.pk, given_by="the customer", actor=ACTOR, at=instant("2026-02-18T12:00")
    )

    assert Subscription.objects.get().ending_at is not None
    assert move("2026-02-19").renewed == 0
    subscription_moves.terminate_ended(as_of=instant("2026-03-01"))
    assert move("2026-03-01").ended == 1
    assert Subscription.objects.get().status == "terminated"


def test_notice_that_comes_late_is_refused(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), **RENEWING))
    with pytest.raises(InvalidNotice):
        contract_renewals.give_notice(
            contract_id=contract.pk, given_by="the customer", actor=ACTOR, at=instant("2026-02-19T12:00")
        )
    assert not contract.notices.exists()


def test_notice_taken_back_lets_it_renew(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), **RENEWING))
    contract_renewals.give_notice(contract_id=contract.pk, given_by="us", actor=ACTOR, at=instant("2026-02-01"))
    contract_renewals.withdraw_notice(contract_id=contract.pk, actor=ACTOR, at=instant("2026-02-02"))
    assert Subscription.objects.get().ending_at is None
    assert move("2026-02-19").renewed == 1


def committed(cents: int = 1000000, **values: Any) -> dict[str, Any]:
    return {"commitments": [NewCommitment(amount_cents=cents, **values)]}


def test_what_was_not_bought_of_a_commitment_is_billed_once(customer: Customer, plan: PlanVersion) -> None:
    tax = goods.make_tax()
    activate(draft(customer, phase("platform"), term_months=3, **committed(500000, tax_codes=["vat"])))
    pass_days("2026-02-01", "2026-03-01")
    assert not InvoiceLine.objects.filter(kind="commitment").exists()
    subscription_moves.terminate_ended(as_of=instant("2026-04-01"))

    assert move("2026-04-01").settled == 1
    assert move("2026-04-02").settled == 0

    line = InvoiceLine.objects.get(kind="commitment")
    # 5,000.00 − 3 × 1,000.00
    assert line.amount.amount == 2000
    assert line.invoice.status == "finalized"
    assert [row.tax_id for row in line.applied_taxes.all()] == [tax.pk]
    rated = RatedCharge.objects.get(line=line)
    found = verification.verify(trace=rated.trace, sha256=rated.trace_sha256, amount=line.amount.amount)
    assert found.is_right
    assert [sentence.label for sentence in found.sentences][:2] == [
        "Committed over the term",
        "Billed in the term, less credits",
    ]


def test_a_commitment_that_is_reached_bills_nothing(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=1, **committed(100000)))
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    assert move("2026-02-01").settled == 1
    row = contract.commitments.get()
    assert (row.line, row.billed_amount.amount) == (None, 1000)


def test_a_commitment_waits_until_all_of_its_time_is_billed(customer: Customer, plan: PlanVersion) -> None:
    activate(draft(customer, phase("platform"), **{**RENEWING, "uplift_rate": Decimal(0)}, **committed(1000000)))
    pass_days("2026-02-01", "2026-02-19")

    assert move("2026-03-01").settled == 0
    pass_days("2026-03-01")

    # Of each term on its own: 10,000.00 − 2 × 1,000.00
    assert [line.amount.amount for line in InvoiceLine.objects.filter(kind="commitment")] == [8000]
    contract = Contract.objects.get()
    assert [row.settled_at is None for row in contract.commitments.order_by("starts_on")] == [False, True]
    assert made.move("2026-03-02").settled == 0


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin"])
def test_days_are_those_of_the_customer(entity: BillingEntity, plan: PlanVersion, zone: str) -> None:
    customer = parties.make_customer(entity, timezone=zone)
    tz = dates.zone(zone)
    moments = [dates.start_of_day(date(2026, month, 1), tz) for month in (2, 3, 4, 5)]
    contract = draft(
        customer,
        phase("platform", amount_cents=50000),
        phase("platform", "2026-03-01", amount_cents=75000),
        at="2025-12-20",
        term_months=3,
        **committed(200000),
    )
    activate(contract, "2025-12-20")
    subscription_moves.activate_pending(as_of=dates.start_of_day(date(2026, 1, 1), tz))
    for moment in moments[:3]:
        contract_days.run(as_of=moment)
        runs.run(as_of=moment, trigger="test", actor=ACTOR)
        subscription_moves.terminate_ended(as_of=moment)
        contract_days.run(as_of=moment)

    # Two months by the first phase and March by the second; the last day of March is billed in full.
    assert amounts(customer)[:3] == ["platform 500", "platform 500", "platform 750"]
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 250
    last = Subscription.objects.get(customer=customer, status="terminated", ended_by="")
    assert last.terminated_at is not None
    assert last.terminated_at.astimezone(tz).date() == date(2026, 3, 31)


def test_credit_notes_and_lines_over_the_end_count_for_what_they_are(customer: Customer) -> None:
    goods.make_plan("advance", cents=31000, pay_in_advance=True)
    contract = activate(draft(customer, phase("advance"), term_months=1, billing_time="calendar", **committed(100000)))
    subscription = Subscription.objects.get()
    # Ten of the 31 days paid in advance come back: 310.00 × 10 / 31
    terminations.terminate(subscription_id=subscription.pk, actor=ACTOR, at=instant("2026-01-21T12:00"))
    assert move("2026-02-01").settled == 1
    row = contract.commitments.get()
    assert row.billed_amount.amount == 210
    assert row.line.amount.amount == 790


def test_usage_counts_towards_a_commitment(customer: Customer) -> None:
    metric = goods.make_metric()
    goods.make_plan("usage", cents=1000, charges=[goods.standard(metric, "2")])
    contract = activate(draft(customer, phase("usage"), term_months=1, **committed(10000)))
    send("sub", "requests", "2026-01-10", "2026-01-11")
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    assert move("2026-02-01").settled == 1
    # 100.00 − 10.00 − 2 × 2.00
    assert contract.commitments.get().line.amount.amount == 86

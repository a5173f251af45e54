"""Contracts that change while they run: terms, products, the term itself, commitments, an early end."""

from __future__ import annotations

import functools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import Contract, ContractAmendment, ContractPhase, Subscription
from billing.services import contract_amendments, contract_endings, subscription_moves
from billing.services.contract_amendments import Change, ContractChanged, NewTerms
from billing.services.contract_drafts import InvalidContract, NewCommitment, NewItem
from catalog.models import PlanVersion
from config.kernel import errors
from customers.models import BillingEntity, Customer
from customers.services import customers
from invoicing.models import Invoice, InvoiceLine
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.contracts import activate, chain, draft, move, pass_days, phase
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


def change(day: str, **values: Any) -> Change:
    return Change(effective_on=date.fromisoformat(day), **values)


def change_terms(contract: Contract, day: str, at: str, **values: Any) -> ContractAmendment:
    terms = NewTerms(external_id="sub", **values)
    return contract_amendments.change_terms(
        contract_id=contract.pk, terms=terms, change=change(day), actor=ACTOR, at=instant(at)
    )


def spans() -> list[tuple[str, str]]:
    rows = ContractPhase.objects.order_by("item", "starts_on")
    return [(row.starts_on.isoformat(), row.ends_on.isoformat()) for row in rows]


def test_a_price_changes_from_a_day_on(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=3))

    amendment = change_terms(contract, "2026-02-15", "2026-01-10", overrides={"amount_cents": 62000})

    assert chain() == [("active", "310", "2026-01-01"), ("pending", "620", "2026-02-15")]
    pass_days("2026-02-01", "2026-02-15", "2026-03-01")
    # 310.00; 310.00 × 14 / 28, 620.00 × 14 / 28
    assert amounts(customer) == ["platform 310", "platform 155", "platform 310"]
    assert (amendment.number, amendment.before["phases"][0]["overrides"]) == (1, {})
    assert amendment.after["phases"][1]["overrides"] == {"amount_cents": 62000}
    assert spans() == [("2026-01-01", "2026-02-14"), ("2026-02-15", "2026-03-31")]


def test_the_quantity_changes_and_the_price_stays(customer: Customer) -> None:
    seat = goods.make_add_on()
    goods.make_plan("seats", cents=0, fixed_charges=[goods.fixed(seat, 10, "10")])
    contract = activate(draft(customer, phase("seats", units={"seat": Decimal(20)}), term_months=3))
    change_terms(contract, "2026-02-01", "2026-01-10", units={"seat": Decimal(50)})
    pass_days("2026-02-01", "2026-03-01")
    found = [line.amount.amount for line in InvoiceLine.objects.filter(kind="fixed_charge").order_by("pk")]
    # 20 × 10.00, 50 × 10.00
    assert found == [200, 500]


def test_an_amendment_for_today_takes_effect_at_its_start(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=3))
    change_terms(contract, "2026-01-16", "2026-01-16T15:00", overrides={"amount_cents": 62000})
    assert [row[:2] for row in chain()] == [("terminated", "310"), ("active", "620")]
    pass_days("2026-01-16T16:00", "2026-02-01")
    # 310.00 × 15 / 31, 620.00 × 16 / 31
    assert amounts(customer) == ["platform 150", "platform 320"]


def test_the_past_is_not_amended(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform")))
    with pytest.raises(InvalidContract):
        change_terms(contract, "2026-01-15", "2026-01-16", overrides={"amount_cents": 1})
    assert not ContractAmendment.objects.exists()


def test_terms_until_a_day_leave_later_phases_as_they_are(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(
        draft(customer, phase("platform"), phase("platform", "2026-04-01", amount_cents=40000), term_months=6)
    )
    change_terms(contract, "2026-02-01", "2026-01-10", overrides={"amount_cents": 10000}, until=date(2026, 2, 28))
    assert spans() == [
        ("2026-01-01", "2026-01-31"),
        ("2026-02-01", "2026-02-28"),
        ("2026-03-01", "2026-03-31"),
        ("2026-04-01", "2026-06-30"),
    ]
    pass_days("2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01")
    assert amounts(customer) == ["platform 310", "platform 100", "platform 310", "platform 400"]


def test_a_product_that_is_added_ends_with_the_contract(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("addon", cents=3100)
    contract = activate(draft(customer, phase("platform"), term_months=3))
    item = NewItem("extra", (phase("addon"),))

    contract_amendments.add_product(
        contract_id=contract.pk, item=item, change=change("2026-01-16"), actor=ACTOR, at=instant("2026-01-10")
    )

    assert chain("extra") == [("pending", "31", "2026-01-01")]
    subscription_moves.activate_pending(as_of=instant("2026-01-15"))
    assert chain("extra")[0][0] == "pending"
    subscription_moves.activate_pending(as_of=instant("2026-01-16"))
    pass_days("2026-01-16", "2026-02-01")
    extra, main = Subscription.objects.get(external_id="extra"), Subscription.objects.get(external_id="sub")
    assert (extra.started_at, extra.ending_at) == (instant("2026-01-16"), main.ending_at)
    # 31.00 × 16 / 31, on one invoice with the other product
    assert sorted(amounts(customer)) == ["addon 16", "platform 310"]
    assert Invoice.objects.count() == 1


def test_a_product_that_is_added_later_keeps_the_contracts_periods(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("addon", cents=3100)
    contract = activate(draft(customer, phase("platform"), starts_on="2026-01-10", term_months=3), "2026-01-10")
    item = NewItem("extra", (phase("addon"),))
    contract_amendments.add_product(
        contract_id=contract.pk, item=item, change=change("2026-01-26"), actor=ACTOR, at=instant("2026-01-26")
    )
    pass_days("2026-02-01", "2026-02-10")
    # The period is 10 January to 9 February: 31.00 × 15 / 31
    assert sorted(amounts(customer)) == ["addon 15", "platform 310"]


def test_a_product_that_is_removed_ends_the_day_before(customer: Customer, plan: PlanVersion) -> None:
    goods.make_plan("addon", cents=3100)
    items = (NewItem("sub", (phase("platform"),)), NewItem("extra", (phase("addon"),)))
    contract = activate(draft(customer, items=items))

    contract_amendments.remove_product(
        contract_id=contract.pk, external_id="extra", change=change("2026-01-16"), actor=ACTOR, at=instant("2026-01-10")
    )
    subscription_moves.terminate_ended(as_of=instant("2026-01-16"))
    pass_days("2026-02-01")

    # 31.00 × 15 / 31
    assert sorted(amounts(customer)) == ["addon 15", "platform 310"]
    with pytest.raises(InvalidContract) as refused:
        contract_amendments.remove_product(
            contract_id=contract.pk,
            external_id="sub",
            change=change("2026-03-01"),
            actor=ACTOR,
            at=instant("2026-02-10"),
        )
    assert refused.value.code == "last_product"


def test_a_longer_term_moves_the_end(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), term_months=1))
    contract_amendments.extend_term(
        contract_id=contract.pk,
        ends_on=date(2026, 2, 14),
        change=change("2026-01-20"),
        actor=ACTOR,
        at=instant("2026-01-20"),
    )
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    pass_days("2026-02-01")
    subscription_moves.terminate_ended(as_of=instant("2026-02-15"))
    # 310.00, 310.00 × 14 / 28
    assert amounts(customer) == ["platform 310", "platform 155"]
    assert move("2026-02-15").ended == 1


def test_a_commitment_that_changes_midway_is_blended_by_days(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(
        draft(customer, phase("platform"), term_months=4, commitments=[NewCommitment(amount_cents=1200000)])
    )
    row = contract.commitments.get()
    contract_amendments.change_commitment(
        contract_id=contract.pk,
        commitment_id=row.pk,
        wanted=NewCommitment(amount_cents=1800000),
        change=change("2026-03-02"),
        actor=ACTOR,
        at=instant("2026-02-10"),
    )
    row.refresh_from_db()
    # 60 of the 120 days by 12,000.00, the others by 18,000.00
    assert row.amount.amount == 15000


def test_an_early_end_owes_the_commitment_by_its_days(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(
        draft(customer, phase("platform"), term_months=12, commitments=[NewCommitment(amount_cents=3650000)])
    )
    pass_days("2026-02-01")
    contract_endings.end(contract_id=contract.pk, ends_on=date(2026, 3, 31), actor=ACTOR, at=instant("2026-02-10"))
    pass_days("2026-03-01")
    subscription_moves.terminate_ended(as_of=instant("2026-04-01"))

    moved = move("2026-04-01")

    assert (moved.ended, moved.settled) == (1, 1)
    # 36,500.00 × 90 / 365 − 3 × 310.00
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 9000 - 930
    assert Subscription.objects.get().status == "terminated"


def test_an_early_end_may_owe_all_of_it(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), commitments=[NewCommitment(amount_cents=3650000)]))
    contract_endings.end(
        contract_id=contract.pk, ends_on=date(2026, 1, 31), is_whole=True, actor=ACTOR, at=instant("2026-01-10")
    )
    subscription_moves.terminate_ended(as_of=instant("2026-02-01"))
    assert move("2026-02-01").settled == 1
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 36500 - 310


def test_an_early_end_calls_waiting_phases_off(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform"), phase("platform", "2026-06-01", amount_cents=40000)))
    contract_endings.end(contract_id=contract.pk, ends_on=date(2026, 3, 31), actor=ACTOR, at=instant("2026-01-10"))
    assert [row[0] for row in chain()] == ["active", "canceled"]
    assert spans() == [("2026-01-01", "2026-03-31")]


def test_who_decided_by_an_older_contract_gets_a_conflict(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform")))
    contract.refresh_from_db()
    seen = contract_amendments.state_of(contract)
    change_terms(contract, "2026-02-01", "2026-01-10", overrides={"amount_cents": 40000})

    with pytest.raises(ContractChanged):
        contract_amendments.change_terms(
            contract_id=contract.pk,
            terms=NewTerms("sub", overrides={"amount_cents": 50000}),
            change=change("2026-02-01", seen=seen),
            actor=ACTOR,
            at=instant("2026-01-10"),
        )
    assert contract.amendments.count() == 1


def test_amendments_are_never_changed(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform")))
    amendment = change_terms(contract, "2026-02-01", "2026-01-10", overrides={"amount_cents": 40000})
    with pytest.raises(IntegrityError), transaction.atomic():
        ContractAmendment.objects.filter(pk=amendment.pk).update(reason="other")
    assert ContractAmendment.objects.get().reason == ""


def test_a_preview_leaves_nothing(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform")))
    verb = functools.partial(change_terms, contract, "2026-01-16", "2026-01-10", overrides={"amount_cents": 62000})

    found = contract_endings.preview(
        contract=contract, verb=verb, on=date(2026, 1, 16), actor=ACTOR, at=instant("2026-01-10")
    )

    assert [str(one.fee.amount.normalize()) for one in found.phases] == ["3.1E+2", "6.2E+2"]
    assert [invoice.fees_amount.amount for invoice in found.invoices] == [150]
    assert not ContractAmendment.objects.exists()
    assert not Invoice.objects.exists()
    assert len(spans()) == 1


def test_a_minimum_for_each_period_tops_up_every_month(customer: Customer, plan: PlanVersion) -> None:
    commitment = NewCommitment(amount_cents=50000, kind="period", external_id="sub")
    contract = activate(draft(customer, phase("platform"), commitments=[commitment]))
    pass_days("2026-02-01", "2026-03-01")
    # 500.00 − 310.00, twice
    assert [row.amount.amount for row in InvoiceLine.objects.filter(kind="commitment")] == [190, 190]
    assert contract.commitments.get().settled_at is None


def test_an_unknown_product_is_refused(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(draft(customer, phase("platform")))
    with pytest.raises(errors.NotFound):
        contract_amendments.change_terms(
            contract_id=contract.pk,
            terms=NewTerms("other"),
            change=change("2026-02-01"),
            actor=ACTOR,
            at=instant("2026-01-10"),
        )
    assert not ContractAmendment.objects.exists()


def test_a_retired_customer_has_no_contract_any_more(customer: Customer, plan: PlanVersion) -> None:
    contract = activate(
        draft(customer, phase("platform"), renewal="automatic", notice_days=30, commitments=[NewCommitment(3650000)])
    )
    other = draft(customer, phase("platform"))

    customers.delete(external_id=customer.external_id, actor=ACTOR, at=instant("2026-01-10T12:00"))

    contract.refresh_from_db()
    other.refresh_from_db()
    assert (contract.state, other.state) == ("ended", "canceled")
    assert contract.commitments.get().cut_on == date(2026, 1, 10)
    moved = move("2026-01-11")
    assert (moved.renewed, moved.settled) == (0, 1)
    # 36,500.00 × 10 / 365 − 310.00 × 10 / 31
    assert InvoiceLine.objects.get(kind="commitment").amount.amount == 1000 - 100


@pytest.mark.parametrize(("renews", "topped_up"), [(True, [190, 190]), (False, [190])])
def test_a_minimum_for_each_period_renews_or_ends(
    customer: Customer, plan: PlanVersion, renews: bool, topped_up: list[int]
) -> None:
    commitment = NewCommitment(50000, kind="period", external_id="sub", renews=renews)
    terms: dict[str, Any] = {"term_months": 1, "renewal": "automatic", "notice_days": 10, "commitments": [commitment]}
    activate(draft(customer, phase("platform"), **terms))
    pass_days("2026-01-22", "2026-02-01", "2026-03-01")
    assert [row.amount.amount for row in InvoiceLine.objects.filter(kind="commitment")] == topped_up
    assert [line for line in amounts(customer) if line.endswith("310")] == ["platform 310", "platform 310"]


def test_a_minimum_cannot_end_inside_a_phase(customer: Customer, plan: PlanVersion) -> None:
    commitment = NewCommitment(50000, kind="period", external_id="sub", ends_on=date(2026, 3, 15))
    contract = draft(customer, phase("platform"), commitments=[commitment])
    with pytest.raises(errors.Invalid) as refused:
        activate(contract)
    assert refused.value.code == "commitment_within_a_phase"
    assert not Subscription.objects.exists()


def test_another_minimum_counts_from_its_day_on(customer: Customer, plan: PlanVersion) -> None:
    commitment = NewCommitment(50000, kind="period", external_id="sub")
    contract = activate(draft(customer, phase("platform"), commitments=[commitment]))
    contract_amendments.change_commitment(
        contract_id=contract.pk,
        commitment_id=contract.commitments.get().pk,
        wanted=NewCommitment(60000),
        change=change("2026-02-01"),
        actor=ACTOR,
        at=instant("2026-01-10"),
    )
    pass_days("2026-02-01", "2026-03-01")
    # 500.00 − 310.00, then 600.00 − 310.00
    assert [row.amount.amount for row in InvoiceLine.objects.filter(kind="commitment").order_by("pk")] == [190, 290]

"""Contracts in the admin: the list and the page, and verbs that show first what they would do."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Contract, ContractAmendment, ContractPhase, Subscription
from billing.services.contract_drafts import NewCommitment, NewItem
from catalog.models import Plan
from customers.models import Customer
from invoicing.models import Invoice
from tests.factories import catalog as goods
from tests.factories import invoicing as parties
from tests.factories.billing import instant
from tests.factories.contracts import activate, draft, phase

pytestmark = pytest.mark.django_db

AT = instant("2026-01-10T10:00")


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def customer() -> Customer:
    seats = goods.fixed(goods.make_add_on(), 10, "1")
    goods.make_plan("platform", cents=31000, fixed_charges=[seats])
    goods.make_plan("addon", cents=3100)
    return parties.make_customer(parties.make_entity())


@pytest.fixture
def contract(customer: Customer) -> Contract:
    return draft(
        customer,
        phase("platform", amount_cents=10000),
        phase("platform", "2026-07-01"),
        renewal="automatic",
        notice_days=30,
        commitments=[NewCommitment(amount_cents=1200000), NewCommitment(5000, kind="period", external_id="sub")],
    )


def address(contract: Contract, verb: str) -> str:
    return f"/admin/billing/contract/{contract.pk}/{verb}/"


def text(response: Any) -> str:
    return str(response.content.decode())


def send(client: Client, contract: Contract, verb: str, **content: Any) -> Any:
    """Open the page of a verb, fill it in, and press its button until it is done."""
    page = client.get(address(contract, verb))
    seen = page.context["form"].initial.get("seen", "")
    answer = client.post(address(contract, verb), {"seen": seen, **content})
    if answer.status_code == 200 and answer.context.get("weighed"):
        content = {**content, "weighed": answer.context["weighed"]}
        answer = client.post(address(contract, verb), {"seen": seen, **content})
    return answer


def test_the_page_shows_phases_commitments_and_amendments(admin_client: Client, contract: Contract) -> None:
    activate(contract)
    page = text(admin_client.get(address(contract, "change")))
    for part in ("<svg", "1 Jul 2026", "€12,000.00", "Over the term", "renews; notice by 1 Dec 2026", "Forecast"):
        assert part in page
    listed = text(admin_client.get("/admin/billing/contract/"))
    assert "CT-000001" in listed


def test_the_queue_of_renewals_is_a_filter(admin_client: Client, customer: Customer) -> None:
    activate(draft(customer, phase("platform"), term_months=1))
    activate(draft(customer, items=(NewItem("other", (phase("addon"),)),)))
    found = admin_client.get("/admin/billing/contract/?ends_within=30").context["cl"].result_list
    assert [one.number for one in found] == ["CT-000001"]


def test_a_customer_page_names_its_contracts(admin_client: Client, contract: Contract) -> None:
    assert "CT-000001" in text(admin_client.get(f"/admin/customers/customer/{contract.customer_id}/change/"))


def test_a_contract_is_drafted_by_a_form(admin_client: Client, customer: Customer) -> None:
    content = {
        "customer": customer.pk, "name": "Deal", "starts_on": "2026-02-01", "term_months": 12, "external_id": "deal",
        "plan": Plan.objects.get(code="platform").pk, "fee": "250.00", "units": "seat 25",
        "billing_time": "anniversary", "renewal": "automatic",
        "notice_days": 30, "uplift": "3.5", "uplift_scope": "all", "commitment": "5000",
    }  # fmt: skip
    answer = admin_client.post("/admin/billing/contract/create/", content)
    assert answer.status_code == 302, answer.context["form"].errors
    made = Contract.objects.get()
    assert (str(made.uplift_rate), made.state) == ("0.03500000", "draft")
    overrides = ContractPhase.objects.get().overrides
    assert (overrides["amount_cents"], overrides["fixed_charges"][0]["units"]) == (25000, "25")
    assert made.commitments.get().amount.amount == 5000
    assert not Subscription.objects.exists()

    refused = admin_client.post("/admin/billing/contract/create/", {**content, "units": "many seats"})
    assert refused.context["form"].errors["units"]
    nothing = admin_client.post("/admin/billing/contract/create/", {**content, "fee": "0.001"})
    assert nothing.status_code == 200
    assert Contract.objects.count() == 1


def test_activating_shows_first_what_it_does(admin_client: Client, contract: Contract) -> None:
    shown = admin_client.post(address(contract, "activate"), {})
    assert "Phases then" in text(shown)
    assert not Subscription.objects.exists()
    assert send(admin_client, contract, "activate").status_code == 302
    assert Subscription.objects.filter(status="active").count() == 1
    assert admin_client.get(address(contract, "activate")).status_code == 302


def test_terms_change_after_a_look(admin_client: Client, contract: Contract) -> None:
    activate(contract)
    content = {"product": "sub", "effective_on": "2026-02-01", "fee": "200", "units": "seat 20", "reason": "Growth"}
    seen = admin_client.get(address(contract, "change_terms")).context["form"].initial["seen"]
    shown = admin_client.post(address(contract, "change_terms"), {**content, "seen": seen})
    assert "€200.00" in text(shown)
    assert not ContractAmendment.objects.exists()
    assert not Invoice.objects.exists()
    assert send(admin_client, contract, "change_terms", **content).status_code == 302
    assert ContractAmendment.objects.get().kind == "change_terms"
    # Decided by what the contract was before.
    late = admin_client.post(address(contract, "change_terms"), {**content, "seen": seen})
    assert "changed by somebody else" in text(late)
    assert ContractAmendment.objects.count() == 1


def test_a_draft_is_edited(admin_client: Client, contract: Contract) -> None:
    content = {"product": "sub", "effective_on": "2026-10-01", "fee": "400", "reason": "Ramp"}
    assert send(admin_client, contract, "change_terms", **content).status_code == 302
    plan = Plan.objects.get(code="addon").pk
    added = {"external_id": "extra", "effective_on": "2026-01-01", "plan": plan, "reason": "More"}
    assert send(admin_client, contract, "add_product", **added).status_code == 302
    committed = {"amount": "100", "effective_on": "2026-01-01", "reason": "Promise"}
    assert send(admin_client, contract, "change_commitment", **committed).status_code == 302
    assert ContractPhase.objects.filter(item__external_id="sub").count() == 3
    assert (contract.items.count(), contract.commitments.count()) == (2, 3)
    assert not ContractAmendment.objects.exists()
    assert not Subscription.objects.exists()
    assert send(admin_client, contract, "cancel", reason="No deal").status_code == 302
    contract.refresh_from_db()
    assert contract.state == "canceled"


def test_another_commitment_is_weighed_first(admin_client: Client, contract: Contract) -> None:
    activate(contract)
    row = contract.commitments.get(kind="term")
    seen = admin_client.get(address(contract, "change_commitment")).context["form"].initial["seen"]
    content = {"commitment": row.pk, "amount": "24000", "effective_on": "2026-07-02", "reason": "Growth", "seen": seen}
    shown = admin_client.post(address(contract, "change_commitment"), content)
    # 182 of the 365 days by 12,000.00, the others by 24,000.00
    assert "Commitments then" in text(shown)
    assert "€18,016.44" in text(shown)
    row.refresh_from_db()
    assert row.amount.amount == 12000
    assert not ContractAmendment.objects.exists()


def test_every_verb_of_a_running_contract(admin_client: Client, contract: Contract) -> None:
    activate(contract)
    plan = Plan.objects.get(code="addon").pk
    verbs: list[tuple[str, dict[str, Any]]] = [
        ("add_product", {"external_id": "extra", "effective_on": "2026-02-01", "plan": plan, "reason": "More"}),
        ("remove_product", {"product": "extra", "effective_on": "2026-05-01", "reason": "Less"}),
        ("extend_term", {"ends_on": "2027-01-31", "reason": "A month more"}),
        ("change_commitment", {
            "commitment": contract.commitments.get(kind="term").pk, "amount": "13000", "effective_on": "2026-01-10",
            "reason": "More",
        }),
        ("give_notice", {"given_by": "the customer"}),
        ("withdraw_notice", {"reason": "They stay"}),
        ("end", {"ends_on": "2026-03-31", "is_whole": "on", "reason": "Sold"}),
    ]  # fmt: skip
    for verb, content in verbs:
        answer = send(admin_client, contract, verb, **content)
        assert answer.status_code == 302, (verb, answer.context and answer.context["form"].errors)
    contract.refresh_from_db()
    assert (contract.ends_on.isoformat(), contract.state) == ("2026-03-31", "active")
    kinds = ["add_product", "remove_product", "extend_term", "change_commitment"]
    assert list(contract.amendments.values_list("kind", flat=True)) == kinds
    page = text(admin_client.get(address(contract, "change")))
    assert "a product removed" in page


def test_who_may_only_look_has_no_verbs(client: Client, contract: Contract, django_user_model: Any) -> None:
    person = django_user_model.objects.create_user("reader", password="x", is_staff=True)
    client.force_login(person)
    assert client.get(address(contract, "activate")).status_code == 403
    assert not Subscription.objects.exists()


def test_the_list_costs_the_same_for_many(
    admin_client: Client, customer: Customer, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        draft(customer, phase("platform"))
    with django_assert_max_num_queries(25):
        admin_client.get("/admin/billing/contract/")
    assert Contract.objects.count() == 3

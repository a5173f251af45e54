"""Prepaid credit in the admin: on the contract, the customer and the invoice; and agreeing on one more."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client

from billing.models import Contract
from billing.services.contract_drafts import NewCommitment
from customers.models import Customer
from invoicing.models import Invoice
from invoicing.services import document_views
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import invoicing as parties
from tests.factories.billing import instant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(instant("2026-02-01T10:00"), tick=False):
        yield


@pytest.fixture
def contract() -> Contract:
    goods.make_plan("platform", cents=10000)
    customer = parties.make_customer(parties.make_entity())
    agreed = NewCommitment(25000, kind="prepaid", grant_on="issue")
    made = contracts.activate(contracts.draft(customer, contracts.phase("platform"), commitments=(agreed,)))
    contracts.pass_days("2026-02-01")
    return made


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return answer.content.decode().replace("\xa0", " ")


def test_the_pages_show_what_was_drawn(admin_client: Client, contract: Contract) -> None:
    usage = Invoice.objects.get(kind="subscription")

    page = text(admin_client.get(f"/admin/billing/contract/{contract.pk}/change/"))
    assert "Drawn of what is prepaid" in page
    assert "width: 40%" in page  # 100 of 250
    assert str(usage.number) in page
    customer = text(admin_client.get(f"/admin/customers/customer/{contract.customer_id}/change/"))
    assert "Credit to use" in customer
    assert "€150.00" in customer
    invoice = text(admin_client.get(f"/admin/invoicing/invoice/{usage.pk}/change/"))
    assert f"Prepaid credit of {contract.number} Prepaid commitment" in invoice


def test_the_document_says_what_was_drawn(contract: Contract) -> None:
    usage = Invoice.objects.get(kind="subscription")

    view = document_views.of(invoice=document_views.read(invoice_id=usage.pk))

    assert [(fact.label, fact.value) for fact in view.credits] == [("Prepaid credit used", "-€100.00")]
    assert view.is_nothing_due


def test_a_draft_says_what_it_would_draw(admin_client: Client, contract: Contract) -> None:
    line = parties.line("50.00", group_key="sub")
    draft = parties.draft(Customer.objects.get(), lines=(line,), at=instant("2026-05-01")).invoice

    page = text(admin_client.get(f"/admin/invoicing/invoice/{draft.pk}/change/"))

    assert "Issued now it would use €50.00 of prepaid credit." in page


def test_one_more_is_agreed_on_in_the_admin(admin_client: Client, contract: Contract) -> None:
    address = f"/admin/billing/contract/{contract.pk}/change_commitment/"
    seen = admin_client.get(address).context["form"]["seen"].value()
    content = {
        "amount": "500",
        "effective_on": "2026-03-01",
        "reason": "More",
        "is_prepaid": "on",
        "instalments": "monthly",
        "grant_on": "issue",
        "rolls_over": "on",
        "seen": seen,
    }
    chosen = {**content, "commitment": contract.commitments.get().pk}
    assert "a commitment that is there stays what it is" in text(admin_client.post(address, chosen))

    weighed = admin_client.post(address, content).context["weighed"]
    assert contract.commitments.count() == 1
    answer = admin_client.post(address, content | {"weighed": weighed})

    assert answer.status_code == 302
    row = contract.commitments.order_by("-pk")[0]
    assert (row.kind, row.instalments, row.grant_on, row.rolls_over) == ("prepaid", "monthly", "issue", True)

"""Prepaid commitments through the API: agreed in a contract, seen on it, on invoices and under the customer."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from billing.models import Contract
from invoicing.models import Invoice, PrepaidCredit
from tests.factories import catalog as goods
from tests.factories import contracts
from tests.factories import invoicing as parties
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Any:
    goods.make_plan("platform", cents=10000)
    parties.make_customer(parties.make_entity(taxes=[parties.make_tax()]))
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False):
        yield ApiClient()


def draft(api: ApiClient, **commitment: Any) -> Any:
    content = {
        "external_customer_id": "c1",
        "name": "Platform 2026",
        "starts_on": "2026-01-01",
        "term_months": 12,
        "items": [{"external_id": "main", "phases": [{"plan_code": "platform"}]}],
        "commitments": [{"kind": "prepaid", "amount_cents": 100000, **commitment}],
    }
    return api.call("post", "contracts", {"contract": content})


def test_it_is_agreed_paid_and_drawn_down(api: ApiClient) -> None:
    answer = draft(api, instalments="quarterly", rolls_over=True)
    assert answer.status_code == 200, answer.json()
    assert api.call("post", "contracts/CT-000001/activate").status_code == 200

    (bought,) = api.call("get", "invoices").json()["invoices"]
    assert (bought["invoice_type"], bought["total_amount_cents"], bought["taxes_amount_cents"]) == ("credit", 25000, 0)
    (fee,) = api.call("get", f"invoices/{bought['lago_id']}").json()["invoice"]["fees"]
    assert (fee["item"]["type"], fee["amount_cents"], fee["applied_taxes"]) == ("credit", 25000, [])
    paid = {"payment": {"invoice_id": bought["lago_id"], "amount_cents": 25000, "reference": "wire"}}
    assert api.call("post", "payments", paid).status_code == 200
    (day,) = api.call("get", "subscriptions/main/upcoming_invoices?periods=1").json()["upcoming_invoices"]
    told = day["invoices"][0]
    assert (told["prepaid_credit_amount_cents"], told["total_amount_cents"]) == (11900, 0)
    assert told["progressive_billing_credit_amount_cents"] == 0
    contracts.pass_days("2026-02-01")

    usage = api.call("get", "invoices").json()["invoices"][0]
    assert (usage["prepaid_credit_amount_cents"], usage["total_amount_cents"]) == (11900, 0)  # with its tax
    prepaid = api.call("get", "contracts/CT-000001").json()["contract"]["commitments"][0]["prepaid"]
    assert prepaid == {
        "instalments": "quarterly",
        "grant_on": "payment",
        "rolls_over": True,
        "drawdown": {
            "invoiced_cents": 25000,
            "granted_cents": 25000,
            "used_cents": 11900,
            "closed_cents": 0,
            "left_cents": 13100,
        },
    }
    page = api.call("get", "customers/c1/prepaid_credits").json()
    assert page["meta"]["total_count"] == 1
    (credit,) = page["prepaid_credits"]
    assert (credit["granted_amount_cents"], credit["used_amount_cents"], credit["left_amount_cents"]) == (
        25000,
        11900,
        13100,
    )
    assert (credit["status"], credit["valid_until"], credit["external_subscription_ids"]) == (
        "active",
        "2026-12-31",
        ["main"],
    )
    assert credit["uses"][0]["invoice_number"] == usage["number"]


@pytest.mark.parametrize(
    ("commitment", "details"),
    [
        ({"amount_cents": 0}, {"commitments": ["value_is_out_of_range"]}),
        ({"tax_codes": ["vat19"]}, {"commitments": ["taxes_not_allowed"]}),
        ({"instalments": "daily"}, None),
        ({"grant_on": "never"}, None),
        ({"ends_on": "2027-01-31"}, {"commitments": ["outside_of_the_term"]}),
    ],
)
def test_nonsense_is_refused(api: ApiClient, commitment: dict[str, Any], details: dict[str, Any] | None) -> None:
    answer = draft(api, **commitment)

    assert answer.status_code == 422
    assert details is None or answer.json()["error_details"] == details
    assert not Contract.objects.exists()


def test_the_others_have_nothing_prepaid(api: ApiClient) -> None:
    assert draft(api, kind="term").json()["contract"]["commitments"][0]["prepaid"] is None
    assert api.call("get", "customers/c1/prepaid_credits").json()["prepaid_credits"] == []
    assert api.call("get", "customers/nobody/prepaid_credits").status_code == 404
    assert not PrepaidCredit.objects.exists()


def test_the_purchase_cannot_be_credited(api: ApiClient) -> None:
    draft(api)
    api.call("post", "contracts/CT-000001/activate")
    invoice = Invoice.objects.get()
    wanted = {
        "invoice_id": str(invoice.uuid),
        "reason": "other",
        "credit_amount_cents": 100,
        "items": [{"fee_id": str(invoice.lines.get().uuid), "amount_cents": 100}],
    }

    answer = api.call("post", "credit_notes", {"credit_note": wanted})

    assert answer.status_code == 405
    assert answer.json()["code"] == "invalid_type_or_status"

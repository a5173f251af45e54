"""Correcting invoices over the API: a preview that writes nothing, then the correction; what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group

from config.platform.services import approval_rules
from config.platform.services.approval_rules import RuleValues
from customers.models import Customer
from invoicing.models import Correction, CreditNote, Invoice
from tests.factories import invoicing as make
from tests.factories.platform import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _first_of_may() -> Iterator[None]:
    with time_machine.travel(make.AT, tick=False):
        yield


@pytest.fixture
def api() -> ApiClient:
    return ApiClient()


@pytest.fixture
def customer() -> Customer:
    return make.make_customer(make.make_entity(taxes=[make.make_tax(name="VAT")]))


def post(api: ApiClient, invoice: Invoice, **content: Any) -> Any:
    return api.call("post", f"invoices/{invoice.uuid}/corrections", {"correction": {"reason": "agreed", **content}})


def test_a_preview_is_what_happens(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00", "50.00")
    fees = [{"lago_fee_id": str(invoice.lines.get(position=1).uuid), "amount_cents": 8000}]

    shown = post(api, invoice, fees=fees, preview=True).json()["correction"]

    assert not CreditNote.objects.exists()
    assert shown["lago_id"] is None
    # 20.00 and 19 %: 3.80
    assert shown["effect"]["taxes"] == [
        {"tax_code": "vat19", "tax_name": "VAT", "tax_rate": "19", "base_amount_cents": -2000, "amount_cents": -380}
    ]
    done = post(api, invoice, fees=fees, fingerprint=shown["fingerprint"]).json()["correction"]
    document = done["effect"]["documents"][0]
    assert (document["kind"], document["number"], document["offset_amount_cents"]) == (
        "credit_note", f"{invoice.number}-CN001", 2380,
    )  # fmt: skip
    for one in shown["effect"]["documents"]:
        one.pop("number"), one.pop("lago_id")
    for one in done["effect"]["documents"]:
        one.pop("number"), one.pop("lago_id")
    assert shown["effect"] == done["effect"]
    assert (shown["plan"], shown["fingerprint"]) == (done["plan"], done["fingerprint"])
    listed = api.call("get", f"invoices/{invoice.uuid}/corrections").json()
    assert [one["lago_id"] for one in listed["corrections"]] == [done["lago_id"]]
    assert api.call("get", f"corrections/{done['lago_id']}").json()["correction"]["made_by"] == done["made_by"]
    again = post(api, invoice, fees=fees, fingerprint=shown["fingerprint"])
    assert (again.status_code, again.json()["code"]) == (409, "correction_outdated")


def test_a_key_answers_again(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    body = {"correction": {"reason": "r", "document_is_wrong": True, "customer": {"city": "Bath"}}}
    path = f"invoices/{invoice.uuid}/corrections"

    first = api.call("post", path, body, Idempotency_Key="k1")
    second = api.call("post", path, body, Idempotency_Key="k1")

    assert first.json() == second.json()
    assert Correction.objects.count() == 1
    assert Invoice.objects.get(regenerated_from=invoice).snapshot["buyer"]["city"] == "Bath"


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ({}, "base"),
        ({"fees": [{"lago_fee_id": "9a5b1c1e-0000-4000-8000-000000000000", "not_owed": True}]}, "fees"),
        ({"fees": [{"lago_fee_id": "?"}]}, "fees"),
        ({"fees": "x"}, "fees"),
        ({"events": [{"corrects": "e"}]}, "events.0.transaction_id"),
        ({"document_is_wrong": True, "owed_by": "somebody"}, "owed_by"),
        ({"reason": ""}, "reason"),
        ({"customer": {"country": "Nowhere"}}, "customer"),
    ],
)
def test_what_is_refused(api: ApiClient, customer: Customer, content: dict[str, Any], wrong: str) -> None:
    answer = post(api, make.issue(customer, "100.00"), **content)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_errors")
    assert any(name.startswith(wrong) for name in answer.json()["error_details"])
    assert not Correction.objects.exists()


def test_taxes_that_do_not_exist(api: ApiClient, customer: Customer) -> None:
    invoice = make.issue(customer, "100.00")
    fees = [{"lago_fee_id": str(invoice.lines.get().uuid), "tax_codes": ["none"]}]
    answer = post(api, invoice, fees=fees)
    assert (answer.status_code, answer.json()["code"]) == (404, "tax_not_found")


def test_a_preview_needs_no_second_person_and_the_correction_does(api: ApiClient, customer: Customer) -> None:
    rule = RuleValues("credit_note", Group.objects.create(name="Checkers").pk, "EUR", Decimal(10))
    approval_rules.create(values=rule, actor=make.ACTOR, at=make.AT)
    invoice = make.issue(customer, "100.00")
    fees = [{"lago_fee_id": str(invoice.lines.get().uuid), "amount_cents": 8000}]
    assert post(api, invoice, fees=fees, preview=True).status_code == 200
    refused = post(api, invoice, fees=fees)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval_required")
    assert not CreditNote.objects.exists()
